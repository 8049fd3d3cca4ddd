import type { StateLayout } from '../state-layout.ts';

/** What the kernel asks of whoever runs it. */
export interface KernelImports {
  /** Give `area[which]` a fresh chunk. */
  more(which: number): void;
  /** Make room in a partition. */
  grow(partition: number): void;
  /** Put away what is gathered for a partition. */
  spill(partition: number): void;
  /** Judge what is in `area.sums`: bit 0: nothing to say, ever; bit 1: outside the constraint. */
  judgeSums(): number;
  /** Judge so many of the tuples in `area.observed`; their states are at `area.missing`, verdicts go to `area.quiet`. */
  judgeTuples(count: number): void;
  /** Is what is in `area.shown` within the constraint? */
  inside(): number;
  /** `area.locals` has no enabled step; `area.shown` is what watches of quiescence see of it. */
  deadlock(): void;
  /** Rewrite `area.after` to its canonical form; 0: not yet possible. */
  canonicalize(): number;
  /** Count the orbit of `area.locals`; 0: not yet possible. */
  orbit(): number;
}

/** What the kernel offers. Addresses are bytes. */
export interface Kernel {
  /** Gathers every successor of the states in `[from, to)`. */
  expand(from: number, to: number): void;
  /** Gathers the states in `[from, to)` themselves. */
  add(from: number, to: number): void;
  /** Inserts what was gathered for a partition; new states go to `area.out`. */
  flush(partition: number): void;
  insert(partition: number): void;
  /** Judges the tuples that a bucket has gathered. */
  judge(bucket: number): void;
  /** Gives a partition another capacity; 0 when keys lie too far from home in it. `first`: take the copy. */
  rebuild(partition: number, before: number, after: number, first: number): number;
  /** Writes the states of slots `[from, to)` of a partition to `out`, and returns where it ended. */
  dump(partition: number, capacity: number, from: number, to: number, out: number): number;
  /** States to locals, `4 · width` bytes each, and back. */
  unpack(from: number, to: number, out: number): void;
  pack(from: number, to: number, out: number): void;
}

/** What the code depends on beside the plan. */
export interface KernelShape {
  readonly plan: StateLayout;
  readonly worker: number;
  readonly shared: boolean;
  /** Where a cell's records begin, and what tuple watches see of its classes. */
  readonly records: readonly number[];
  readonly classes: readonly number[];
  readonly tuples: number;
  /** The constraint is a tuple watch. */
  readonly constrained: boolean;
  /** How many watches of quiescence there are. */
  readonly quiescent: number;
  /** States are rewritten to their canonical forms. */
  readonly symmetric: boolean;
  /**
   * Partitions lie in files, one at a time in memory: `flush` hands what is gathered to `spill`, and `insert`
   * inserts it into the one that is there.
   */
  readonly spill?: boolean;
  /** `expand` inserts nothing: it copies to `area.out` the states with a successor that `add` has marked. */
  readonly match?: boolean;
  /** `expand` takes no step: it watches the states, and that is all. */
  readonly watchOnly?: boolean;
}

/**
 * What is known of a local: its steps (0: not asked, 1: asked), how many, its class, then its weights, then
 * what the constraint and the watches of quiescence see of it.
 */
export const record = { steps: 0, count: 4, class: 8, weights: 16 } as const;
export const shownAt = (sums: number): number => 16 + 16 * Math.ceil(sums / 4);
export const recordBytes = (sums: number, shown: number): number => shownAt(sums) + 16 * Math.ceil(shown / 4);

/** A step: how the own local changes, where the receptions are (0: sends nothing, 1: a list), of which cell. */
export const stepBytes = 16;
export const step = { change: 0, receptions: 4, offset: 8, cell: 12, list: 8 } as const;

/** What `receptions` hold beside a local plus `reception.first`. */
export const reception = { unknown: 0, asked: 1, blocked: 2, first: 3 } as const;

/** Tuples gather in buckets by their hash, and are looked up in the memo a bucket at a time. */
export const buckets = 64;
const mostBytesShown = 0x8_0000;
/** How many tuples a bucket gathers. */
export const perBucket = (tuples: number, width: number): number =>
  Math.min(256, Math.floor(mostBytesShown / (4 * Math.max(1, tuples) * width)));
