import type { StateLayout } from '../state-layout.ts';

/** The functions that the kernel calls in its host. */
export interface KernelImports {
  /** Gives `area[which]` a fresh chunk. */
  more(which: number): void;
  /** Makes room in a partition. */
  grow(partition: number): void;
  /** Stores the gathered candidates of a partition in its file. */
  spill(partition: number): void;
  /**
   * Judges the sums in `area.sums`. Bit 0: no sum is of interest, now or later. Bit 1: outside the
   * constraint.
   */
  judgeSums(): number;
  /**
   * Judges `count` of the tuples in `area.observed`. Their states are at `area.missing`, and the verdicts go
   * to `area.quiet`.
   */
  judgeTuples(count: number): void;
  /** Tells whether the values in `area.shown` are within the constraint. */
  inside(): number;
  /**
   * Reports that `area.locals` has no enabled step to another state. `area.shown` has the values that the
   * quiescence predicates observe in it.
   */
  deadlock(): void;
  /** Rewrites `area.after` to its canonical form. 0: not yet possible. */
  canonicalize(): number;
  /** Counts the orbit of `area.locals`. 0: not yet possible. */
  orbit(): number;
}

/** The functions that the kernel exports. Addresses are in bytes. */
export interface Kernel {
  /** Gathers every successor of the states in `[from, to)`. */
  expand(from: number, to: number): void;
  /** Gathers the states in `[from, to)` themselves. */
  add(from: number, to: number): void;
  /** Inserts the gathered candidates of a partition. New states go to `area.out`. */
  flush(partition: number): void;
  insert(partition: number): void;
  /** Judges the tuples that a bucket has gathered. */
  judge(bucket: number): void;
  /** Gives a partition another capacity. 0: some key would lie too far from home. `first`: take the copy. */
  rebuild(partition: number, before: number, after: number, first: number): number;
  /** Writes the states of slots `[from, to)` of a partition to `out`, and returns the end of the output. */
  dump(partition: number, capacity: number, from: number, to: number, out: number): number;
  /** Converts states to locals, `4 · width` bytes each, and back. */
  unpack(from: number, to: number, out: number): void;
  pack(from: number, to: number, out: number): void;
}

/** The parameters of the code beside the layout. */
export interface KernelShape {
  readonly plan: StateLayout;
  readonly worker: number;
  readonly shared: boolean;
  /** The addresses of each process's records, and of the values that tuple predicates observe in its classes. */
  readonly records: readonly number[];
  readonly classes: readonly number[];
  readonly tuples: number;
  /** The constraint is a tuple predicate. */
  readonly constrained: boolean;
  /** Number of quiescence predicates. */
  readonly quiescent: number;
  /** States are rewritten to their canonical forms. */
  readonly symmetric: boolean;
  /**
   * Partitions lie in files, and one at a time is in memory: `flush` passes the gathered candidates to
   * `spill`, and `insert` inserts them into the partition in memory.
   */
  readonly spill?: boolean;
  /** `expand` inserts nothing. It copies to `area.out` the states with a successor that `add` has marked. */
  readonly match?: boolean;
  /** `expand` takes no steps. It only predicates the states. */
  readonly predicatesOnly?: boolean;
}

/**
 * The record of a local: the address of its steps (0: not asked, 1: asked), their number, its class, its
 * weights, and the values that the constraint and the quiescence predicates observe in it.
 */
export const record = { steps: 0, count: 4, class: 8, weights: 16 } as const;
export const shownAt = (sums: number): number => 16 + 16 * Math.ceil(sums / 4);
export const recordBytes = (sums: number, shown: number): number => shownAt(sums) + 16 * Math.ceil(shown / 4);

/**
 * A step: the change of the own local, the address of the receptions (0: sends nothing, 1: a list), and the
 * receiving process.
 */
export const stepBytes = 16;
export const step = { change: 0, receptions: 4, offset: 8, process: 12, list: 8 } as const;

/** The values in `receptions`, beside a local plus `reception.first`. */
export const reception = { unknown: 0, asked: 1, blocked: 2, first: 3 } as const;

/** Tuples gather in buckets by their hash. The memo is searched for one bucket at a time. */
export const buckets = 64;
const mostBytesShown = 0x8_0000;
/** Number of tuples that a bucket gathers. */
export const perBucket = (tuples: number, width: number): number =>
  Math.min(256, Math.floor(mostBytesShown / (4 * Math.max(1, tuples) * width)));
