import type { Message } from '../../verification/timeline/format.ts';
import { around, type Covered, overlap } from './boxes.ts';
import { bendPast, onCurve, type Place } from './forest-layout.ts';
import { typedText } from './values.ts';

/** All messages on their way from one site to another, as one bent arrow. */
export interface Flight {
  readonly key: string;
  readonly from: Place;
  readonly to: Place;
  /** Distance of the arrow's middle from the straight line. */
  readonly bend: number;
  readonly middle: Place;
  readonly carriesToken: boolean;
  readonly text: string;
  /** The centre of its text. */
  readonly label: Place;
}

/** Width of a character of the texts, at 12 px. */
const charWidth = 6.7;
const longest = 26;
/** Above and below a disc there may be a note. */
const noteHeight = 24;

/**
 * Groups the messages on their way by source and target: several become one arrow with a count. Each text is
 * placed where it covers the least of sites and other texts.
 */
export function flightsOf(
  messages: readonly Message[],
  at: (site: string) => Place,
  sites: readonly Place[],
  radius: number,
): readonly Flight[] {
  const groups = new Map<string, Message[]>();
  for (const message of messages) {
    const key = `${message.source} > ${message.target}`;
    groups.set(key, [...(groups.get(key) ?? []), message]);
  }
  const covered: Covered[] = sites.map(({ x, y }) => around(x, y, 2 * radius, 2 * (radius + noteHeight)));
  return [...groups].map(([key, group]) => {
    const [{ source, target }] = group as [Message, ...Message[]];
    const to = at(target);
    const from = source === null ? { x: to.x - 60, y: to.y - 34 } : at(source);
    const usual = -(22 + 0.14 * Math.hypot(to.x - from.x, to.y - from.y));
    const others = sites.filter((site) => site !== from && site !== to);
    const bend = bendPast(from, to, others, radius, usual);
    const text = textOf(group);
    const label = freest(from, to, bend, text.length * charWidth, covered);
    covered.push(around(label.x, label.y, text.length * charWidth, 15));
    const carriesToken = group.some(({ message }) => /^token$/i.test(message.type));
    return { key, from, to, bend, middle: onCurve(from, to, bend, 0.5), carriesToken, text, label };
  });
}

/** `TOKEN, REQUEST ×3`, with their fields if the text stays short. */
function textOf(messages: readonly Message[]): string {
  const whole = counted(messages.map(({ message }) => typedText(message)));
  return whole.length <= longest ? whole : counted(messages.map(({ message }) => message.type));
}

function counted(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].map(([text, count]) => (count === 1 ? text : `${text} ×${count}`)).join(', ');
}

const shares = [0.5, 0.4, 0.6, 0.3, 0.7, 0.22, 0.78];
const offsets = [-14, 16, -28, 30, -44, 46, -60, 62];

function freest(from: Place, to: Place, bend: number, width: number, covered: readonly Covered[]): Place {
  let best: Place | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const offset of offsets) {
    for (const share of shares) {
      const { x, y } = onCurve(from, to, bend, share);
      const place = { x, y: y + offset };
      const covers = overlap(around(place.x, place.y, width, 15), covered);
      if (covers >= least) continue;
      best = place;
      least = covers;
    }
  }
  return best!;
}
