import { type Model, type Symmetry, successors } from '../model.ts';
import { createCanonicalizer } from '../symmetry.ts';

/** Breadth-first over canonical forms in its plainest form: how many orbits, and how many states they stand for. */
export function exploreOrbits(model: Model, symmetry: Symmetry, visit?: (state: Int32Array) => void) {
  const canonicalizer = createCanonicalizer(symmetry, model.width);
  const seen = new Set<string>();
  const queue: Int32Array[] = [];
  let states = 0;
  const add = (state: readonly number[]) => {
    const form = Int32Array.from(state);
    const size = canonicalizer.canonicalize(form);
    if (seen.has(form.join())) return;
    seen.add(form.join());
    queue.push(form);
    states += size;
    visit?.(form);
  };
  for (const state of model.initial) add(state);
  for (const state of queue) for (const { after } of successors(model, [...state])) add(after);
  return { orbits: queue.length, states };
}
