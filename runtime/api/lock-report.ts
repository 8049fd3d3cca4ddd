import type { SiteId } from '../../machines/actor.ts';
import type { Fence } from './fence.ts';

/** One lock of a cluster, merged from the answers of its sites. Durations are in milliseconds. */
export interface LockReport {
  readonly lock: string;
  /** The newest epoch that a site has adopted. */
  readonly epoch: number;
  /** The site in the critical section of that epoch; `null` if none of the sites that answered is. */
  readonly holder: LockHolder | null;
  /** Sites that are still in a critical section of an earlier epoch, and have not learned that it is over. */
  readonly former: readonly LockHolder[];
  /** The site that has the token; `null`: it is under way, or at a site that did not answer. */
  readonly token: SiteId | null;
  /** The waiting sites, in the order in which they will be served as far as the sites know it. */
  readonly queue: readonly WaitingSite[];
  /** Sites that take no part until the next epoch. */
  readonly frozen: readonly SiteId[];
  /** Time since the last event of this lock at any site. */
  readonly changedMs: number;
}

/** The site of a critical section, and how long that has lasted. */
export interface LockHolder {
  readonly site: SiteId;
  readonly fence: Fence;
  readonly heldMs: number;
}

/** The callers of one site that wait for a lock. */
export interface WaitingSite {
  readonly site: SiteId;
  readonly waiting: number;
  /** Waiting times of the first 100 callers, in order. */
  readonly waitedMs: readonly number[];
}

/** The locks of a cluster, as its sites know them. The sites do not answer at one moment, so two rows may not fit together. */
export interface LockReports {
  readonly locks: readonly LockReport[];
  /** True if a site may know more locks: an answer has at most 500, those in use first. */
  readonly more: boolean;
  /** The sites that answered. */
  readonly sites: readonly SiteId[];
  /** The addresses without an answer, without their tokens, each with the reason. */
  readonly silent: readonly { readonly url: string; readonly reason: string }[];
}

/** Options of `readLocks`. */
export interface ReadLocksOptions {
  /** Read only locks whose name contains this text. Default: all. */
  readonly like?: string;
  /** Longest wait for a site, in ms. Default: 2000. */
  readonly timeoutMs?: number;
}
