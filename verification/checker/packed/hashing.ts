import { SearchError, type SearchOptions } from './types.ts';

/**
 * How likely it is that two of `states` states have the same hash of `bits` bits, so that a search by hash compaction
 * omits one, and perhaps others that only it leads to: 1 − exp(−n(n − 1) / 2^(b + 1)), for hashes as good as drawn at
 * random (Wolper and Leroy, Reliable hashing without collision detection, 1993; Stern and Dill, Improved
 * probabilistic verification by hash compaction, 1995). All bits count: a key's partition, its place and what is
 * stored there tell the whole hash again. `states` are those found: none is missing unless there was an omission.
 */
export function omissionProbability(states: number, bits: number): number {
  return -Math.expm1((-states * (states - 1)) / 2 ** (bits + 1));
}

/** Throws `SearchError` with code `HASHES_DO_NOT_DO`. */
export function refuseUnfitHashes({ hashCompaction: bits, symmetry }: SearchOptions): void {
  if (bits === undefined) return;
  if (!Number.isInteger(bits) || bits < 8 || bits > 64) {
    throw new SearchError(
      'HASHES_DO_NOT_DO',
      `expected hashes of 8 to 64 bits, but got ${bits}: give a whole number between them`,
    );
  }
  if (symmetry !== undefined) {
    throw new SearchError(
      'HASHES_DO_NOT_DO',
      'orbits are kept as they are: explore with symmetry, or with hash compaction, not with both',
    );
  }
}
