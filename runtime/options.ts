import type { InspectionEvent, Observer } from 'xstate';
import type { SiteId } from '../machines/actor.ts';
import type { Fence } from '../machines/epoch/messages.ts';
import type { Chance, Clock } from './doors.ts';
import type { InvariantError, OperatingCode, OperatingError } from './errors.ts';
import type { Protocol } from './host/protocol.ts';
import type { PeerChange } from './mailbox/mailbox.ts';
import type { TelemetryOptions } from './telemetry/options.ts';
import type { TapSession, Viewer } from './trace/tap.ts';

/** Where a site listens. */
export interface Address {
  readonly host: string;
  /** 0 takes a free one; `Cluster.address` tells which. */
  readonly port: number;
}

/** What a site must know; `docs/configuration.md` has all keys in one table. */
export interface ClusterOptions {
  /** 1 to 128 printable characters. Sites of another cluster are refused at the handshake. */
  readonly cluster: string;
  /** This site. Ids are 1 to 64 letters, digits, `.`, `_` and `-`, and begin with a letter or a digit. */
  readonly site: SiteId;
  readonly listen: Address;
  /**
   * The other sites. Of each pair the one whose id comes first in code-unit order dials the other. At the address of
   * a peer whose id comes before this site's it is only asked, after a break, whether anybody listens there: where
   * that address is wrong, the peer's death shows by silence alone.
   */
  readonly peers: Readonly<Record<SiteId, Address>>;
  /** The site that starts with the token of every lock. Default: for each lock a voter, by its name (`rootOf`). */
  readonly root?: SiteId;
  /**
   * Where what was promised is kept (R7): a directory of this site alone. A file of this site's earlier life there
   * is read; no file there is refused with `DISK_MISSING`, unless this is a `newcomer`. Default: in memory only, and
   * then the site never comes back under its name after its process ended.
   */
  readonly dataDir?: string;
  /** This site never ran before under its name, so that nothing can be missing from `dataDir` (R8). Default false. */
  readonly newcomer?: boolean;
  /**
   * The sites that vote, the same at every site: 3 to 7 are recommended; 2 tolerate no failure. Without a
   * majority of them in reach nothing is granted. Default: all sites.
   */
  readonly voters?: readonly SiteId[];
  /**
   * Strict mode: locks are held by leases that a majority of voters promises, so that under clocks of bounded drift
   * no two critical sections with a valid lease overlap, whatever the resource does. Given to every site alike, or to
   * none. Default: no leases.
   */
  readonly strict?: Strict;
  /** When a peer is believed dead, and when that is acted upon. Of no effect on what is safe. */
  readonly timing?: Partial<Timing>;
  readonly limits?: Partial<Limits>;
  /** What the actors run. Default: `epoch`, which survives failures; `naimiTrehel` needs every site and every link. */
  readonly protocol?: Protocol;
  /** Records what this site does as NDJSON into `<traceDir>/<site>.ndjson`, which must not exist yet. Default: no record. */
  readonly traceDir?: string;
  /**
   * Told what XState tells of each lock's actor, whose id is the site's: any XState inspector. `sourceRef` of a message's
   * event has the sender's site id as its `id`. For @statelyai/inspect: `throughStately`.
   */
  readonly inspect?: Observer<InspectionEvent> | ((event: InspectionEvent) => void);
  /** TLS 1.3 with both sides authenticated (SECURITY.md). Read once: what is renewed needs a new start. Default: none. */
  readonly tls?: Tls;
  /**
   * What every site of the cluster knows and nobody else, at least 32 bytes, drawn at random: who records a handshake
   * can try out what a person made up. It never travels. A line end at its end does not count. Default: none.
   */
  readonly secret?: string | Buffer;
  /**
   * Listens beyond loopback, or calls peers there, though there is neither `tls` nor `secret`. Default false:
   * `INSECURE_LISTEN`, `INSECURE_PEER`.
   */
  readonly insecure?: boolean;
  /** Told everything worth a log line. Default: nobody is. */
  readonly logger?: Logger;
  /** Metrics and spans by OpenTelemetry. Default: to the global providers; nothing, where there are none. */
  readonly telemetry?: TelemetryOptions;
  /** Told of a broken invariant after the site has stopped. Default: thrown as an uncaught exception, which ends the process. */
  readonly onCrash?: (error: InvariantError) => void;
  readonly clock?: Clock;
  readonly chance?: Chance;
}

/** In PEM. */
export interface Tls {
  /** Of this site: names `baton://<cluster>/<site>` as a URI among its subject alternative names. */
  readonly cert: string | Buffer;
  /** To the certificate, without a passphrase. */
  readonly key: string | Buffer;
  /** Whoever has signed the peers' certificates. */
  readonly ca: string | Buffer;
}

/** Pino's fits, and so does the console. */
export interface Logger {
  trace(what: object, message: string): void;
  debug(what: object, message: string): void;
  info(what: object, message: string): void;
  warn(what: object, message: string): void;
  error(what: object, message: string): void;
}

/**
 * Leases (protocol.md, strict mode). Entering asks a majority for promises, one round trip, unless a lease is in force;
 * inside, four heartbeats a lease renew it; an idle lock sends nothing. When it cannot be renewed, `Held.signal`
 * aborts at its end. A process that is stopped (SIGSTOP, a long pause) hears of that when it wakes, so what must not
 * come late still needs a fence. A new epoch waits for the promises to be over: a death costs up to a lease more.
 */
export interface Strict {
  /** How long a lease lasts, counted from the site's own asking. At least 4 times the longest round trip; 50 to 3,600,000. */
  readonly leaseMs: number;
  /** By what share of its rate any site's monotonic clock may be off, 0 to 0.5. Default 0.01. */
  readonly driftShare?: number;
}

/** When a peer is believed dead, and when that is acted upon. Times are ms. */
export interface Timing {
  /** Between two signs of life to a peer. Default 250. */
  readonly heartbeatMs: number;
  /** Nothing heard of a peer for so long: it is believed dead. Default 1,200. */
  readonly silentMs: number;
  /**
   * A site that waits for the lock suspects so long after a death, drawn anew each time between these two, so that
   * sites which wait do not all stand at once. Default 5 to 45.
   */
  readonly suspectMinMs: number;
  readonly suspectMaxMs: number;
  /**
   * How long a candidate waits for votes before it stands again (R10): doubles with each election that fails up to
   * the longest, and is shortened at random by up to half. Whoever voted for it waits two to three times as long;
   * a candidate waits up to a quarter of the shortest for the votes that a majority does not need, since the holder's
   * may be among them. Default 100 to 2,000.
   */
  readonly electionMinMs: number;
  readonly electionMaxMs: number;
  /**
   * A site that waits while some peer is down, though it has suspected already, suspects again after so long; each
   * time for one wait after twice as long. Default 15,000.
   */
  readonly patienceMs: number;
}

/** How much of what a site takes and keeps. */
export interface Limits {
  /**
   * Messages that wait for one peer's acknowledgement; past it, what waits is dropped, and the peer meets a new life
   * of the link. Default 10,000.
   */
  readonly maxOutbox: number;
  /**
   * Connections that have not said who they are; past it, the machine that has the most of them loses its oldest.
   * Default 64.
   */
  readonly maxHandshakes: number;
  /** From the first packet of one who calls to its welcome, TLS and all. Default 5,000. */
  readonly handshakeTimeoutMs: number;
  /** First pause between two attempts to dial; doubles up to the longest, and is shortened at random by up to half. Default 20. */
  readonly dialMinMs: number;
  /** Default 1,000. */
  readonly dialMaxMs: number;
  /** How long a clean close waits for who holds a lock here, and then for what is not sent yet. Default 2,000. */
  readonly closeTimeoutMs: number;
  /** Locks in use or used before, at this site. Default 1,000,000. */
  readonly maxLocks: number;
  /** Of those, the ones of which this site heard first from one and the same peer. Default 250,000. */
  readonly maxLocksOfPeer: number;
  /**
   * How many local callers of a lock are served in a row while another site may wait for it, and how many critical
   * sections a lock may have here within one turn of the event loop. Default 16.
   */
  readonly combine: number;
}

/** What happened, for a log. */
export type Notice =
  /** What is believed of a peer has changed. */
  | PeerChange
  /** This site stands for a new epoch of the lock: it seems that somebody has failed. */
  | { readonly type: 'suspected'; readonly lock: string }
  /** It has won `epoch`. */
  | { readonly type: 'elected'; readonly lock: string; readonly epoch: number; readonly root: SiteId }
  /** It has adopted `epoch`. */
  | { readonly type: 'adopted'; readonly lock: string; readonly epoch: number; readonly root: SiteId }
  /** The critical section under `fence` is over without a release: a later epoch gave the lock away, or its lease is over. */
  | { readonly type: 'lost'; readonly lock: string; readonly fence: Fence }
  | { readonly type: 'listening'; readonly address: Address }
  /** The link is up, for the first time or again. */
  | { readonly type: 'connected'; readonly peer: SiteId; readonly incarnation: string }
  /** It will be up again unless the peer is dead: nothing is lost by it. */
  | { readonly type: 'connection-lost'; readonly peer: SiteId; readonly reason: string }
  /** So many messages are not sent to the peer, or not again: they were for a life of it, or of this link, that is over. */
  | { readonly type: 'dropped'; readonly peer: SiteId; readonly count: number }
  /** The peer is not there (yet); it is dialled again. */
  | {
      readonly type: 'dial-failed';
      readonly peer: SiteId;
      readonly reason: string;
      readonly retryInMs: number;
    }
  /** The peer has handed everything on and takes part no longer. */
  | { readonly type: 'left'; readonly peer: SiteId }
  /** A peer or a connection is not as it should be; `peer` where it is known, `remote` is an address. */
  | {
      readonly type: 'error';
      readonly error: OperatingError;
      readonly peer: SiteId | null;
      readonly remote: string | null;
      /** Of connections that were refused, ten a second are told: so many were not since the last. */
      readonly untold?: number;
    }
  | { readonly type: 'crash'; readonly error: InvariantError };

/** When to give up waiting. */
export interface AcquireOptions {
  /** Ends the wait: `acquire` rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Ends the wait: `acquire` rejects with `ACQUIRE_TIMEOUT`. Default: waits for ever. */
  readonly timeoutMs?: number;
}

/** A critical section, while it lasts. */
export interface Held extends AsyncDisposable {
  /** The name of the lock. */
  readonly lock: string;
  /**
   * For the resource, which accepts an operation only under a fence that is not below the highest it has seen
   * (`FenceGate`). Compared by `epoch`, then by `k`; no two grants of a lock have the same.
   *
   * Throws `NO_FENCE` under `naimiTrehel`, which has none.
   */
  readonly fence: Fence;
  /** Aborted when it is over before `release`: with `LOCK_LOST`, `SITE_CLOSED`, or the InvariantError of a crash. */
  readonly signal: AbortSignal;
  /** Does nothing the second time, nor when it is over already. */
  release(): void;
}

/** Critical sections of several locks at once. */
export interface HeldAll extends AsyncDisposable {
  readonly locks: ReadonlyMap<string, Held>;
  /** Of the lock of this name. */
  fence(name: string): Fence;
  /** Aborted when any of them is over before `release`. */
  readonly signal: AbortSignal;
  /** All of them. */
  release(): void;
}

/** When to give up campaigning, and how patiently to do it. */
export interface LeadOptions {
  /** Ends it as `close` does, with the signal's reason for the work under way. */
  readonly signal?: AbortSignal;
  /** How long after a term this site campaigns again, so that another may lead meanwhile. Default 1,000. */
  readonly retryMs?: number;
  /**
   * Told what work throws, and why the lock cannot be had (`TOO_MANY_LOCKS`); then this site campaigns again. Default:
   * the first such error ends it, and `close` rejects with it; without `close`, it is an unhandled rejection.
   */
  readonly onError?: (error: unknown) => void;
}

/** A site that leads whenever it holds a lock, and campaigns for it whenever it does not. */
export interface Leadership extends AsyncDisposable {
  readonly leading: boolean;
  /**
   * Leads and campaigns no more: the work under way sees its signal abort with `LEADERSHIP_CLOSED`. Resolves when that
   * work is over. Rejects with what work threw, where there is no `onError`.
   */
  close(): Promise<void>;
}

/** One lock, by its name. */
export interface Lock {
  readonly name: string;
  /**
   * Waits for the critical section; local callers are served in order.
   *
   * Rejects with `OPTIONS_INVALID`, `ACQUIRE_TIMEOUT`, `TOO_MANY_LOCKS`, `SITE_LEAVING`, `SITE_CLOSED`, the signal's
   * reason, or the InvariantError of a crash. In the async context of a `run` of this lock that still holds it: `REENTRY`.
   */
  acquire(options?: AcquireOptions): Promise<Held>;
  /**
   * The critical section, if this site can enter it at once and no message need be sent: the token is here, nobody
   * is inside or waits, a majority is in reach, and in strict mode a lease is in force. Otherwise null.
   *
   * Throws `TOO_MANY_LOCKS`, `SITE_LEAVING`, `SITE_CLOSED`, or the InvariantError of a crash.
   */
  tryAcquire(): Held | null;
  /** Runs `work` in the critical section and releases it, whatever `work` does. Within itself it is refused: `REENTRY`. */
  run<T>(work: (held: Held) => T | Promise<T>, options?: AcquireOptions): Promise<T>;
  status(): LockStatus;
}

/** This site, as a member of its cluster. */
export interface Cluster extends AsyncDisposable {
  /** The cluster's. */
  readonly name: string;
  readonly site: SiteId;
  /** Where it listens. */
  readonly address: Address;
  /**
   * The lock of this name, 1 to 128 printable characters; the same at every site. It costs nothing until it is used.
   *
   * Throws `OPTIONS_INVALID`.
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
   * Throws `OPTIONS_INVALID`.
   */
  lead(name: string, work: (held: Held) => void | Promise<void>, options?: LeadOptions): Leadership;
  status(): ClusterStatus;
  counters(): Counters;
  /** Resolves once every peer has been connected. Rejects with `SITE_CLOSED`. */
  ready(): Promise<void>;
  /**
   * Lets somebody watch one lock at a time, window by window, until the session is closed; `serveWatch` does it over a
   * WebSocket. Costs nothing while no window is open.
   */
  watch(viewer: Viewer): TapSession;
  /** What happens before the event loop's next turn after `joinCluster` is told then. Throws `OPTIONS_INVALID`. */
  on<E extends keyof ClusterEvents>(event: E, listener: (what: ClusterEvents[E]) => void): this;
  off<E extends keyof ClusterEvents>(event: E, listener: (what: ClusterEvents[E]) => void): this;
  /**
   * By default, gracefully: grants no more, waits up to `closeTimeoutMs` for whoever holds a lock here, hands tokens to
   * those who wait for them, then closes and says so to the others: they do not wait for a time-out, and do not expect
   * it back in this life. Under `naimiTrehel` it takes the critical section of every lock in use for that, so it waits
   * its turn and then for every peer's answer; locks that nobody has used yet may be lost with their root.
   *
   * `graceful: false`: at once, though cleanly: what is queued is sent. The others go on as after a crash that they
   * hear of; under `naimiTrehel`, whoever waits for this site's token waits on.
   */
  close(options?: { readonly graceful?: boolean }): Promise<void>;
}

/** What `Cluster.on` tells of. */
export interface ClusterEvents {
  /** What is believed of a peer has changed. */
  readonly peer: PeerChange;
  /** This site has adopted an epoch of a lock, whose first token is at `root`. */
  readonly epoch: { readonly lock: string; readonly epoch: number; readonly root: SiteId };
  /** This site has won an epoch. */
  readonly elected: { readonly lock: string; readonly epoch: number; readonly root: SiteId };
  /** A critical section of this site is over without a release. */
  readonly lost: { readonly lock: string; readonly fence: Fence };
  /** All of that and more, for a log. */
  readonly notice: Notice;
}

/** For a person to read: nothing may be decided by it. */
export interface ClusterStatus {
  /** Peers that are connected now. */
  readonly connected: readonly SiteId[];
  /** Whether a majority of the voters is in reach; always under `naimiTrehel`, and never once the site is over. */
  readonly majority: boolean;
  /** How many locks were used so far. */
  readonly locks: number;
  /** How many of them stand still until an election is over. */
  readonly frozen: number;
}

/** For a person to read: nothing may be decided by it. */
export interface LockStatus {
  readonly last: SiteId | null;
  readonly next: SiteId | null;
  readonly token: boolean;
  /** The state of the client's region, by its name in the statechart. */
  readonly client: string;
  /** Local callers that wait. */
  readonly waiting: number;
  /** Adopted last; 0 under `naimiTrehel`. */
  readonly epoch: number;
  /** Of the critical section, if any. */
  readonly fence?: Fence;
  /** Takes no part in the algorithm until the next epoch: it has voted, stands itself, or crashed in this one (R3). */
  readonly frozen: boolean;
}

/** Since this site joined; of all its locks. */
export interface Counters {
  /** Messages by `type`. */
  readonly sent: Readonly<Record<string, number>>;
  readonly received: Readonly<Record<string, number>>;
  /** Critical sections entered; under `naimiTrehel` those for a graceful close included. */
  readonly entered: number;
  /** Critical sections that were over without a release. */
  readonly lost: number;
  /** How often this site stood for a new epoch, and how often it won. */
  readonly suspicions: number;
  readonly elections: number;
  /** Connections closed for what they brought, by code. */
  readonly refused: Readonly<Partial<Record<OperatingCode, number>>>;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}
