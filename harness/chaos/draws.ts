import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { skipN } from 'pure-rand/utils/skipN';

/** Chance that a seed decides: the same seed, the same draws. */
export class Draws {
  readonly #random;

  /** The lowest 32 bits of `seed` count. */
  constructor(seed: number) {
    this.#random = xoroshiro128plus(seed);
    // Seeds that are close to each other begin alike.
    skipN(this.#random, 32);
  }

  /** Both ends included. */
  whole(from: number, to: number): number {
    return uniformInt(this.#random, from, to);
  }

  oneOf<T>(all: readonly T[]): T {
    const index = this.whole(0, all.length - 1);
    return all[index]!;
  }

  /** `count` different ones, in their order. */
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
