import type { Moments } from '../moments.ts';
import type { Letter } from '../timeline.ts';
import { contextOf, isCritical, stepLabel, typedText } from '../values.ts';
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
  for (const [id, lane] of y) {
    pen.line([gutter, lane, Math.min(width, x(moments.last) + 14), lane], {
      stroke: colours.line,
      width: 1.5,
    });
    drawLife(pen, moments, id, lane, first, last, view, colours);
  }
  for (const index of moments.letters(first, last)) {
    const letter = timeline.letters[index]!;
    const until = letter.ended ?? Math.min(moments.last, letter.sent + stub);
    if (letter.sent > last || until < first) continue;
    drawLetter(pen, letter, y, until, view, colours);
  }
  if (scale >= 2) {
    for (let at = Math.max(1, first); at <= last; at++) drawStep(pen, moments, at, y, view, colours);
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
    if (isCritical(timeline, state)) {
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

function drawLetter(
  pen: Pen,
  letter: Letter,
  y: ReadonlyMap<string, number>,
  end: number,
  view: View,
  colours: Palette,
): void {
  const { source, target, message, sent, fate } = letter;
  const isToken = /^token$/i.test(message.type);
  const colour = isToken ? colours.token : colours.letter;
  const to = y.get(target)!;
  const from = source === null ? to - 18 : y.get(source)!;
  const until = fate === 'under way' ? end + 0.6 : end;
  const share = fate === 'received' ? 1 : fate === 'lost' ? 0.6 : 0.75;
  const x1 = xOf(sent, view);
  const [tx, ty] = [x1 + (until - sent) * view.scale * share, from + (to - from) * share];
  const style = { stroke: colour, width: isToken ? 2.5 : 1.5 };
  pen.line([x1, from, tx, ty], fate === 'under way' ? { ...style, dash: [5, 4] } : style);
  if (fate === 'lost') {
    pen.line([tx - 5, ty - 5, tx + 5, ty + 5], { stroke: colours.violated, width: 2 });
    pen.line([tx - 5, ty + 5, tx + 5, ty - 5], { stroke: colours.violated, width: 2 });
  } else if (view.scale >= 6) {
    arrowHead(pen, x1, from, tx, ty, colour);
  }
  if (view.scale >= 40) {
    const room = Math.hypot(tx - x1, ty - from) - 16;
    const whole = typedText(message);
    const text = whole.length * 5.7 < room ? whole : message.type;
    const [mx, my] = [(x1 + tx) / 2, (from + ty) / 2];
    const wide = text.length * 5.7 + 8;
    pen.rect(mx - wide / 2, my - 8, wide, 15, { fill: colours.surface, alpha: 0.9, radius: 4 });
    pen.text(text, mx, my + 3.5, { fill: colour, size: 10.5, anchor: 'middle', bold: isToken });
  }
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
  const isNamed = step.kind !== 'deliver' && step.kind !== 'lose';
  if (isNamed && view.scale >= 34) {
    pen.text(stepLabel(step), x, lane - 13, { fill: colours.text, size: 11, anchor: 'middle' });
  }
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
