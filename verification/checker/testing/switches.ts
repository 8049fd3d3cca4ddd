import { type Model, successors } from '../model.ts';

/** Number of steps whose process differs from that of the previous step. */
export function switchesOf(steps: readonly { readonly process: number }[]): number {
  return steps.filter(({ process }, position) => position > 0 && steps[position - 1]!.process !== process)
    .length;
}

/** The depth of a state, and the fewest switches of all its shortest runs. */
interface Least {
  readonly depth: number;
  readonly switches: number;
}

/**
 * Enumerates all shortest runs, level by level, and keeps the fewest switches for each state and last process.
 * States with equal `form` count as one state. `depth` is the last level.
 */
export function leastSwitches(
  model: Model,
  { form = (state) => state.join(), depth: end = Infinity }: { form?: Form; depth?: number } = {},
): ReadonlyMap<string, Least> {
  const found = new Map<string, Least>();
  let level = new Map(model.initial.map((state) => [`${state}|-1`, { state, last: -1, switches: 0 }]));
  for (let depth = 0; depth <= end && level.size > 0; depth++) {
    const next: typeof level = new Map();
    for (const { state, last, switches } of level.values()) {
      const key = form(state);
      const known = found.get(key);
      if (known !== undefined && known.depth < depth) continue;
      found.set(key, { depth, switches: Math.min(switches, known?.switches ?? Infinity) });
      for (const { process, after } of successors(model, state)) {
        const sum = switches + (last === -1 || last === process ? 0 : 1);
        const reached = `${after}|${process}`;
        if (sum < (next.get(reached)?.switches ?? Infinity)) {
          next.set(reached, { state: after, last: process, switches: sum });
        }
      }
    }
    level = next;
  }
  return found;
}

type Form = (state: readonly number[]) => string;
