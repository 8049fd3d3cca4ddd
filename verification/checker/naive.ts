import { type Model, successors } from './model.ts';

/**
 * The figures of an exploration. `depth` is the number of steps to the farthest state; initial states are at
 * 0. A deadlock is a state that no step changes.
 */
export interface Counts {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  readonly deadlocks: number;
}

/**
 * Breadth-first search in its simplest form, as an independent check of the engine. `visit` is called once
 * per state, in order of depth.
 */
export function exploreNaively(
  model: Model,
  visit?: (state: readonly number[], depth: number) => void,
): Counts {
  const depths = new Map<string, number>();
  const queue: (readonly number[])[] = [];
  const add = (state: readonly number[], depth: number) => {
    if (depths.has(state.join())) return;
    depths.set(state.join(), depth);
    queue.push(state);
    visit?.(state, depth);
  };
  for (const state of model.initial) add(state, 0);
  let [transitions, deadlocks, depth] = [0, 0, 0];
  for (const state of queue) {
    depth = depths.get(state.join())!;
    let moved = false;
    for (const { after } of successors(model, state)) {
      transitions++;
      moved ||= after.some((local, process) => local !== state[process]);
      add(after, depth + 1);
    }
    if (!moved) deadlocks++;
  }
  return { states: queue.length, transitions, depth, deadlocks };
}
