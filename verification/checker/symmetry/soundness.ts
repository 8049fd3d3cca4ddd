import { type Model, type Predicate, type Symmetry, successors } from '../model.ts';
import { createCanonicalizer } from './canonicalizer.ts';
import { SymmetryError } from './errors.ts';

/** A claim that every member of an orbit has the same steps and the same verdicts of the predicates. */
export interface SymmetryClaim {
  readonly model: Model;
  readonly symmetry: Symmetry;
  readonly predicates?: readonly { readonly name: string; readonly predicate: Predicate }[];
  /** Returns uniform numbers in [0, 1), like `Math.random`. A seeded function makes the check repeatable. */
  readonly random: () => number;
}

/**
 * Creates a check by samples: each call renames `state` at random and compares. It can refute a claim of
 * symmetry, not prove it. A machine that orders ids, or a property that names one site, is refuted within a
 * few calls.
 *
 * Throws `SymmetryError` with code
 * - `SYMMETRY_BROKEN_RENAME`: `rename` and `edges` contradict each other.
 * - `SYMMETRY_BROKEN_MODEL`: the renamed state has other steps.
 * - `SYMMETRY_BROKEN_PREDICATE`: a predicate gives another verdict on the renamed state.
 */
export function createSymmetryCheck(claim: SymmetryClaim): (state: readonly number[]) => void {
  const { model, symmetry, predicates = [], random } = claim;
  const { canonicalize } = createCanonicalizer(symmetry, model.width);
  const form = (state: readonly number[]) => {
    const left = Int32Array.from(state);
    canonicalize(left);
    return left.join();
  };
  const formsAfter = (state: readonly number[]) =>
    Array.from(successors(model, state), ({ after }) => form(after)).sort();

  return (state) => {
    const to = shuffle(symmetry.processes, model.width, random);
    const renamed = rename(symmetry, state, to);
    const how = `state ${state.join(' ')}, processes renamed to ${to.join(' ')}`;
    state.forEach((local, process) => {
      const expected = spell(symmetry.edges(process, local), to);
      const actual = spell(symmetry.edges(to[process]!, renamed[to[process]!]!));
      if (expected === actual) return;
      throw new SymmetryError(
        'SYMMETRY_BROKEN_RENAME',
        `Expected the renamed local of process ${process} to have the edges ${expected}, got ${actual} (${how}). Rename every id that \`edges\` lists, and list every id that is renamed.`,
      );
    });
    const [expected, actual] = [formsAfter(state), formsAfter(renamed)];
    if (expected.join('|') !== actual.join('|')) {
      throw new SymmetryError(
        'SYMMETRY_BROKEN_MODEL',
        `Expected the same steps under every renaming, got ${expected.length} and ${actual.length}, which differ (${how}). Compare ids for equality only, never order or sort them; or explore without symmetry.`,
      );
    }
    for (const { name, predicate } of predicates) {
      if (judge(predicate, state) === judge(predicate, renamed)) continue;
      throw new SymmetryError(
        'SYMMETRY_BROKEN_PREDICATE',
        `Expected "${name}" to be the same under every renaming; it is not (${how}). Say it of every or of some site instead of one, or explore without symmetry.`,
      );
    }
  };
}

/** The state after every process `c` is renamed to `to[c]`. */
export function rename(symmetry: Symmetry, state: readonly number[], to: readonly number[]): number[] {
  const after = [...state];
  state.forEach((local, process) => {
    after[to[process]!] = symmetry.rename(process, local, to);
  });
  return after;
}

function judge(predicate: Predicate, state: readonly number[]): boolean {
  if (predicate.kind === 'tuple') {
    return predicate.judge(Int32Array.from(state, (local, process) => predicate.observe(process, local)));
  }
  return predicate.judge(
    state.reduce((sum, local, process) => (sum + predicate.project(process, local)) >>> 0, 0),
  );
}

function spell(edges: ReturnType<Symmetry['edges']>, to?: readonly number[]): string {
  const spelt = edges.map(
    ({ label, refs }) => `${label}(${refs.map((ref) => (to === undefined ? ref : to[ref]!))})`,
  );
  return spelt.sort().join(' ');
}

/** Fisher-Yates shuffle over the scalar set. */
function shuffle(processes: readonly number[], width: number, random: () => number): number[] {
  const order = [...processes];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  const to = Array.from({ length: width }, (_, process) => process);
  processes.forEach((process, index) => {
    to[process] = order[index]!;
  });
  return to;
}
