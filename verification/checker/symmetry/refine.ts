import { mix } from './hash.ts';
import { EDGES, HEADER, NAMES } from './structure.ts';

/**
 * One round of colour refinement. `heard[rank]` becomes a hash of the edges that leave the process and of those
 * that name it, of the colours at their other ends, and of the position at which the process is named.
 *
 * Hashes are summed, so the order of edges, and with it the names of processes, does not matter.
 */
export function hear(
  pool: Int32Array,
  starts: Int32Array,
  colours: Int32Array,
  heard: Int32Array,
  width: number,
): void {
  for (let rank = 0; rank < width; rank++) heard[rank] = 0;
  for (let rank = 0; rank < width; rank++) {
    const start = starts[rank]!;
    const own = colours[rank]!;
    let at = start + HEADER + pool[start + NAMES]!;
    let sum = 0;
    for (let edge = pool[start + EDGES]!; edge > 0; edge--) {
      let hash = (pool[at]! ^ own) | 0;
      const arity = pool[at + 2]!;
      const ref = pool[at + 3]!;
      hash = (Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) + colours[ref]!) | 0;
      at += 4;
      for (let rest = 1; rest < arity; rest++) {
        hash = (Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) + colours[pool[at++]!]!) | 0;
      }
      hash = Math.imul(hash ^ (hash >>> 15), 0x297a2d39);
      hash ^= hash >>> 15;
      sum = (sum + hash) | 0;
      let said = Math.imul(hash, 0x3d4d51cb);
      heard[ref] = (heard[ref]! + (said ^ (said >>> 16))) | 0;
      for (let back = arity - 1; back > 0; back--) {
        said = Math.imul(said, 0x3d4d51cb);
        const other = pool[at - back]!;
        heard[other] = (heard[other]! + (said ^ (said >>> 16))) | 0;
      }
    }
    heard[rank] = (heard[rank]! + Math.imul(sum, 0x5f356495)) | 0;
  }
}

/** A round in which colours are plain hashes. Two colliding hashes are a tie, and the search breaks it. */
export function recolour(colours: Int32Array, heard: Int32Array, size: number): void {
  for (let rank = 0; rank < size; rank++) {
    colours[rank] = mix((Math.imul(colours[rank]!, 0x1b873593) + heard[rank]!) | 0);
  }
}

/**
 * Sets `places[rank]` to the place of the process among the colours in ascending order. Ties are placed in order
 * of rank. Returns the number of pairs that tie. The code has no branches: colours are compared by their
 * upper 31 bits.
 */
export function place(colours: Int32Array, places: Int32Array, size: number): number {
  for (let rank = 0; rank < size; rank++) places[rank] = 0;
  let ties = 0;
  for (let a = 0; a < size; a++) {
    const colour = colours[a]! >>> 1;
    let after = 0;
    for (let b = a + 1; b < size; b++) {
      const difference = (colours[b]! >>> 1) - colour;
      const less = difference >>> 31;
      after += less;
      places[b] = places[b]! + 1 - less;
      ties += ((difference | -difference) >>> 31) ^ 1;
    }
    places[a] = places[a]! + after;
  }
  return ties;
}

/** Tells whether two processes tie for `place`. */
export function tie(colours: Int32Array, a: number, b: number): boolean {
  return colours[a]! >>> 1 === colours[b]! >>> 1;
}
