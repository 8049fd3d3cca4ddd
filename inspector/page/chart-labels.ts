import type { ChartTransition } from '../../verification/timeline/format.ts';

/** An event's name, and the transitions that take it where it stands. */
export interface Part {
  readonly text: string;
  readonly transitions: readonly ChartTransition[];
}

/** A line of text; `y`: of its base line, below the top of what it stands in. */
export interface Line {
  readonly parts: readonly Part[];
  readonly y: number;
}

export const lineHeight = 15;
/** Of these texts, at 11.5 px. */
const charWidth = { small: 6.3, large: 7.9 };

/** The names of the events alone, each once, in lines of about so many letters: guards and actions are said elsewhere. */
export function linesOf(
  transitions: readonly ChartTransition[],
  from: number,
  letters: number,
): readonly Line[] {
  const byEvent = new Map<string, ChartTransition[]>();
  for (const transition of transitions) {
    const text = nameOf(transition);
    byEvent.set(text, [...(byEvent.get(text) ?? []), transition]);
  }
  const lines: Part[][] = [];
  let length = letters;
  for (const [text, of] of byEvent) {
    if (length + text.length > letters) {
      lines.push([]);
      length = 0;
    }
    lines.at(-1)!.push({ text, transitions: of });
    length += text.length + 2;
  }
  return lines.map((parts, index) => ({ parts, y: from + index * lineHeight }));
}

export function widthOf(lines: readonly Line[]): number {
  return Math.max(0, ...lines.map(({ parts }) => textWidth(parts.map(({ text }) => text).join(', '))));
}

function textWidth(text: string): number {
  const large = text.match(/[A-Z_]/g)?.length ?? 0;
  return large * charWidth.large + (text.length - large) * charWidth.small;
}

/** `release [someoneWaits] / send, surrenderToken → idle`. */
export function spoken(transition: ChartTransition): string {
  const { guard, actions, targets, source } = transition;
  const target = targets[0];
  return [
    nameOf(transition),
    ...(guard === null ? [] : [`[${guard}]`]),
    ...(actions.length === 0 ? [] : [`/ ${actions.join(', ')}`]),
    ...(target === undefined || target === source ? [] : [`→ ${target.split('.').at(-1)}`]),
  ].join(' ');
}

function nameOf({ event }: ChartTransition): string {
  return event === '' ? 'always' : event.replace(/^xstate\.after\.([^.]+)\..*$/, 'after $1');
}
