import { apply, type Model, type Symmetry } from '../model.ts';
import { createCanonicalizer } from './canonicalizer.ts';
import { SymmetryError } from './errors.ts';

/** A real run. Each step is the `step`-th of `model.steps(process, …)` and leads to `state`. */
export interface RealPath {
  readonly initial: readonly number[];
  readonly steps: readonly {
    readonly process: number;
    readonly step: number;
    readonly state: readonly number[];
  }[];
}

/**
 * Finds the run behind a path over orbits. The run starts in a real initial state, and the canonical forms of
 * its states are `forms`. The first form is that of an initial state. Among such runs it is one with the
 * fewest switches between processes, and among those the first by (process, step).
 *
 * Throws `SymmetryError` with code `SYMMETRY_BROKEN_PATH` where no step fits.
 */
export function concretize(model: Model, symmetry: Symmetry, forms: readonly ArrayLike<number>[]): RealPath {
  const canonicalizer = createCanonicalizer(symmetry, model.width);
  const canonical = (state: readonly number[]): string => {
    const form = Int32Array.from(state);
    canonicalizer.canonicalize(form);
    return form.join();
  };
  const texts = forms.map((form) => Array.from(form).join());
  /** The steps from the state `before` into the orbit at `position`. */
  const movesInto = (position: number, before: readonly number[]): Move[] => {
    const moves: Move[] = [];
    for (let process = 0; process < model.width; process++) {
      for (const [step, taken] of model.steps(process, before[process]!).entries()) {
        const state = apply(model, before, process, taken);
        if (state === null || canonical(state) !== texts[position]) continue;
        moves.push({ process, step, state, named: canonicalizer.permutation[process]! });
      }
    }
    return moves;
  };

  // For each form and the process that moved last, as the form names it: the switches still to come. Several
  // renamings may lead to the same form. They differ by a permutation that keeps the form, so the choice does
  // not affect the possible continuations.
  const ahead = [Array.from({ length: model.width }, () => 0)];
  for (let position = forms.length - 1; position > 0; position--) {
    const moves = movesInto(position, Array.from(forms[position - 1]!));
    const after = ahead[0]!;
    ahead.unshift(after.map((_, moved) => Math.min(...moves.map((move) => switches(move, moved, after)))));
  }

  const initial = model.initial.find((state) => canonical(state) === texts[0]);
  if (initial === undefined) throw broken(0, 'no initial state');
  const steps: RealPath['steps'][number][] = [];
  let [state, last] = [initial, -1];
  for (let position = 1; position < forms.length; position++) {
    const [first, ...others] = movesInto(position, state);
    if (first === undefined) throw broken(position, `no step of ${state.join(' ')}`);
    const sum = (move: Move) => switches(move, last, ahead[position]!);
    const { named: _, ...taken } = others.reduce(
      (best, move) => (sum(move) < sum(best) ? move : best),
      first,
    );
    steps.push(taken);
    [state, last] = [taken.state, taken.process];
  }
  return { initial, steps };
}

/** A step of a real run. `named` is its process's name in the form of the state after it. */
type Move = RealPath['steps'][number] & { readonly named: number };

/** The switches from `move` on. `last` is the process that moved before it, or -1. */
function switches({ process, named }: Move, last: number, ahead: readonly number[]): number {
  return ahead[named]! + (last === -1 || last === process ? 0 : 1);
}

function broken(position: number, what: string): SymmetryError {
  return new SymmetryError(
    'SYMMETRY_BROKEN_PATH',
    `Expected a path over orbits of this model; ${what} leads to its form ${position}. Check the model with \`createSymmetryCheck\`.`,
  );
}
