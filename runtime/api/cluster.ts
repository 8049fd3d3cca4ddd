import type { SiteId } from '../../machines/actor.ts';
import type { Fence } from './fence.ts';
import type { Leadership, LeadOptions } from './leadership.ts';
import type { AcquireOptions, Held, HeldAll, Lock } from './lock.ts';
import type { Membership } from './members.ts';
import type { Notice } from './notice.ts';
import type { Address, PeerChange } from './peer.ts';
import type { ClusterStatus, Counters } from './status.ts';
import type { Viewer, WatchSession } from './watch.ts';

/** This site, as a member of its cluster. */
export interface Cluster extends AsyncDisposable {
  /** The name of the cluster. */
  readonly name: string;
  readonly site: SiteId;
  /** The address at which the site listens. */
  readonly address: Address;
  /**
   * The lock of this name, 1 to 1,024 printable characters, the same at every site. A lock costs nothing
   * until it is used, and nothing any more once it has been unused for `timing.forgetAfterMs`. Throws
   * `OPTIONS_INVALID`.
   */
  lock(name: string): Lock;
  /**
   * The critical sections of all these locks (one named twice counts once), entered in the order of their names' code
   * units, so that callers of `acquireAll` never wait for each other in a circle. All or nothing: where this rejects,
   * none is held. `timeoutMs` is for all of them together.
   *
   * Rejects as `Lock.acquire` does, with `OPTIONS_INVALID` for a name, and with `LOCK_LOST` when one that was entered is
   * lost before the last is.
   */
  acquireAll(names: readonly string[], options?: AcquireOptions): Promise<HeldAll>;
  /**
   * Campaigns for the lock again and again, and runs `work` whenever this site has got it: of all sites that do so one
   * leads at a time, as far as a lock can promise that. When `work` returns or throws, its term is over: the lock is
   * released, and `retryMs` later this site campaigns again. When the lock is lost, or the site or this is closed, the
   * signal that `work` was given aborts; the term is over when `work` has returned, which it should do at once. Errors
   * of `work` are told to `onError`; what the signal's reason makes `work` throw is none.
   *
   * Throws `OPTIONS_INVALID`, `SITE_LEAVING`, `SITE_CLOSED`.
   */
  lead(name: string, work: (held: Held) => void | Promise<void>, options?: LeadOptions): Leadership;
  /** The voters, as far as this site knows. */
  members(): Membership;
  /**
   * Adds the site `name`, which must have been started (with `join`, or with an empty data directory under a known name): most are added
   * by themselves, and this waits until that is agreed. A voter of that name with other data is replaced. Resolves with the members
   * when a majority of the voters have agreed.
   *
   * Rejects with `CHANGE_TIMEOUT`, `NOT_A_MEMBER` (this site does not vote), `OPTIONS_INVALID`, and with why this site was closed.
   */
  addMember(name: SiteId, options?: ChangeOptions): Promise<Membership>;
  /**
   * Removes the voter `name`, up or not; at once where there is none. It is granted nothing any more, and is told. The majority shrinks.
   *
   * Rejects as `addMember` does, and with `TOO_FEW_VOTERS` for the last one.
   */
  removeMember(name: SiteId, options?: ChangeOptions): Promise<Membership>;
  /** Adds `by`, then removes `old`. These are two changes: the first stays if the second fails. Rejects as both do. */
  replaceMember(old: SiteId, by: SiteId, options?: ChangeOptions): Promise<Membership>;
  status(): ClusterStatus;
  counters(): Counters;
  /**
   * Resolves once every peer has been connected and the cluster is founded. Rejects with `READY_TIMEOUT`, which names those that were not within
   * `timeoutMs` (default: waits for ever), and with `SITE_CLOSED`.
   */
  ready(options?: { readonly timeoutMs?: number }): Promise<void>;
  /**
   * Lets a viewer watch one lock at a time, window by window, until the session is closed; `serveWatch` does it over a
   * WebSocket. Costs nothing while no window is open.
   */
  watch(viewer: Viewer): WatchSession;
  /**
   * Adds a listener. Events from before the first turn of the event loop after `joinCluster` are delivered
   * then. Throws `OPTIONS_INVALID`.
   */
  on<E extends keyof ClusterEvents>(event: E, listener: (what: ClusterEvents[E]) => void): this;
  off<E extends keyof ClusterEvents>(event: E, listener: (what: ClusterEvents[E]) => void): this;
  /**
   * From now on this site does not keep the process alive by itself, nor do its callers that wait: as `unref` of a server of
   * Node.js. A process that ends so does not leave its cluster; the others go on as after a crash. Other work of the
   * process keeps it, and the site, alive. Timers that are set already run out first, at most some seconds.
   */
  unref(): this;
  /**
   * Closes gracefully by default: grants no more, waits up to `closeTimeoutMs` for the local holders of locks, hands tokens
   * to the sites that wait for them, then closes and tells the others: they do not wait for a time-out, and do not expect
   * it back in this life.
   *
   * `leave`: it is a voter no more, so that the majority shrinks with it, unless fewer than `members.leastVoters` were left. Default:
   * where its data end with the process; a site with a data directory comes back, and stays a voter meanwhile.
   *
   * `graceful: false`: at once, though cleanly: what is queued is sent. The others go on as after a crash that they
   * hear of.
   */
  close(options?: CloseOptions): Promise<void>;
}

/** Options of `Cluster.close`. */
export interface CloseOptions {
  /** Default: true. */
  readonly graceful?: boolean;
  /** Default: true without a `dataDir`, else false. */
  readonly leave?: boolean;
}

/** Options of a change of the members. */
export interface ChangeOptions {
  /**
   * Longest wait of a change for its majority, in ms. Then it rejects with `CHANGE_TIMEOUT`. Default: 30,000.
   */
  readonly timeoutMs?: number;
}

/** The events of `Cluster.on`. */
export interface ClusterEvents {
  /** A peer is believed up, down or restarted. */
  readonly peer: PeerChange;
  /** This site has adopted an epoch of a lock, whose first token is at `root`. */
  readonly epoch: { readonly lock: string; readonly epoch: number; readonly root: SiteId };
  /** This site has won an epoch. */
  readonly elected: { readonly lock: string; readonly epoch: number; readonly root: SiteId };
  /** A critical section of this site has ended without a release. */
  readonly lost: { readonly lock: string; readonly fence: Fence };
  /** All of these events and further ones, for a log. */
  readonly notice: Notice;
}
