import { type Model, type Symmetry, successors } from '../model.ts';
import { createCanonicalizer } from '../symmetry/index.ts';

/**
 * Breadth-first search over canonical forms in its simplest form. It counts the orbits, the states they stand
 * for, and their steps.
 */
export function exploreOrbits(model: Model, symmetry: Symmetry, visit?: (state: readonly number[]) => void) {
  const canonicalizer = createCanonicalizer(symmetry, model.width);
  const remembered = remember(model);
  const seen = new Set<string>();
  const queue: (readonly number[])[] = [];
  const form = new Int32Array(model.width);
  let [states, transitions] = [0, 0];
  const add = (state: readonly number[]) => {
    form.set(state);
    const size = canonicalizer.canonicalize(form);
    const key = form.join();
    if (seen.has(key)) return;
    seen.add(key);
    const found = [...form];
    queue.push(found);
    states += size;
    visit?.(found);
  };
  for (const state of model.initial) add(state);
  for (const state of queue) {
    for (const { after } of successors(remembered, state)) {
      transitions++;
      add(after);
    }
  }
  return { orbits: queue.length, states, transitions, ...canonicalizer.statistics };
}

/** `model` with its answers remembered, so that each question is asked only once. */
function remember(model: Model): Model {
  const processes = Array.from({ length: model.width });
  const steps = processes.map(() => new Map<number, ReturnType<Model['steps']>>());
  const received = processes.map(() => new Map<string, number>());
  return {
    ...model,
    steps: (process, local) => once(steps[process]!, local, () => model.steps(process, local)),
    receive: (process, local, envelope) =>
      once(received[process]!, `${local} ${envelope}`, () => model.receive(process, local, envelope)),
  };
}

function once<K, V>(answers: Map<K, V>, key: K, ask: () => V): V {
  let answer = answers.get(key);
  if (answer === undefined) {
    answer = ask();
    answers.set(key, answer);
  }
  return answer;
}
