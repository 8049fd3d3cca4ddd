import type { InspectionEvent, Observer } from 'xstate';
import type { SiteId } from '../machines/actor.ts';
import type { Chance, Clock } from './doors.ts';
import type { InvariantError, OperatingCode, OperatingError } from './errors.ts';
import type { Protocol } from './host/protocol.ts';

export interface Address {
  readonly host: string;
  /** 0 takes a free one; `Site.address` tells which. */
  readonly port: number;
}

export interface SiteOptions {
  /** 1 to 128 printable characters. Sites of another cluster are refused at the handshake. */
  readonly cluster: string;
  /** This site. Ids are 1 to 64 letters, digits, `.`, `_` and `-`, and begin with a letter or a digit. */
  readonly site: SiteId;
  readonly listen: Address;
  /**
   * The other sites. Of each pair the one whose id comes first in code-unit order dials the other, so
   * the address of a peer whose id comes before this site's is not used.
   */
  readonly peers: Readonly<Record<SiteId, Address>>;
  /** The site that starts with the token: the same at every site of the cluster. */
  readonly root: SiteId;
  /** Default `'main'`. */
  readonly lock?: string;
  /** Records what this site does as NDJSON into `<traceDir>/<site>.ndjson`, which must not exist yet. Default: no record. */
  readonly traceDir?: string;
  /** What the actor runs. Default: Naimi–Trehel. */
  readonly protocol?: Protocol;
  /** Given to XState's `createActor`: any XState inspector. */
  readonly inspect?: Observer<InspectionEvent> | ((event: InspectionEvent) => void);
  /** Told everything worth a log line. Default: nobody is. */
  readonly onNotice?: (notice: Notice) => void;
  /** Told of a broken invariant after the site has stopped. Default: thrown as an uncaught exception, which ends the process. */
  readonly onCrash?: (error: InvariantError) => void;
  readonly limits?: Partial<Limits>;
  readonly clock?: Clock;
  readonly chance?: Chance;
}

export interface Limits {
  /** Bytes of one frame without its length prefix. Default 65,536. */
  readonly maxFrameBytes: number;
  /** Bytes that wait for one peer. A send past it is a crash: the protocol never has many messages under way. Default 4 MiB. */
  readonly maxOutboxBytes: number;
  /** Connections that have not said who they are. Default 64. */
  readonly maxHandshakes: number;
  /** Default 5,000. */
  readonly handshakeTimeoutMs: number;
  /** First pause between two attempts to dial; doubles up to the longest, and is shortened at random by up to half. Default 20. */
  readonly dialMinMs: number;
  /** Default 1,000. */
  readonly dialMaxMs: number;
  /** How long a clean close waits for what is not sent yet. Default 2,000. */
  readonly closeTimeoutMs: number;
}

/** What happened, for a log. */
export type Notice =
  | { readonly type: 'listening'; readonly address: Address }
  | { readonly type: 'connected'; readonly peer: SiteId; readonly incarnation: string }
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
    }
  | { readonly type: 'crash'; readonly error: InvariantError };

export interface AcquireOptions {
  /** Ends the wait: `acquire` rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Ends the wait: `acquire` rejects with `ACQUIRE_TIMEOUT`. Default: waits for ever. */
  readonly timeoutMs?: number;
}

/** The critical section, while it lasts. */
export interface Held extends AsyncDisposable {
  /** Aborted when the site closes or crashes before `release`. */
  readonly signal: AbortSignal;
  /** Does nothing the second time. */
  release(): void;
}

export interface Site {
  readonly id: SiteId;
  /** Where it listens. */
  readonly address: Address;
  /**
   * Waits for the critical section; local callers are served in order.
   *
   * Rejects with `ACQUIRE_TIMEOUT`, `SITE_LEAVING`, `SITE_CLOSED`, the signal's reason, or the InvariantError of a crash.
   */
  acquire(options?: AcquireOptions): Promise<Held>;
  /** Runs `work` in the critical section and releases it, whatever `work` does. */
  run<T>(work: (held: Held) => T | Promise<T>, options?: AcquireOptions): Promise<T>;
  status(): Status;
  counters(): Counters;
  /** Resolves once every peer has been connected. Rejects with `SITE_CLOSED`. */
  ready(): Promise<void>;
  /**
   * Hands the token and the queue on, then closes. It takes the critical section for that, so it waits its
   * turn and then for every peer's answer. The only way to go without harm to the others.
   */
  leave(): Promise<void>;
  /** Closes at once, though cleanly: what is queued is sent. Whoever waits for this site's token waits on. */
  close(): Promise<void>;
}

/** For a person to read: nothing may be decided by it. */
export interface Status {
  readonly last: SiteId | null;
  readonly next: SiteId | null;
  readonly token: boolean;
  /** The state of the client's region, by its name in the statechart. */
  readonly client: string;
  /** Peers that are connected now. */
  readonly connected: readonly SiteId[];
  /** Local callers that wait. */
  readonly waiting: number;
}

/** Since the site was opened. */
export interface Counters {
  /** Messages by `type`. */
  readonly sent: Readonly<Record<string, number>>;
  readonly received: Readonly<Record<string, number>>;
  /** Critical sections entered, that of `leave` included. */
  readonly entered: number;
  /** Connections closed for what they brought, by code. */
  readonly refused: Readonly<Partial<Record<OperatingCode, number>>>;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}
