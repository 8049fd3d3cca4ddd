import type { Moments } from '../moments.ts';
import type { Letter, Timeline, TimelineStep } from '../timeline.ts';
import { contextOf, isCritical, stepLabel, typedText } from '../values.ts';
import { around, type Covered, overlap } from './boxes.ts';
import type { Pen } from './pen.ts';

export interface Palette {
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly surface: string;
  readonly letter: string;
  readonly token: string;
  readonly inside: string;
  readonly violated: string;
  readonly accent: string;
}

/** Which part of the time is seen: the moment at the left edge, and pixels for each moment. */
export interface View {
  readonly width: number;
  readonly height: number;
  readonly from: number;
  readonly scale: number;
  /** Room for the names of the sites, at the left. */
  readonly gutter: number;
}

/** As wide as the longest name needs. */
export function gutterOf({ timeline }: Moments): number {
  const longest = Math.max(...timeline.sites.map(({ id }) => id.length));
  return Math.min(180, Math.max(56, longest * 8 + 30));
}

const top = 26;
const bottom = 12;

/** What never arrives is drawn for so many moments: thousands of it would cover all that comes later. */
const stub = 12;

/** Where the line of a site is, from the top. */
export function laneY(index: number, sites: number, height: number): number {
  const room = height - top - bottom;
  return top + (room / sites) * (index + 0.5);
}

export function xOf(moment: number, { from, scale, gutter }: View): number {
  return gutter + (moment - from) * scale;
}

/** One line a site, time to the right: only what lies within the view is looked at. */
export function drawSequence(pen: Pen, moments: Moments, moment: number, view: View, colours: Palette): void {
  const { timeline } = moments;
  const { width, height, from, scale, gutter } = view;
  const first = Math.max(0, Math.floor(from - 1));
  const last = Math.min(moments.last, Math.ceil(from + (width - gutter) / scale));
  const y = new Map(timeline.sites.map(({ id }, index) => [id, laneY(index, timeline.sites.length, height)]));
  const x = (at: number) => xOf(at, view);

  drawGrid(pen, first, last, view, colours);
  drawLoop(pen, timeline, view, colours);
  for (const [id, lane] of y) {
    pen.line([gutter, lane, Math.min(width, x(moments.last) + 14), lane], {
      stroke: colours.line,
      width: 1.5,
    });
    drawLife(pen, moments, id, lane, first, last, view, colours);
  }
  const arrows: DrawnArrow[] = [];
  for (const index of moments.letters(first, last)) {
    const letter = timeline.letters[index]!;
    const until = letter.ended ?? Math.min(moments.last, letter.sent + stub);
    if (letter.sent > last || until < first) continue;
    arrows.push(drawLetter(pen, letter, y, until, view, colours));
  }
  if (scale >= 2) {
    for (let at = Math.max(1, first); at <= last; at++) drawStep(pen, moments, at, y, view, colours);
  }
  if (scale >= 40) {
    const steps = timeline.steps.slice(Math.max(0, first - 1), last);
    const named = steps.flatMap((step, index) =>
      isNamed(step) ? [nameBox(step, x(Math.max(1, first) + index), y)] : [],
    );
    drawLabels(pen, arrows, named, colours);
  }
  drawViolations(pen, moments, first, last, view, colours);
  pen.line([x(moment), 14, x(moment), height], { stroke: colours.accent, width: 2, alpha: 0.9 });
  pen.shape([x(moment) - 6, 8, x(moment) + 6, 8, x(moment), 17], { fill: colours.accent });
  pen.rect(0, 0, gutter - 10, height, { fill: colours.surface });
  for (const [id, lane] of y) {
    pen.text(id, gutter - 18, lane + 4.5, { fill: colours.text, size: 13, anchor: 'end', bold: true });
  }
}

function drawGrid(pen: Pen, first: number, last: number, view: View, colours: Palette): void {
  const every =
    [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000].find((step) => step * view.scale >= 40) ??
    10_000;
  for (let at = Math.ceil(first / every) * every; at <= last; at += every) {
    const x = xOf(at, view);
    pen.line([x, top - 4, x, view.height], { stroke: colours.line, width: 1, alpha: 0.45 });
    pen.text(String(at), x, 12, { fill: colours.muted, size: 10, anchor: 'middle' });
  }
}

/** Critical sections as bars, times when it is down as gaps, and epochs by their number. */
function drawLife(
  pen: Pen,
  moments: Moments,
  id: string,
  lane: number,
  first: number,
  last: number,
  view: View,
  colours: Palette,
): void {
  const history = moments.siteHistory(id);
  const { timeline } = moments;
  const x = (at: number) => xOf(at, view);
  let end = moments.last + 14 / view.scale;
  for (let index = history.indexAt(last); index >= 0; index--) {
    const begun = history.moments[index]!;
    const state = history.values[index]!;
    if (isCritical(timeline, state) && !state.unseen) {
      pen.rect(x(begun), lane - 8, Math.max(1, (end - begun) * view.scale), 16, {
        fill: colours.inside,
        alpha: 0.38,
        radius: 0,
      });
    }
    if (!state.up) {
      pen.line([x(begun), lane, x(end), lane], { stroke: colours.surface, width: 3 });
      pen.line([x(begun), lane, x(end), lane], { stroke: colours.muted, width: 1.5, dash: [2, 5] });
    }
    if (state.unseen) drawUnseen(pen, x(begun), Math.max(x(begun) + 4, x(end)), lane, colours);
    const before = history.values[index - 1];
    const epoch = contextOf(state)['epoch'];
    if (
      before !== undefined &&
      typeof epoch === 'number' &&
      before.up &&
      contextOf(before)['epoch'] !== epoch &&
      view.scale >= 8
    ) {
      pen.line([x(begun), lane - 13, x(begun), lane + 13], { stroke: colours.muted, width: 1.5 });
      pen.text(`epoch ${epoch}`, x(begun) + 4, lane + 21, { fill: colours.muted, size: 10 });
    }
    end = begun;
    if (begun < first) break;
  }
}

/** Nobody knows what the site did meanwhile. */
function drawUnseen(pen: Pen, from: number, to: number, lane: number, colours: Palette): void {
  pen.rect(from, lane - 9, to - from, 18, { fill: colours.surface });
  pen.rect(from, lane - 9, to - from, 18, { fill: colours.muted, alpha: 0.14, radius: 3 });
  for (let at = Math.max(0, from); at < Math.min(to, 6_000); at += 7) {
    pen.line([at, lane + 9, Math.min(to, at + 8), lane - 9], { stroke: colours.muted, width: 1, alpha: 0.5 });
  }
}

/** An arrow as it was drawn, whose text comes after all arrows. */
interface DrawnArrow {
  readonly letter: Letter;
  readonly ends: readonly [number, number, number, number];
  readonly colour: string;
}

function drawLetter(
  pen: Pen,
  letter: Letter,
  y: ReadonlyMap<string, number>,
  end: number,
  view: View,
  colours: Palette,
): DrawnArrow {
  const { source, target, sent, fate } = letter;
  const colour = isToken(letter) ? colours.token : colours.letter;
  const to = y.get(target)!;
  const from = source === null ? to - 18 : y.get(source)!;
  const until = fate === 'under way' ? end + 0.6 : Math.max(end, sent + 0.6);
  const share = shares[fate];
  const x1 = xOf(sent, view);
  const [tx, ty] = [x1 + (until - sent) * view.scale * share, from + (to - from) * share];
  const style = { stroke: colour, width: isToken(letter) ? 2.5 : 1.5 };
  const isOpen = fate === 'under way' || fate === 'unseen';
  pen.line([x1, from, tx, ty], isOpen ? { ...style, dash: fate === 'unseen' ? [2, 4] : [5, 4] } : style);
  if (fate === 'lost') {
    pen.line([tx - 5, ty - 5, tx + 5, ty + 5], { stroke: colours.violated, width: 2 });
    pen.line([tx - 5, ty + 5, tx + 5, ty - 5], { stroke: colours.violated, width: 2 });
  } else if (view.scale >= 6) {
    arrowHead(pen, x1, from, tx, ty, colour);
  }
  return { letter, ends: [x1, from, tx, ty], colour };
}

/** How much of the way to its target an arrow goes. */
const shares = { received: 1, lost: 0.6, 'under way': 0.75, unseen: 0.75 } as const;

function isToken({ message }: Letter): boolean {
  return /^token$/i.test(message.type);
}

const charWidth = 5.7;

/** The texts of arrows, where on its arrow each covers no other; the token's first. What has no room has no text. */
function drawLabels(
  pen: Pen,
  arrows: readonly DrawnArrow[],
  named: readonly Covered[],
  colours: Palette,
): void {
  const covered = [...named];
  const sorted = arrows.toSorted((one, other) => Number(isToken(other.letter)) - Number(isToken(one.letter)));
  for (const { letter, ends, colour } of sorted) {
    const [x1, y1, x2, y2] = ends;
    const room = Math.hypot(x2 - x1, y2 - y1) - 16;
    const whole = typedText(letter.message);
    // Longer ones would hide the arrow.
    const texts =
      whole.length * charWidth < room * 0.6 ? [whole, letter.message.type] : [letter.message.type];
    const place = texts
      .flatMap((text) => [0.5, 0.35, 0.65, 0.22, 0.78].map((share) => ({ text, share })))
      .map(({ text, share }) => ({ text, x: x1 + (x2 - x1) * share, y: y1 + (y2 - y1) * share }))
      .find(({ text, x, y }) => overlap(around(x, y, text.length * charWidth + 6, 14), covered) === 0);
    if (place === undefined) continue;
    const { text, x, y } = place;
    const wide = text.length * charWidth + 8;
    covered.push(around(x, y, wide, 15));
    pen.rect(x - wide / 2, y - 8, wide, 15, { fill: colours.surface, alpha: 0.9, radius: 4 });
    pen.text(text, x, y + 3.5, { fill: colour, size: 10.5, anchor: 'middle', bold: isToken(letter) });
  }
}

/** What is taken again and again, for ever. */
function drawLoop(pen: Pen, { loop, steps }: Timeline, view: View, colours: Palette): void {
  if (loop === undefined) return;
  const from = xOf(loop, view);
  const to = Math.max(xOf(steps.length, view), from + 10);
  pen.rect(from, top - 8, to - from, view.height - top + 8, { fill: colours.violated, alpha: 0.09 });
  pen.line([from, view.height - 4, from, view.height - 10, to, view.height - 10, to, view.height - 4], {
    stroke: colours.violated,
    width: 1.5,
  });
  const text = loop === steps.length ? 'stays so for ever' : 'goes round for ever';
  pen.text(text, (from + to) / 2, view.height - 14, { fill: colours.violated, size: 10.5, anchor: 'middle' });
}

function arrowHead(pen: Pen, x1: number, y1: number, x2: number, y2: number, fill: string): void {
  const length = Math.hypot(x2 - x1, y2 - y1) || 1;
  const [dx, dy] = [(x2 - x1) / length, (y2 - y1) / length];
  const [bx, by] = [x2 - dx * 9, y2 - dy * 9];
  pen.shape([x2, y2, bx - dy * 4, by + dx * 4, bx + dy * 4, by - dx * 4], { fill });
}

function drawStep(
  pen: Pen,
  moments: Moments,
  at: number,
  y: ReadonlyMap<string, number>,
  view: View,
  colours: Palette,
): void {
  const step = moments.timeline.steps[at - 1]!;
  const lane = y.get(step.site);
  if (lane === undefined) return;
  const x = xOf(at, view);
  drawCopy(pen, moments, at, y, view, colours);
  const size = Math.min(5, Math.max(1.5, view.scale / 5));
  if (step.kind === 'seen' || step.kind === 'unseen') return;
  if (step.kind === 'crash') {
    pen.line([x - 6, lane - 6, x + 6, lane + 6], { stroke: colours.violated, width: 2.5 });
    pen.line([x - 6, lane + 6, x + 6, lane - 6], { stroke: colours.violated, width: 2.5 });
  } else if (step.kind === 'restart') {
    pen.circle(x, lane, size + 1, { fill: colours.surface, stroke: colours.text, width: 2 });
  } else if (step.kind === 'deliver') {
    pen.circle(x, lane, size, { fill: colours.text });
  } else {
    pen.shape([x - size - 1, lane, x, lane - size - 1, x + size + 1, lane, x, lane + size + 1], {
      fill: colours.text,
    });
  }
  if (isNamed(step) && view.scale >= 34) {
    pen.text(stepLabel(step), x, lane - 13, { fill: colours.text, size: 11, anchor: 'middle' });
  }
}

function isNamed({ kind }: TimelineStep): boolean {
  return !['deliver', 'lose', 'seen', 'unseen'].includes(kind);
}

/** What the name of a step covers. */
function nameBox(step: TimelineStep, x: number, y: ReadonlyMap<string, number>): Covered {
  return around(x, (y.get(step.site) ?? 0) - 17, stepLabel(step).length * 6.2, 14);
}

/** An arrow to where a copy of a letter arrived that is still under way. */
function drawCopy(
  pen: Pen,
  { timeline }: Moments,
  at: number,
  y: ReadonlyMap<string, number>,
  view: View,
  colours: Palette,
): void {
  const { letter: index } = timeline.steps[at - 1]!;
  const letter = index === null ? undefined : timeline.letters[index];
  if (letter === undefined || letter.ended === at || letter.source === null) return;
  const [from, to] = [y.get(letter.source)!, y.get(letter.target)!];
  const [x1, x2] = [xOf(letter.sent, view), xOf(at, view)];
  pen.line([x1, from, x2, to], { stroke: colours.letter, width: 1.2 });
  if (view.scale >= 6) arrowHead(pen, x1, from, x2, to, colours.letter);
}

/** A line where a property is violated for the first time, with its name. */
function drawViolations(
  pen: Pen,
  moments: Moments,
  first: number,
  last: number,
  view: View,
  colours: Palette,
): void {
  const named = new Map<number, string[]>();
  for (const [index, { name }] of moments.timeline.properties.entries()) {
    const since = moments.brokenSince(index);
    if (since !== null && since >= first && since <= last)
      named.set(since, [...(named.get(since) ?? []), name]);
  }
  for (const at of named.keys()) {
    const x = xOf(at, view);
    pen.line([x, top - 6, x, view.height], { stroke: colours.violated, width: 1.5, dash: [3, 3] });
  }
}
