import type { Symmetry } from '../model.ts';
import { Twins } from './exact.ts';
import { hashLabel } from './hash.ts';
import { hear, place, recolour, tie } from './refine.ts';
import { Renaming } from './renaming.ts';
import { Search } from './search.ts';
import { COLOUR, Structures } from './structure.ts';

export interface Canonicalizer {
  /**
   * Rewrites `state` to the canonical form of its orbit and returns the number of states in the orbit.
   *
   * A `rename` that has to ask elsewhere may return a negative number for now. Then `state` stays unchanged
   * and the result is 0. All missing renamings have been requested then, so one round of answers is
   * enough.
   */
  canonicalize(state: Int32Array): number;
  /** The renaming of the last call: the given state, renamed by `to[process]`, is the canonical form. */
  readonly permutation: Int32Array;
  /** Figures since creation: calls, calls that needed a search tree, and the nodes of those trees. */
  readonly statistics: { readonly calls: number; readonly searches: number; readonly nodes: number };
}

/** Rounds of refinement before a search tree is built. Almost all states need only one. */
const ROUNDS = 2;

/**
 * Creates canonical forms of states under permutation of the processes of the scalar set. Two forms are equal
 * exactly if the states are in one orbit.
 *
 * Processes are coloured first by their data that does not depend on ids, then by the processes that they name and
 * that name them. The remaining ties are twins, or are broken by a search tree. The form depends only on the
 * structure of the state and on the numbers that `symmetry` gives to labels. It does not depend on the
 * numbers of locals or on earlier states. Canonicalizers agree wherever labels are numbered alike.
 *
 * Throws `SymmetryError` with code `SYMMETRY_TOO_LARGE` (more than 15 processes), `SYMMETRY_PROCESSES`,
 * `SYMMETRY_REF`.
 */
export function createCanonicalizer(symmetry: Symmetry, width: number): Canonicalizer {
  const structures = new Structures(symmetry, width);
  const renaming = new Renaming(symmetry, structures);
  const twins = new Twins(width);
  const { size, processAt } = structures;
  const search = new Search(size, width);
  const factorial = factorials(size);
  const locals = new Int32Array(width);
  const starts = new Int32Array(width);
  const colours = new Int32Array(width);
  const heard = new Int32Array(width);
  const classes = new Int32Array(size);
  const to = Int32Array.from({ length: width }, (_, rank) => rank);
  const permutation = new Int32Array(width);
  const statistics = { calls: 0, searches: 0, nodes: 0 };
  for (let rank = size; rank < width; rank++) colours[rank] = hashLabel(1, rank);

  /** The number of permutations that keep the state if all its ties are twins, else 0. */
  function countTwins(): number {
    const { pool } = structures;
    let automorphisms = 1;
    for (let rank = 1; rank < size; rank++) {
      let tied = 1;
      let first = -1;
      for (let other = 0; other < rank; other++) {
        if (!tie(colours, other, rank)) continue;
        tied++;
        if (first < 0) first = other;
      }
      if (first >= 0 && !twins.are(pool, starts, first, rank)) return 0;
      automorphisms *= tied;
    }
    return automorphisms;
  }

  function searchTree(): number {
    for (let rank = 0; rank < size; rank++) {
      let before = 0;
      for (let other = 0; other < size; other++) {
        if (!tie(colours, other, rank) && to[other]! < to[rank]!) before++;
      }
      classes[rank] = before;
    }
    statistics.searches++;
    const automorphisms = search.run(structures.pool, starts, colours, classes, to);
    statistics.nodes = search.nodes;
    return automorphisms;
  }

  function canonicalize(state: Int32Array): number {
    statistics.calls++;
    for (let rank = 0; rank < width; rank++) {
      const local = state[processAt[rank]!]!;
      locals[rank] = local;
      starts[rank] = structures.start(rank, local);
    }
    const { pool } = structures;
    for (let rank = 0; rank < size; rank++) colours[rank] = pool[starts[rank]! + COLOUR]!;
    let automorphisms = 0;
    for (let round = 0; round < ROUNDS && automorphisms === 0; round++) {
      hear(pool, starts, colours, heard, width);
      recolour(colours, heard, size);
      automorphisms = place(colours, to, size) === 0 ? 1 : countTwins();
    }
    if (automorphisms === 0) automorphisms = searchTree();
    let known = true;
    for (let rank = 0; rank < width; rank++) {
      const image = renaming.apply(rank, locals[rank]!, starts[rank]!, to);
      if (image < 0) known = false;
      state[processAt[to[rank]!]!] = image;
      permutation[processAt[rank]!] = processAt[to[rank]!]!;
    }
    if (known) return factorial / automorphisms;
    for (let rank = 0; rank < width; rank++) state[processAt[rank]!] = locals[rank]!;
    return 0;
  }

  return { canonicalize, permutation, statistics };
}

function factorials(n: number): number {
  return n < 2 ? 1 : n * factorials(n - 1);
}
