import type { SiteId } from '../../machines/actor.ts';
import type { Suspicion } from '../../machines/epoch/messages.ts';
import type { InvariantError, OperatingError } from './errors.ts';
import type { Fence } from './fence.ts';
import type { Address, PeerChange } from './peer.ts';

/** A logger. Pino fits, and so does the console. */
export interface Logger {
  trace(what: object, message: string): void;
  debug(what: object, message: string): void;
  info(what: object, message: string): void;
  warn(what: object, message: string): void;
  error(what: object, message: string): void;
}

/** An event of a site, for a log. */
export type Notice =
  /** A peer is believed up, down or restarted. */
  | PeerChange
  /** This site stands for a new epoch of the lock, because a site seems to have failed. */
  | { readonly type: 'suspected'; readonly lock: string; readonly because: Suspicion }
  /** This site has won `epoch`. */
  | { readonly type: 'elected'; readonly lock: string; readonly epoch: number; readonly root: SiteId }
  /** This site has adopted `epoch`. */
  | { readonly type: 'adopted'; readonly lock: string; readonly epoch: number; readonly root: SiteId }
  /**
   * The critical section under `fence` has ended without a release: a later epoch gave the lock away, or its
   * lease is over.
   */
  | { readonly type: 'lost'; readonly lock: string; readonly fence: Fence }
  | { readonly type: 'listening'; readonly address: Address }
  /** Every site has agreed to the founding of the cluster, now or in an earlier run: locks may be granted. */
  | { readonly type: 'founded'; readonly generation: number; readonly ids: Readonly<Record<SiteId, string>> }
  /** These sites vote from now on. `joins`: this site has become a member by this configuration. */
  | {
      readonly type: 'members';
      readonly term: number;
      readonly version: number;
      readonly voters: readonly SiteId[];
      readonly joins: boolean;
    }
  /** The link is up, for the first time or again. */
  | { readonly type: 'connected'; readonly peer: SiteId; readonly incarnation: string }
  /** This guest is attached to a member, which stands in line for it. */
  | { readonly type: 'attached'; readonly member: SiteId }
  /** At a guest that waits for the lock: its member is gone, and it asks the next one again, at the end of that member's line. */
  | { readonly type: 'moved'; readonly lock: string }
  /** The connection broke. The link will be up again unless the peer is dead, and nothing is lost. */
  | { readonly type: 'connection-lost'; readonly peer: SiteId; readonly reason: string }
  /**
   * `count` messages to the peer are lost: they were for an incarnation of the peer, or of this link, that is
   * over.
   */
  | { readonly type: 'dropped'; readonly peer: SiteId; readonly count: number }
  /** The peer does not answer (yet), and is dialled again. */
  | {
      readonly type: 'dial-failed';
      readonly peer: SiteId;
      readonly reason: string;
      readonly retryInMs: number;
    }
  /** The peer has handed everything on and takes part no longer. */
  | { readonly type: 'left'; readonly peer: SiteId }
  /** A peer or a connection has a fault. `peer` is given if it is known; `remote` is an address. */
  | {
      readonly type: 'error';
      readonly error: OperatingError;
      readonly peer: SiteId | null;
      readonly remote: string | null;
      /**
       * Number of errors of this kind that were left out since the last one: at most ten a second are
       * reported.
       */
      readonly untold?: number;
    }
  /**
   * Callers wait, and no majority of the voters has been reachable for so long that an operator should look.
   * `missing` are the unreachable voters, `of` is the number of all voters. Sent once, until there is a
   * majority again.
   */
  | { readonly type: 'no-majority'; readonly missing: readonly SiteId[]; readonly of: number }
  /** The lock has been held for longer than its `maxHoldMs`. `forced`: it was released. */
  | {
      readonly type: 'held-long';
      readonly lock: string;
      readonly fence: Fence;
      readonly heldMs: number;
      readonly forced: boolean;
    }
  /**
   * A grant became garbage before its release, so no other caller is granted the lock. `taken`: the stack of
   * `acquire`; `null` if grants came faster than one a millisecond.
   */
  | { readonly type: 'leaked'; readonly lock: string; readonly fence: Fence; readonly taken: string | null }
  /** A site keeps every name for good: it has `known` names, and refuses more than `most` (`limits`). */
  | {
      readonly type: 'many-locks';
      readonly known: number;
      readonly most: number;
      readonly limit: 'maxLocks' | 'maxLocksOfPeer';
      /** The peer whose locks are limited; `null` for a limit of the whole site. */
      readonly peer: SiteId | null;
    }
  | { readonly type: 'crash'; readonly error: InvariantError };
