import type { LockReport, LockReports } from '../../runtime/api/lock-report.ts';
import type { SeenLock } from '../protocol.ts';

const mostKept = 5_000;

/** The locks that were seen, so that those of a site that does not answer any more are not forgotten. */
export class SeenLocks {
  readonly #seen = new Map<string, { readonly report: LockReport; readonly at: number }>();

  /**
   * Learns an answer about the locks whose names contain `like`. Returns those that were seen before and that no site tells of now, while a
   * site is silent. If every site answers, a missing lock is forgotten. If there may be more locks, a missing one is not taken for lost.
   */
  after({ locks, silent, more }: LockReports, like: string, nowMs: number): readonly SeenLock[] {
    const present = new Set(locks.map(({ lock }) => lock));
    for (const report of locks) {
      this.#seen.delete(report.lock);
      this.#seen.set(report.lock, { report, at: nowMs });
    }
    if (more) return this.#bounded();
    const missing = [...this.#seen].filter(([lock]) => lock.includes(like) && !present.has(lock));
    if (silent.length === 0) {
      for (const [lock] of missing) this.#seen.delete(lock);
      return this.#bounded();
    }
    this.#bounded();
    return missing.map(([, { report, at }]) => ({ ...report, seenMs: nowMs - at }));
  }

  /** Forgets the locks that were seen longest ago, beyond the number that is kept. */
  #bounded(): readonly SeenLock[] {
    for (const lock of this.#seen.keys()) {
      if (this.#seen.size <= mostKept) break;
      this.#seen.delete(lock);
    }
    return [];
  }
}
