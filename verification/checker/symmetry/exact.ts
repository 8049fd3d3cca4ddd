import { EDGES, HEADER, MASK, NAMES, PLAIN, SHAPE } from './structure.ts';

/** Comparisons of the structure itself, without hashes. They decide ties. */

/**
 * Appends to `out` the edges of an entry with every ref mapped by `to`. The order of the edges depends on
 * nothing else. Two entries are the same local up to the renaming exactly if they append the same sequence.
 */
export function writeEdges(pool: Int32Array, start: number, to: Int32Array, out: number[]): void {
  const count = pool[start + EDGES]! + pool[start + PLAIN]!;
  const edges: number[] = [];
  let at = start + HEADER + pool[start + NAMES]!;
  for (let edge = 0; edge < count; edge++) {
    let slot = edges.length;
    while (slot > 0 && compareEdges(pool, at, edges[slot - 1]!, to) < 0) slot--;
    edges.splice(slot, 0, at);
    at += 3 + pool[at + 2]!;
  }
  out.push(count);
  for (const edge of edges) {
    const arity = pool[edge + 2]!;
    out.push(pool[edge + 1]!, arity);
    for (let ref = 0; ref < arity; ref++) out.push(to[pool[edge + 3 + ref]!]!);
  }
}

function compareEdges(pool: Int32Array, a: number, b: number, to: Int32Array): number {
  const arity = pool[a + 2]!;
  let order = pool[a + 1]! - pool[b + 1]! || arity - pool[b + 2]!;
  for (let ref = 3; order === 0 && ref < 3 + arity; ref++) order = to[pool[a + ref]!]! - to[pool[b + ref]!]!;
  return order;
}

export function compareSequences(a: readonly number[], b: readonly number[]): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) if (a[at] !== b[at]) return a[at]! - b[at]!;
  return a.length - b.length;
}

/**
 * Tests for twins: two processes are twins if swapping them, with everything else in place, leaves the state
 * unchanged.
 */
export class Twins {
  readonly #identity: Int32Array;
  readonly #swapped: Int32Array;
  #left: number[] = [];
  #right: number[] = [];

  constructor(width: number) {
    this.#identity = Int32Array.from({ length: width }, (_, rank) => rank);
    this.#swapped = this.#identity.slice();
  }

  are(pool: Int32Array, starts: Int32Array, a: number, b: number): boolean {
    const inA = pool[starts[a]! + MASK]!;
    const inB = pool[starts[b]! + MASK]!;
    if (swapBits(inA, a, b) !== inB) return false;
    let both = 0;
    for (let rank = 0; rank < starts.length; rank++) {
      if (rank === a || rank === b) continue;
      const mask = pool[starts[rank]! + MASK]!;
      if (((mask >> a) ^ (mask >> b)) & 1) return false;
      both |= (mask >> a) & 1;
    }
    this.#swapped[a] = b;
    this.#swapped[b] = a;
    const same =
      (this.#sameAtSight(pool, starts[a]!, starts[b]!) || this.#same(pool, starts[a]!, starts[b]!)) &&
      (both === 0 || this.#unchanged(pool, starts, a, b));
    this.#swapped[a] = a;
    this.#swapped[b] = b;
    return same;
  }

  #sameAtSight(pool: Int32Array, a: number, b: number): boolean {
    if (pool[a + SHAPE] !== pool[b + SHAPE]) return false;
    for (let name = HEADER; name < HEADER + pool[a + NAMES]!; name++) {
      if (this.#swapped[pool[a + name]!] !== pool[b + name]) return false;
    }
    return true;
  }

  /** Tells whether entry `a`, with the two processes swapped, equals entry `b`. */
  #same(pool: Int32Array, a: number, b: number): boolean {
    this.#left.length = 0;
    this.#right.length = 0;
    writeEdges(pool, a, this.#swapped, this.#left);
    writeEdges(pool, b, this.#identity, this.#right);
    return compareSequences(this.#left, this.#right) === 0;
  }

  #unchanged(pool: Int32Array, starts: Int32Array, a: number, b: number): boolean {
    for (let rank = 0; rank < starts.length; rank++) {
      if (rank === a || rank === b || !((pool[starts[rank]! + MASK]! >> a) & 1)) continue;
      if (!this.#same(pool, starts[rank]!, starts[rank]!)) return false;
    }
    return true;
  }
}

function swapBits(mask: number, a: number, b: number): number {
  const differ = ((mask >> a) ^ (mask >> b)) & 1;
  return mask ^ (differ << a) ^ (differ << b);
}
