import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { skipN } from 'pure-rand/utils/skipN';

/** Random choices by a seed: the same seed gives the same choices. */
export class Draws {
  readonly #random;

  /** Only the lowest 32 bits of `seed` count. */
  constructor(seed: number) {
    this.#random = xoroshiro128plus(seed);
    // Neighbouring seeds begin alike, so the first numbers are skipped.
    skipN(this.#random, 32);
  }

  /** Returns a whole number between `from` and `to`, both included. */
  whole(from: number, to: number): number {
    return uniformInt(this.#random, from, to);
  }

  oneOf<T>(all: readonly T[]): T {
    const index = this.whole(0, all.length - 1);
    return all[index]!;
  }

  /** Returns `count` different items in their order. */
  some<T>(all: readonly T[], count: number): T[] {
    const left = [...all.keys()];
    const drawn = Array.from({ length: count }, () => left.splice(this.whole(0, left.length - 1), 1)[0]!);
    return drawn.sort((one, other) => one - other).map((index) => all[index]!);
  }

  percent(chance: number): boolean {
    return this.whole(1, 100) <= chance;
  }

  seed(): number {
    return this.whole(0, 0x7fff_ffff);
  }
}
