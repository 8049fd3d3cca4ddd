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
  /** The sites that get the token after this one, in order, as far as this site knows. */
  readonly line: readonly SiteId[];
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
  /** Why no lock may be granted to this site as yet: it names the voters that are missing. Absent: nothing is known to be in the way. */
  readonly hindrance?: string;
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
