import { apply, type Model, type Symmetry } from '../model.ts';
import { createCanonicalizer } from './canonicalizer.ts';
import { SymmetryError } from './errors.ts';

/** A real run: each step is the `step`-th of `model.steps(cell, …)` and leaves `state`. */
export interface RealPath {
  readonly initial: readonly number[];
  readonly steps: readonly {
    readonly cell: number;
    readonly step: number;
    readonly state: readonly number[];
  }[];
}

/** A run that, after its last step, is again in the state after its first `loop` steps. */
export type RealLasso = RealPath & { readonly loop: number };

/**
 * The run behind a path over orbits: it starts in a real initial state, and its states, in canonical form,
 * are `forms`, of which the first is that of an initial state. Of the steps that fit, it prefers one of the
 * cell that moved last, then one of the least cell.
 *
 * Throws `SymmetryError` with code `SYMMETRY_BROKEN_PATH` where no step fits.
 */
export function unpermute(model: Model, symmetry: Symmetry, forms: readonly ArrayLike<number>[]): RealPath {
  const canonical = canonicalForm(model, symmetry);
  const [first, ...others] = forms.map((form) => Array.from(form).join());
  const initial = model.initial.find((state) => canonical(state) === first);
  if (initial === undefined) throw broken(0, 'no initial state');
  const steps: RealPath['steps'][number][] = [];
  for (const form of others) steps.push(follow(model, canonical, { initial, steps }, form));
  return { initial, steps };
}

/**
 * The lasso behind one over orbits, whose last form has a step back to `forms[loop]`. Once around, names may
 * have moved: the loop goes round until a real state recurs, so it can be longer than it was over orbits.
 */
export function unpermuteLasso(
  model: Model,
  symmetry: Symmetry,
  forms: readonly ArrayLike<number>[],
  loop: number,
): RealLasso {
  const canonical = canonicalForm(model, symmetry);
  const path = unpermute(model, symmetry, forms);
  const steps = [...path.steps];
  const round = [...forms.slice(loop + 1), forms[loop]!].map((form) => Array.from(form).join());
  const entries = new Map([[stateAfter(path, loop).join(), loop]]);
  let at = forms.length - 1 - loop;
  for (;;) {
    for (; at < round.length; at++) {
      steps.push(follow(model, canonical, { initial: path.initial, steps }, round[at]!));
    }
    at = 0;
    const entry = steps.at(-1)!.state.join();
    const before = entries.get(entry);
    if (before !== undefined) return { initial: path.initial, steps, loop: before };
    entries.set(entry, steps.length);
  }
}

function follow(
  model: Model,
  canonical: (state: readonly number[]) => string,
  path: RealPath,
  form: string,
): RealPath['steps'][number] {
  const before = stateAfter(path, path.steps.length);
  const moved = path.steps.at(-1)?.cell;
  const cells = Array.from({ length: model.width }, (_, cell) => cell);
  if (moved !== undefined) cells.unshift(moved);
  for (const cell of cells) {
    for (const [step, taken] of model.steps(cell, before[cell]!).entries()) {
      const state = apply(model, before, cell, taken);
      if (state !== null && canonical(state) === form) return { cell, step, state };
    }
  }
  throw broken(path.steps.length + 1, `no step of ${before.join(' ')}`);
}

function stateAfter({ initial, steps }: RealPath, count: number): readonly number[] {
  return count === 0 ? initial : steps[count - 1]!.state;
}

function canonicalForm(model: Model, symmetry: Symmetry): (state: readonly number[]) => string {
  const { canonicalize } = createCanonicalizer(symmetry, model.width);
  return (state) => {
    const form = Int32Array.from(state);
    canonicalize(form);
    return form.join();
  };
}

function broken(position: number, what: string): SymmetryError {
  return new SymmetryError(
    'SYMMETRY_BROKEN_PATH',
    `Expected a path over orbits of this model; ${what} leads to its form ${position}. Check the model with \`createSymmetryCheck\`.`,
  );
}
