import { type Model, successors } from '../checker/model.ts';
import { createSymmetryCheck } from '../checker/symmetry/index.ts';
import { compile } from '../system/index.ts';
import type { System } from '../system/system.ts';
import { questions } from './questions.ts';
import { seeded } from './seeded.ts';

const walks = 20;
const stepsEach = 50;

/**
 * Refuses a property or a constraint that singles out one of several interchangeable actors. It takes a sample: some
 * states on random walks, each under one random renaming. Throws `SymmetryError`.
 */
export function refuseUnlike(system: System): void {
  // Its own: states far away would otherwise have numbers before the exploration comes to them.
  const { model, symmetry, predicates, constraint } = questions(compile(system), {
    exact: true,
    symmetry: true,
  });
  const random = seeded(1);
  const check = createSymmetryCheck({
    model,
    symmetry: symmetry!,
    predicates:
      constraint === undefined
        ? predicates
        : [...predicates, { name: 'the constraint', predicate: constraint }],
    random,
  });
  const seen = new Set<string>();
  for (let walk = 0; walk < walks; walk++) {
    for (const state of randomWalk(model, random)) {
      if (seen.has(state.join())) continue;
      seen.add(state.join());
      check(state);
    }
  }
}

function* randomWalk(model: Model, random: () => number): Generator<readonly number[]> {
  let state = model.initial[0]!;
  for (let step = 0; step < stepsEach; step++) {
    yield state;
    const next = [...successors(model, state)];
    if (next.length === 0) return;
    state = next[Math.floor(random() * next.length)]!.after;
  }
}
