import type { TimelineStep } from '../../verification/timeline/format.ts';
import type { TimeAxis } from './axis.ts';
import { around, type Covered } from './boxes.ts';
import { Density } from './density.ts';
import { isFiltering } from './filter.ts';
import type { Moments } from './moments.ts';
import type { Pen } from './pen.ts';
import { type Segment, segmentsOf } from './pins.ts';
import { drawCopy, drawLabels, drawMessages, faint, isLookedFor } from './sequence-messages.ts';
import { margin, type Palette, Sheet, type View } from './sequence-sheet.ts';
import { clockText } from './time.ts';
import { contextOf, isCritical, stepLabel } from './values.ts';

/** One line per site, time to the right. Only the part within the view is processed. `moment`: where the cursor is drawn. */
export function drawSequence(
  pen: Pen,
  moments: Moments,
  moment: number | null,
  view: View,
  colours: Palette,
): void {
  const { width, height, top, gutter } = view;
  const sheet = new Sheet(pen, moments, view, colours);
  const { first, last, lanes } = sheet;

  const marks = gridOf(sheet);
  for (const { x } of marks) {
    pen.line([x, margin.top - 4, x, height], { stroke: colours.line, width: 1, alpha: 0.45 });
  }
  drawLoop(sheet);
  for (const lane of lanes.values()) {
    pen.line([gutter, lane, Math.min(width, sheet.x(moments.last) + 14), lane], {
      stroke: colours.line,
      width: 1.5,
    });
  }
  if (sheet.spacing < leastSpacing) drawBands(sheet);
  else {
    for (const [id, lane] of lanes) drawLife(sheet, id, lane);
    const arrows = drawMessages(sheet);
    for (let at = Math.max(1, first); at <= last; at++) drawStep(sheet, at);
    if (sheet.spacing >= 40) {
      const steps = moments.timeline.steps.slice(Math.max(0, first - 1), last);
      const named = steps.flatMap((step, index) =>
        isNamed(step) ? [nameBox(step, sheet.x(Math.max(1, first) + index), lanes)] : [],
      );
      drawLabels(sheet, arrows, named);
    }
  }
  drawPins(sheet);
  drawViolations(sheet);
  drawDifference(sheet);
  pen.rect(0, 0, gutter - 10, height, { fill: colours.surface });
  for (const [id, lane] of lanes) {
    pen.text(id, gutter - 18, lane + 4.5, { fill: colours.text, size: 13, anchor: 'end', bold: true });
  }
  for (const [index, { text }] of view.pins.entries()) {
    pen.text(text, gutter - 18, sheet.pinLanes[index]! + 4, { fill: colours.muted, size: 11, anchor: 'end' });
  }
  if (top > 0) pen.rect(0, top, width, margin.top - 4, { fill: colours.surface });
  for (const { x, text } of marks) {
    pen.text(text, x, top + 12, { fill: colours.muted, size: 11, anchor: 'middle' });
  }
  if (moment !== null) {
    const x = sheet.x(moment);
    pen.line([x, 14, x, height], { stroke: colours.accent, width: 2, alpha: 0.9 });
    const number = moments.numberOf(moment);
    const width = badgeWidth(number);
    pen.rect(x - width / 2, 0, width, 17, { fill: colours.accent, radius: 5 });
    pen.text(String(number), x, 12, { fill: colours.surface, size: 11, anchor: 'middle', bold: true });
  }
}

/** Width of the number at the head of the cursor. */
export function badgeWidth(moment: number): number {
  return String(moment).length * 7.5 + 10;
}

/** With fewer pixels per step than this, bands are drawn instead of arrows. */
const leastSpacing = 4;
/** Pixels of a band that are drawn as one. */
const bandPx = 2;

/** For each site: the share of time in its critical section, and the number of steps it takes; those that the filter includes stand out. */
function drawBands(sheet: Sheet): void {
  const { pen, moments, view, colours, lanes } = sheet;
  const { axis, from, scale, gutter, width } = view;
  const density = Density.of(moments);
  const isSought = isFiltering(view.filter);
  const sought = Density.of(moments, view.filter);
  const columns: { x: number; begin: number; end: number }[] = [];
  for (let x = gutter; x < width; x += bandPx) {
    const begin = axis.momentAt(from + (x - gutter) / scale);
    const end = axis.momentAt(from + (x + bandPx - gutter) / scale);
    if (end > begin) columns.push({ x, begin, end });
    if (end >= moments.last) break;
  }
  const half = Math.min(16, ((view.height - margin.top - margin.bottom) / lanes.size) * 0.36);
  for (const [id, lane] of lanes) {
    const counts = columns.map(({ begin, end }) => density.in(id, begin + 1, end + 1));
    const most = Math.max(1, ...counts.map(({ steps }) => steps));
    for (const [index, { x, begin, end }] of columns.entries()) {
      const { steps, inside, unseen } = counts[index]!;
      const share = inside / (end - begin);
      if (share > 0) {
        pen.rect(x, lane - half * share, bandPx, half * share, { fill: colours.inside, alpha: 0.75 });
      }
      if (steps > 0) {
        const high = (half * steps) / most;
        pen.rect(x, lane + 1, bandPx, high, { fill: colours.message, alpha: isSought ? faint : 0.65 });
        const found = isSought ? sought.in(id, begin + 1, end + 1).steps : 0;
        if (found > 0)
          pen.rect(x, lane + 1, bandPx, Math.max(2, (half * found) / most), { fill: colours.accent });
      }
      if (unseen > 0) pen.rect(x, lane - 1.5, bandPx, 3, { fill: colours.muted, alpha: 0.5 });
    }
  }
}

/** The value of each pinned expression, from one change to the next. */
function drawPins(sheet: Sheet): void {
  const { pen, moments, view, colours, pinLanes, first, last } = sheet;
  for (const [index, pin] of view.pins.entries()) {
    const lane = pinLanes[index]!;
    const segments = segmentsOf(moments, pin);
    let drawnTo = Number.NEGATIVE_INFINITY;
    for (let at = firstOf(segments, first); at < segments.length && segments[at]!.from <= last; at++) {
      const { from, value } = segments[at]!;
      const left = Math.max(view.gutter, sheet.x(from));
      const right = sheet.x(segments[at + 1]?.from ?? moments.last) + (at + 1 < segments.length ? 0 : 14);
      // Within one pixel, only one is drawn.
      if (right < drawnTo + 1) continue;
      drawnTo = right;
      const isOdd = at % 2 === 1;
      pen.rect(left, lane - 9, Math.max(1, right - left - 1), 18, {
        fill: isOdd ? colours.accent : colours.muted,
        alpha: isOdd ? 0.28 : 0.16,
        radius: 3,
      });
      if (value.length * 6.4 + 8 < right - left) {
        pen.text(value, left + 5, lane + 4, { fill: colours.text, size: 11 });
      }
    }
  }
}

/** The index of the segment that covers `moment`. */
function firstOf(segments: readonly Segment[], moment: number): number {
  let low = 0;
  let high = segments.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (segments[middle]!.from <= moment) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The moments or times in view that are written above the lines, each with its place. */
function gridOf(sheet: Sheet): readonly { readonly x: number; readonly text: string }[] {
  const { view, first, last } = sheet;
  const { axis, gutter } = view;
  const marks: { x: number; text: string }[] = [];
  if (axis.kind === 'time') {
    const every = 110 / view.scale;
    const end = axis.at(last);
    for (let place = Math.ceil(Math.max(0, view.from) / every) * every; place <= end; place += every) {
      const x = gutter + (place - view.from) * view.scale;
      marks.push({ x, text: clockText((axis as TimeAxis).timeAt(place)) });
    }
    return marks;
  }
  const every =
    [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000].find((step) => step * view.scale >= 44) ??
    10_000 * Math.ceil(44 / view.scale / 10_000);
  const numberOf = (at: number) => sheet.moments.numberOf(at);
  for (let number = Math.ceil(numberOf(first) / every) * every; number <= numberOf(last); number += every)
    marks.push({ x: sheet.x(number - numberOf(0)), text: String(number) });
  return marks.filter(({ x }) => x > gutter - 10);
}

/** Critical sections as bars, times when the site is down as gaps, and epochs by their number. */
function drawLife(sheet: Sheet, id: string, lane: number): void {
  const { pen, moments, colours, first, last } = sheet;
  const history = moments.siteHistory(id);
  let end = moments.last + 14 / sheet.spacing;
  for (let index = history.indexAt(last); index >= 0; index--) {
    const begun = history.moments[index]!;
    const state = history.values[index]!;
    const [from, to] = [sheet.x(begun), sheet.x(end)];
    if (isCritical(moments.timeline, state) && !state.unseen) {
      pen.rect(from, lane - 8, Math.max(1, to - from), 16, { fill: colours.inside, alpha: 0.38, radius: 0 });
    }
    if (!state.up) {
      pen.line([from, lane, to, lane], { stroke: colours.surface, width: 3 });
      pen.line([from, lane, to, lane], { stroke: colours.muted, width: 1.5, dash: [2, 5] });
    }
    if (state.unseen) drawUnseen(sheet, from, Math.max(from + 4, to), lane);
    const before = history.values[index - 1];
    const epoch = contextOf(state)['epoch'];
    if (
      before !== undefined &&
      typeof epoch === 'number' &&
      before.up &&
      contextOf(before)['epoch'] !== epoch &&
      sheet.spacing >= 8
    ) {
      pen.line([from, lane - 13, from, lane + 13], { stroke: colours.muted, width: 1.5 });
      pen.text(`epoch ${epoch}`, from + 4, lane + 21, { fill: colours.muted, size: 11 });
    }
    end = begun;
    if (begun < first) break;
  }
}

/** The steps of the site in this interval are not known. */
function drawUnseen({ pen, colours }: Sheet, from: number, to: number, lane: number): void {
  pen.rect(from, lane - 9, to - from, 18, { fill: colours.surface });
  pen.rect(from, lane - 9, to - from, 18, { fill: colours.muted, alpha: 0.14, radius: 3 });
  for (let at = Math.max(0, from); at < Math.min(to, 6_000); at += 7) {
    pen.line([at, lane + 9, Math.min(to, at + 8), lane - 9], { stroke: colours.muted, width: 1, alpha: 0.5 });
  }
}

function loopText({ timeline: { loop, steps } }: Moments): string {
  return loop === steps.length ? 'stays so for ever' : 'goes round for ever';
}

/** The width up to the end of the run, with the arrows that are still under way and the name of its loop. */
export function pictureWidth(moments: Moments, { from, scale, gutter, axis }: View): number {
  const end = gutter + (axis.at(moments.last) - from) * scale;
  const loop = moments.timeline.loop === undefined ? 0 : loopText(moments).length * 6.6 + 24;
  return Math.max(320, end + Math.max(30, 0.7 * scale + 10, loop));
}

/** The steps that are repeated for ever. */
function drawLoop(sheet: Sheet): void {
  const { pen, view, colours } = sheet;
  const { loop, steps } = sheet.moments.timeline;
  if (loop === undefined) return;
  const from = sheet.x(loop);
  const to = Math.max(sheet.x(steps.length), from + 10);
  const top = margin.top - 8;
  pen.rect(from, top, to - from, view.height - top, { fill: colours.violated, alpha: 0.09 });
  pen.line([from, view.height - 4, from, view.height - 10, to, view.height - 10, to, view.height - 4], {
    stroke: colours.violated,
    width: 1.5,
  });
  const text = loopText(sheet.moments);
  // Beside the end, where the cursor mostly is.
  const isRoom = to + 8 + text.length * 6.2 < view.width;
  pen.text(text, isRoom ? to + 8 : from - 8, view.height - 6, {
    fill: colours.violated,
    size: 11,
    anchor: isRoom ? 'start' : 'end',
  });
}

function drawStep(sheet: Sheet, at: number): void {
  const { pen, colours } = sheet;
  const step = sheet.moments.timeline.steps[at - 1]!;
  const lane = sheet.lanes.get(step.site);
  if (lane === undefined) return;
  const x = sheet.x(at);
  drawCopy(sheet, at);
  const alpha = isLookedFor(sheet, at) ? 1 : faint;
  const size = Math.min(5, Math.max(1.5, sheet.spacing / 5));
  if (step.kind === 'seen' || step.kind === 'unseen') return;
  if (step.kind === 'crash' || step.kind === 'gone') {
    const stroke = step.kind === 'crash' ? colours.violated : colours.muted;
    pen.line([x - 6, lane - 6, x + 6, lane + 6], { stroke, width: 2.5 });
    pen.line([x - 6, lane + 6, x + 6, lane - 6], { stroke, width: 2.5 });
  } else if (step.kind === 'restart' || step.kind === 'start') {
    pen.circle(x, lane, size + 1, { fill: colours.surface, stroke: colours.text, width: 2 });
  } else if (step.kind === 'deliver') {
    pen.circle(x, lane, size, { fill: colours.text, alpha });
  } else {
    pen.shape([x - size - 1, lane, x, lane - size - 1, x + size + 1, lane, x, lane + size + 1], {
      fill: colours.text,
      alpha,
    });
  }
  if (isNamed(step) && sheet.spacing >= 34) {
    pen.text(stepLabel(step), x, lane - 13, { fill: colours.text, size: 11, anchor: 'middle', alpha });
  }
}

function isNamed({ kind }: TimelineStep): boolean {
  return !['deliver', 'lose', 'seen', 'unseen', 'gone'].includes(kind);
}

/** The rectangle that the name of a step covers. */
function nameBox(step: TimelineStep, x: number, lanes: ReadonlyMap<string, number>): Covered {
  return around(x, (lanes.get(step.site) ?? 0) - 17, stepLabel(step).length * 6.2, 14);
}

/** A line where a property is violated for the first time. */
function drawViolations(sheet: Sheet): void {
  const { pen, moments, view, colours, first, last } = sheet;
  const since = new Set(moments.timeline.properties.map((_, index) => moments.brokenSince(index)));
  for (const at of since) {
    if (at === null || at < first || at > last) continue;
    const x = sheet.x(at);
    pen.line([x, margin.top - 6, x, view.height], { stroke: colours.violated, width: 1.5, dash: [3, 3] });
  }
}

/** A line where the run beside this one differs for the first time. */
function drawDifference(sheet: Sheet): void {
  const { pen, view, colours, first, last } = sheet;
  const { differsAt } = view;
  if (differsAt === null || differsAt < first || differsAt > last + 1) return;
  const x = sheet.x(differsAt);
  pen.line([x, margin.top - 6, x, view.height], { stroke: colours.token, width: 3 });
  if (sheet.spacing >= 8)
    pen.text('first difference', x + 6, view.height - 6, { fill: colours.text, size: 11, bold: true });
}
