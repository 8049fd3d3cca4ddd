/**
 * The counts of naimi-trehel on fifo by number of sites, on which independent explorers agree (protocol.md).
 * A contender with other counts is wrong. The orbits of six sites were counted by trying all 720 permutations
 * of each state. Their sizes add up to the number of states.
 */
export interface Truth {
  readonly states: number;
  readonly transitions: number;
  /** Number of states up to permutation of the sites. `null` where no published count exists. */
  readonly orbits: number | null;
}

export const truth: Readonly<Record<number, Truth>> = {
  2: { states: 14, transitions: 24, orbits: 7 },
  3: { states: 282, transitions: 642, orbits: 49 },
  4: { states: 9_352, transitions: 26_464, orbits: 405 },
  5: { states: 440_120, transitions: 1_478_880, orbits: 3_828 },
  6: { states: 27_195_984, transitions: 104_984_784, orbits: 39_504 },
  7: { states: 2_103_960_656, transitions: 9_102_114_896, orbits: null },
};
