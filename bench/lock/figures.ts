import type { Entry } from './worker.ts';

export interface Figures {
  /** Critical sections per second. */
  readonly entries: number;
  /** The part of `entries` that follows another process. */
  readonly handOffs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Jain's index over the entries of the processes: 1 when all have the same number. */
  readonly fairness: number;
  /** Number of overlapping critical sections of one lock. */
  readonly overlaps: number;
}

/** Computes the figures of the processes' entries over `seconds`. Throws when there is no entry. */
export function figuresOf(processes: readonly (readonly Entry[])[], seconds: number): Figures {
  const all = processes
    .flatMap((entries, by) =>
      entries.map(([asked, entered, left, lock]) => ({ waited: entered - asked, entered, left, lock, by })),
    )
    .sort((a, b) => a.entered - b.entered);
  if (all.length === 0) throw new Error('nobody entered a critical section');
  const latest = new Map<number, { readonly left: number; readonly by: number }>();
  let handOffs = 0;
  let overlaps = 0;
  for (const entry of all) {
    const before = latest.get(entry.lock);
    if (before && before.by !== entry.by) handOffs += 1;
    if (before && before.left > entry.entered) overlaps += 1;
    if (!before || before.left < entry.left) latest.set(entry.lock, entry);
  }
  const waits = all.map(({ waited }) => waited).sort((a, b) => a - b);
  const quantile = (share: number) => waits[Math.min(waits.length - 1, Math.floor(share * waits.length))]!;
  return {
    entries: all.length / seconds,
    handOffs: handOffs / seconds,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    fairness: jain(processes.map(({ length }) => length)),
    overlaps,
  };
}

function jain(counts: readonly number[]): number {
  const sum = counts.reduce((total, count) => total + count, 0);
  const squares = counts.reduce((total, count) => total + count * count, 0);
  return (sum * sum) / (counts.length * squares);
}
