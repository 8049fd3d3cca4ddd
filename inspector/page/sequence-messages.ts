import type { Message } from '../../verification/timeline/format.ts';
import { around, type Covered, overlap } from './boxes.ts';
import { isFiltering, matches } from './filter.ts';
import type { Pen } from './pen.ts';
import type { Sheet } from './sequence-sheet.ts';
import { typedText } from './values.ts';

/**
 * A message that never arrives is drawn for this many moments. Thousands of them would cover everything
 * later.
 */
const stub = 12;

/** The share of the way to its target that an arrow covers. */
const shares = { received: 1, lost: 0.6, 'under way': 0.75, unseen: 0.75 } as const;

const charWidth = 6;

/** Opacity of steps that the filter excludes. */
export const faint = 0.22;

/** Tells whether the filter includes the step that led to `moment`. */
export function isLookedFor({ moments, view: { filter } }: Sheet, moment: number): boolean {
  return !isFiltering(filter) || (moment > 0 && matches(moments, moment, filter));
}

/** Tells whether the filter includes the sending or the receiving step. */
function isSought(sheet: Sheet, { sent, ended }: Message): boolean {
  return isLookedFor(sheet, sent) || (ended !== null && isLookedFor(sheet, ended));
}

/** A drawn arrow. Its text is drawn after all arrows. */
interface DrawnArrow {
  readonly message: Message;
  readonly ends: readonly [number, number, number, number];
  readonly colour: string;
}

/** Draws the messages that are at least partly in view. */
export function drawMessages(sheet: Sheet): readonly DrawnArrow[] {
  const { moments, first, last } = sheet;
  const arrows: DrawnArrow[] = [];
  for (const index of moments.messages(first, last)) {
    const message = moments.timeline.messages[index]!;
    const until = message.ended ?? Math.min(moments.last, message.sent + stub);
    if (message.sent <= last && until >= first) arrows.push(drawMessage(sheet, message, until));
  }
  return arrows;
}

function drawMessage(sheet: Sheet, message: Message, end: number): DrawnArrow {
  const { pen, colours, lanes } = sheet;
  const { source, target, sent, fate } = message;
  const colour = isToken(message) ? colours.token : colours.message;
  const to = lanes.get(target)!;
  const from = source === null ? to - 18 : lanes.get(source)!;
  const until = fate === 'under way' ? end + 0.6 : Math.max(end, sent + 0.6);
  const share = shares[fate];
  const x1 = sheet.x(sent);
  const x2 = sheet.x(until);
  const [tx, ty] = [x1 + (x2 - x1) * share, from + (to - from) * share];
  const alpha = isSought(sheet, message) ? 1 : faint;
  const style = { stroke: colour, width: isToken(message) ? 2.5 : 1.5, alpha };
  const isOpen = fate === 'under way' || fate === 'unseen';
  pen.line([x1, from, tx, ty], isOpen ? { ...style, dash: fate === 'unseen' ? [2, 4] : [5, 4] } : style);
  if (fate === 'lost') {
    pen.line([tx - 5, ty - 5, tx + 5, ty + 5], { stroke: colours.violated, width: 2 });
    pen.line([tx - 5, ty + 5, tx + 5, ty - 5], { stroke: colours.violated, width: 2 });
  } else if (sheet.spacing >= 6) {
    arrowHead(pen, [x1, from, tx, ty], colour, alpha);
  }
  return { message, ends: [x1, from, tx, ty], colour };
}

/** An arrow to the arrival of a copy of a message that is still on its way. */
export function drawCopy(sheet: Sheet, at: number): void {
  const { pen, colours, lanes } = sheet;
  const { steps, messages } = sheet.moments.timeline;
  const { message: index } = steps[at - 1]!;
  const message = index === null ? undefined : messages[index];
  if (message === undefined || message.ended === at || message.source === null) return;
  const [from, to] = [lanes.get(message.source)!, lanes.get(message.target)!];
  const [x1, x2] = [sheet.x(message.sent), sheet.x(at)];
  pen.line([x1, from, x2, to], { stroke: colours.message, width: 1.2 });
  if (sheet.spacing >= 6) arrowHead(pen, [x1, from, x2, to], colours.message, 1);
}

/**
 * Draws the texts of arrows, each where it covers no other. The token's text comes first. A text without room
 * is left out.
 */
export function drawLabels(
  { pen, colours }: Sheet,
  arrows: readonly DrawnArrow[],
  named: readonly Covered[],
): void {
  const covered = [...named];
  const sorted = arrows.toSorted(
    (one, other) => Number(isToken(other.message)) - Number(isToken(one.message)),
  );
  for (const { message, ends, colour } of sorted) {
    const [x1, y1, x2, y2] = ends;
    const room = Math.hypot(x2 - x1, y2 - y1) - 16;
    const whole = typedText(message.message);
    // A longer text would hide the arrow.
    const texts =
      whole.length * charWidth < room * 0.6 ? [whole, message.message.type] : [message.message.type];
    const place = texts
      .flatMap((text) => [0.5, 0.35, 0.65, 0.22, 0.78].map((share) => ({ text, share })))
      .map(({ text, share }) => ({ text, x: x1 + (x2 - x1) * share, y: y1 + (y2 - y1) * share }))
      .find(({ text, x, y }) => overlap(around(x, y, text.length * charWidth + 6, 14), covered) === 0);
    if (place === undefined) continue;
    const { text, x, y } = place;
    const wide = text.length * charWidth + 8;
    covered.push(around(x, y, wide, 15));
    pen.rect(x - wide / 2, y - 8, wide, 15, { fill: colours.surface, alpha: 0.9, radius: 4 });
    pen.text(text, x, y + 3.5, { fill: colour, size: 11, anchor: 'middle', bold: isToken(message) });
  }
}

function isToken({ message }: Message): boolean {
  return /^token$/i.test(message.type);
}

function arrowHead(pen: Pen, [x1, y1, x2, y2]: DrawnArrow['ends'], fill: string, alpha: number): void {
  const length = Math.hypot(x2 - x1, y2 - y1) || 1;
  const [dx, dy] = [(x2 - x1) / length, (y2 - y1) / length];
  const [bx, by] = [x2 - dx * 9, y2 - dy * 9];
  pen.shape([x2, y2, bx - dy * 4, by + dx * 4, bx + dy * 4, by - dx * 4], { fill, alpha });
}
