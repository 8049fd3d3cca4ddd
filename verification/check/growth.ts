import type { Compiled } from '../system/index.ts';
import { DOWN } from '../system/locals.ts';

/** A value that kept growing during the exploration. */
export interface Growing {
  /** The id of the actor. */
  readonly actor: string;
  /** `context.n`, `the length of context.log`, `messages on their way`, `the number of armed timers`. */
  readonly value: string;
  /** The maximum of the value in each eighth of the actor's local states, in order of discovery. */
  readonly most: readonly number[];
}

const parts = 8;
/** Minimum number of local states of an actor for a statement about its growth. */
const fewest = 8 * parts;
/** Maximum number of local states that are examined. */
const looked = 20_000;

/**
 * Returns the values that set a new record in each part of the exploration: a search among them may have no end. Returns none for an
 * exploration that was complete. Candidates are numbers of a context, the lengths of its arrays, objects and strings, and the numbers of
 * messages on their way, of armed timers, and of actors below it.
 */
export function growing({ world }: Compiled): readonly Growing[] {
  const { ids, locals, views } = world;
  return ids.flatMap((actor, process) => {
    const count = locals.count(process);
    if (count < fewest) return [];
    const step = Math.max(1, count / looked);
    const most = new Map<string, number[]>();
    for (let at = 0; at < count; at += step) {
      const local = Math.floor(at);
      const part = Math.min(parts - 1, Math.floor((local * parts) / count));
      const note = (value: string, size: number) => {
        const records = most.get(value) ?? new Array<number>(parts).fill(Number.NEGATIVE_INFINITY);
        records[part] = Math.max(records[part]!, size);
        most.set(value, records);
      };
      note('messages on their way', locals.inbox(locals.inboxOf(process, local)).length);
      const { snapshot, timers } = locals.core(locals.coreOf(process, local));
      if (snapshot === DOWN) continue;
      const { context, armed = [], children = {} } = views.snapshot(snapshot);
      note('the number of armed timers', timers.length + armed.length);
      note('the number of actors below it', Object.keys(children).length);
      measure(context, 'context', note);
    }
    return [...most].flatMap(([value, records]) =>
      records.every((record, index) => index === 0 || record > records[index - 1]!)
        ? [{ actor, value, most: records }]
        : [],
    );
  });
}

function measure(value: unknown, path: string, note: (value: string, size: number) => void): void {
  if (typeof value === 'number') note(path, Math.abs(value));
  else if (typeof value === 'string') note(`the length of ${path}`, value.length);
  else if (Array.isArray(value)) note(`the length of ${path}`, value.length);
  else if (typeof value === 'object' && value !== null) {
    note(`the keys of ${path}`, Object.keys(value).length);
    for (const [key, part] of Object.entries(value)) measure(part, `${path}.${key}`, note);
  }
}

/** Describes the growth in one line. */
export function growthText({ actor, value, most }: Growing): string {
  return `${actor}: ${value} grows without an end in sight (${most.join(', ')}): bound it in the machine or its environment, or set a constraint`;
}
