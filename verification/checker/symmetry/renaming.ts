import type { Symmetry } from '../model.ts';
import { HEADER, NAMES, SHAPE, type Structures } from './structure.ts';

const STRIDE = 4;
/**
 * Number of images that fit into the first word of a key, at four bits each. The second word holds the
 * others.
 */
const PER_WORD = 8;

/**
 * `Symmetry.rename`, remembered in an open-addressing table. The key has only the data on which the answer
 * depends: the shape of the local, and the images of its process and of the processes that it names. So the table is
 * as large as the set of answers.
 */
export class Renaming {
  readonly #symmetry: Symmetry;
  readonly #structures: Structures;
  /** Slots of shape + 1 (0: free), two words of images, and the answer. */
  #table = new Int32Array(STRIDE << 12);
  #count = 0;

  constructor(symmetry: Symmetry, structures: Structures) {
    this.#symmetry = symmetry;
    this.#structures = structures;
  }

  /**
   * The local whose entry starts at `start`, after each rank `r` is renamed to `to[r]`. Negative: not known
   * yet.
   */
  apply(rank: number, local: number, start: number, to: Int32Array): number {
    const pool = this.#structures.pool;
    const shape = pool[start + SHAPE]! + 1;
    const names = start + HEADER;
    const count = pool[start + NAMES]!;
    const inFirst = count < PER_WORD ? count : PER_WORD - 1;
    let first = rank < this.#structures.size ? to[rank]! : 0;
    for (let name = 0; name < inFirst; name++) first = (first << 4) | to[pool[names + name]!]!;
    let second = 0;
    for (let name = inFirst; name < count; name++) second = (second << 4) | to[pool[names + name]!]!;
    const table = this.#table;
    const mask = table.length - 1;
    let slot = hashKey(shape, first, second) & mask;
    while (table[slot] !== 0) {
      if (table[slot] === shape && table[slot + 1] === first && table[slot + 2] === second)
        return table[slot + 3]!;
      slot = (slot + STRIDE) & mask;
    }
    const answer = this.#ask(rank, local, to);
    if (answer < 0) return answer;
    table[slot] = shape;
    table[slot + 1] = first;
    table[slot + 2] = second;
    table[slot + 3] = answer;
    this.#count++;
    if (this.#count * STRIDE * 2 > table.length) this.#grow();
    return answer;
  }

  #ask(rank: number, local: number, to: Int32Array): number {
    const { processAt, rankOf } = this.#structures;
    const processes = Array.from(rankOf, (from) => processAt[to[from]!]!);
    return this.#symmetry.rename(processAt[rank]!, local, processes);
  }

  #grow(): void {
    const old = this.#table;
    const table = new Int32Array(2 * old.length);
    const mask = table.length - 1;
    for (let from = 0; from < old.length; from += STRIDE) {
      const shape = old[from]!;
      if (shape === 0) continue;
      const [first, second] = [old[from + 1]!, old[from + 2]!];
      let slot = hashKey(shape, first, second) & mask;
      while (table[slot] !== 0) slot = (slot + STRIDE) & mask;
      table.set(old.subarray(from, from + STRIDE), slot);
    }
    this.#table = table;
  }
}

function hashKey(shape: number, first: number, second: number): number {
  let hash = Math.imul(Math.imul(shape, 0x9e3779b1) ^ first, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15) ^ second, 0xc2b2ae35);
  return (hash ^ (hash >>> 13)) << 2;
}
