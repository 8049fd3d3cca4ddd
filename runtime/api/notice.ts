import type { SiteId } from '../../machines/actor.ts';
import type { InvariantError, OperatingError } from './errors.ts';
import type { Fence } from './fence.ts';
import type { Address, PeerChange } from './peer.ts';

/** A logger. Pino is one, and so is the console. */
export interface Logger {
  trace(what: object, message: string): void;
  debug(what: object, message: string): void;
  info(what: object, message: string): void;
  warn(what: object, message: string): void;
  error(what: object, message: string): void;
}

/** An event of a site, for a log. */
export type Notice =
  /** A peer is believed to be up, down or restarted. */
  | PeerChange
  /** This site stands for a new epoch of the lock: it seems that a site has failed. */
  | { readonly type: 'suspected'; readonly lock: string }
  /** It has won `epoch`. */
  | { readonly type: 'elected'; readonly lock: string; readonly epoch: number; readonly root: SiteId }
  /** It has adopted `epoch`. */
  | { readonly type: 'adopted'; readonly lock: string; readonly epoch: number; readonly root: SiteId }
  /** The critical section under `fence` is over without a release: a later epoch gave the lock away, or its lease is over. */
  | { readonly type: 'lost'; readonly lock: string; readonly fence: Fence }
  | { readonly type: 'listening'; readonly address: Address }
  /** Every site has agreed to the founding of the cluster, now or in an earlier run: locks may be granted. */
  | { readonly type: 'founded'; readonly generation: number; readonly ids: Readonly<Record<SiteId, string>> }
  /** From now on these sites vote. `joins`: this one has become a member by it. */
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
  /** It will be up again unless the peer is dead: nothing is lost by it. */
  | { readonly type: 'connection-lost'; readonly peer: SiteId; readonly reason: string }
  /** `count` messages to the peer are lost: they were for an incarnation of it, or of this link, that is over. */
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
      /** Number of errors of this kind that were not told since the last one: at most ten a second are. */
      readonly untold?: number;
    }
  /**
   * Callers wait, and no majority of the voters has been in reach for so long that an operator should look: `missing` are the
   * voters that are not, among `of`. Told once, until there is a majority again.
   */
  | { readonly type: 'no-majority'; readonly missing: readonly SiteId[]; readonly of: number }
  /** The lock is held for longer than its `maxHoldMs`. `forced`: it was released. */
  | {
      readonly type: 'held-long';
      readonly lock: string;
      readonly fence: Fence;
      readonly heldMs: number;
      readonly forced: boolean;
    }
  /**
   * A grant became garbage before its release, so no other caller is granted the lock. `taken`: the stack of `acquire`; `null` when
   * grants came faster than one a millisecond.
   */
  | { readonly type: 'leaked'; readonly lock: string; readonly fence: Fence; readonly taken: string | null }
  /** A site keeps every name for good: it has `known` names, and refuses more than `most` (`limits`). */
  | {
      readonly type: 'many-locks';
      readonly known: number;
      readonly most: number;
      readonly limit: 'maxLocks' | 'maxLocksOfPeer';
      /** The peer whose locks are limited, where it is one's. */
      readonly peer: SiteId | null;
    }
  | { readonly type: 'crash'; readonly error: InvariantError };
