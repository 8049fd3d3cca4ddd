import type { SiteId } from '../../machines/actor.ts';
import type { OperatingCode } from './errors.ts';
import type { Fence } from './fence.ts';

/** The state of this site, for a person to read. No program should decide by it. */
export interface ClusterStatus {
  /** Peers that are connected now. */
  readonly connected: readonly SiteId[];
  /** True if a majority of the voters is reachable. False once the site is closed or crashed. */
  readonly majority: boolean;
  /** Number of locks used so far. */
  readonly locks: number;
  /** Number of these locks that stand still until an election is over. */
  readonly frozen: number;
  /**
   * True if the cluster is founded, as far as this site knows: all of its founders have been started once.
   */
  readonly founded: boolean;
}

/**
 * One lock at this site, for a person to read. No program should decide by it. `readLocks` reads the whole
 * cluster.
 */
export interface LockStatus {
  readonly last: SiteId | null;
  /** The sites that get the token after this one, in order, as far as this site knows. */
  readonly line: readonly SiteId[];
  readonly token: boolean;
  /** The state of the client's region, by its name in the statechart. */
  readonly client: string;
  /** Number of local callers that wait. */
  readonly waiting: number;
  /** Waiting time of the first 100 of them, in milliseconds, in the order of their line. */
  readonly waitedMs: readonly number[];
  /** The epoch that this site adopted last. */
  readonly epoch: number;
  /** The fence of the critical section, if there is one. */
  readonly fence?: Fence;
  /** Time since the caller of this site entered, in milliseconds. */
  readonly heldMs?: number;
  /** Milliseconds since the last event of this lock at this site. */
  readonly changedMs: number;
  /**
   * True if the site takes no part in the algorithm until the next epoch: it has voted, stands itself, or
   * crashed in this one (R3).
   */
  readonly frozen: boolean;
  /** Why no lock may be granted to this site as yet: it names the voters that are missing. Absent: nothing is known to be in the way. */
  readonly hindrance?: string;
}

/** Counters since this site joined, over all its locks. */
export interface Counters {
  /** Messages by `type`. */
  readonly sent: Readonly<Record<string, number>>;
  readonly received: Readonly<Record<string, number>>;
  /** Critical sections entered. */
  readonly entered: number;
  /** Critical sections that ended without a release. */
  readonly lost: number;
  /** Number of times that this site stood for a new epoch, and that it won. */
  readonly suspicions: number;
  readonly elections: number;
  /** Messages of peers that were refused because there was no room for the lock (`limits`). */
  readonly untaken: number;
  /** Connections closed for a fault, by code. */
  readonly refused: Readonly<Partial<Record<OperatingCode, number>>>;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}
