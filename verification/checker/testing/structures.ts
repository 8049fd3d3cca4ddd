import fc from 'fast-check';
import type { Symmetry } from '../model.ts';
import { rename } from '../symmetry/soundness.ts';

/** The structure of a local: labelled tuples of processes, in any order. */
export type Structure = readonly { readonly label: number; readonly refs: readonly number[] }[];

/** Interns locals that consist only of their structure: a symmetry without a model. */
export function createStructural(processes: readonly number[], width: number) {
  const numbers = Array.from({ length: width }, () => new Map<string, number>());
  const values: Structure[][] = numbers.map(() => []);
  function intern(process: number, structure: Structure): number {
    const sorted = [...structure].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    const key = JSON.stringify(sorted);
    const known = numbers[process]!.get(key);
    if (known !== undefined) return known;
    numbers[process]!.set(key, values[process]!.length);
    values[process]!.push(sorted);
    return values[process]!.length - 1;
  }
  const symmetry: Symmetry = {
    processes,
    edges: (process, local) => values[process]![local]!,
    rename: (process, local, to) =>
      intern(
        to[process]!,
        values[process]![local]!.map(({ label, refs }) => ({ label, refs: refs.map((ref) => to[ref]!) })),
      ),
  };
  return {
    symmetry,
    state: (structures: readonly Structure[]) =>
      Int32Array.from(structures, (structure, process) => intern(process, structure)),
  };
}

/** The state after every process `c` is renamed to `to[c]`. */
export function permute(symmetry: Symmetry, state: Int32Array, to: readonly number[]): Int32Array {
  return Int32Array.from(rename(symmetry, [...state], to));
}

/** Every renaming of `width` processes that permutes `processes` and keeps the others. */
export function renamings(processes: readonly number[], width: number): number[][] {
  const orders = (rest: readonly number[]): number[][] =>
    rest.length === 0
      ? [[]]
      : rest.flatMap((first) =>
          orders(rest.filter((process) => process !== first)).map((tail) => [first, ...tail]),
        );
  return orders(processes).map((order) => {
    const to = Array.from({ length: width }, (_, process) => process);
    processes.forEach((process, index) => {
      to[process] = order[index]!;
    });
    return to;
  });
}

/** Few labels and short tuples, so that ties of every kind are common. */
export const scenario = fc
  .record({ scalar: fc.integer({ min: 1, max: 5 }), fixed: fc.integer({ min: 0, max: 1 }) })
  .chain(({ scalar, fixed }) => {
    const width = scalar + fixed;
    const processes = Array.from({ length: scalar }, (_, index) => index + fixed);
    const edge = fc.record({
      label: fc.integer({ min: 0, max: 1 }),
      refs: fc.array(fc.constantFrom(...processes), { maxLength: 2 }),
    });
    const structures = fc.array(fc.array(edge, { maxLength: 2 }), { minLength: width, maxLength: width });
    return fc.record({
      width: fc.constant(width),
      processes: fc.constant(processes),
      structures,
      other: structures,
    });
  });
