import type { SiteId } from '../../machines/actor.ts';
import type { OperatingCode } from './errors.ts';
import type { Fence } from './fence.ts';

/** For a person to read: nothing may be decided by it. */
export interface ClusterStatus {
  /** Peers that are connected now. */
  readonly connected: readonly SiteId[];
  /** Whether a majority of the voters is in reach; never once the site is closed or crashed. */
  readonly majority: boolean;
  /** How many locks were used so far. */
  readonly locks: number;
  /** How many of them stand still until an election is over. */
  readonly frozen: number;
  /** Whether the cluster is founded, as far as this site knows: before all of its sites were started once, it is not. */
  readonly founded: boolean;
}

/** One lock at this site, for a person to read: nothing may be decided by it. `readLocks` tells of the whole cluster. */
export interface LockStatus {
  readonly last: SiteId | null;
  readonly next: SiteId | null;
  readonly token: boolean;
  /** The state of the client's region, by its name in the statechart. */
  readonly client: string;
  /** Local callers that wait. */
  readonly waiting: number;
  /** How long each of them has waited, in milliseconds and in the order of their line: of the first 100. */
  readonly waitedMs: readonly number[];
  /** Adopted last. */
  readonly epoch: number;
  /** The fence of the critical section, if there is one. */
  readonly fence?: Fence;
  /** How long a caller of this site has been inside, in milliseconds. */
  readonly heldMs?: number;
  /** Milliseconds since the last event of this lock at this site. */
  readonly changedMs: number;
  /** Takes no part in the algorithm until the next epoch: it has voted, stands itself, or crashed in this one (R3). */
  readonly frozen: boolean;
}

/** Since this site joined; of all its locks. */
export interface Counters {
  /** Messages by `type`. */
  readonly sent: Readonly<Record<string, number>>;
  readonly received: Readonly<Record<string, number>>;
  /** Critical sections entered. */
  readonly entered: number;
  /** Critical sections that were over without a release. */
  readonly lost: number;
  /** How often this site stood for a new epoch, and how often it won. */
  readonly suspicions: number;
  readonly elections: number;
  /** Messages of peers that were not taken, since there was no room for the lock (`limits`). */
  readonly untaken: number;
  /** Connections closed for what they brought, by code. */
  readonly refused: Readonly<Partial<Record<OperatingCode, number>>>;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

/** One lock of a cluster, put together from the answers of its sites. Durations are in milliseconds. */
export interface LockReport {
  readonly lock: string;
  /** The newest epoch that a site has adopted. */
  readonly epoch: number;
  /** The site that is in the critical section of that epoch; `null`: none of the sites that answered. */
  readonly holder: LockHolder | null;
  /** Sites that are still in a critical section of an earlier epoch: they have not heard that it is over. */
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
  /** How long each has waited, in order: of the first 100. */
  readonly waitedMs: readonly number[];
}

/** The locks of a cluster, as its sites know them. The sites do not answer at one moment, so two rows may not fit together. */
export interface LockReports {
  readonly locks: readonly LockReport[];
  /** Whether a site may know more locks: it tells of 500 at most, those in use first. */
  readonly more: boolean;
  /** The sites that answered. */
  readonly sites: readonly SiteId[];
  /** The addresses that did not answer, without their tokens, each with the reason. */
  readonly silent: readonly { readonly url: string; readonly reason: string }[];
}

/** Which locks `readLocks` reads, and how long it waits. */
export interface ReadLocksOptions {
  /** A part of the names. Default: all. */
  readonly like?: string;
  /** The longest wait for a site. Default: 2000. */
  readonly timeoutMs?: number;
}
