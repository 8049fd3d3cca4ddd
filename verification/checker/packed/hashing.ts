import { SearchError, type SearchOptions } from './types.ts';

/**
 * Probability that two of `states` states have the same hash of `bits` bits. Then a search by hash compaction
 * omits one of them, and perhaps others that only it leads to. The formula is 1 − exp(−n(n − 1) / 2^(b + 1)),
 * for hashes that behave like random ones (Wolper and Leroy, Reliable hashing without collision detection,
 * 1993; Stern and Dill, Improved probabilistic verification by hash compaction, 1995). All bits count: a
 * key's partition, its place and its stored bits together determine the whole hash. `states` is the number of
 * found states. None is missing from it unless there was an omission.
 */
export function omissionProbability(states: number, bits: number): number {
  return -Math.expm1((-states * (states - 1)) / 2 ** (bits + 1));
}

/**
 * Rejects hash compaction that is out of range or combined with symmetry. Throws `SearchError` with code
 * `HASHING_UNSUPPORTED`.
 */
export function refuseUnfitHashes({ hashCompaction: bits, symmetry }: SearchOptions): void {
  if (bits === undefined) return;
  if (!Number.isInteger(bits) || bits < 8 || bits > 64) {
    throw new SearchError(
      'HASHING_UNSUPPORTED',
      `expected hashes of 8 to 64 bits, but got ${bits}: choose a whole number in this range`,
    );
  }
  if (symmetry !== undefined) {
    throw new SearchError(
      'HASHING_UNSUPPORTED',
      'symmetry and hash compaction cannot be combined: choose one of them',
    );
  }
}
