import type { SiteId } from '../actor.ts';

/**
 * The vocabulary of one lock that survives failures (protocol.md, section 2). `epoch` and `root` are of the
 * epoch that the sender has adopted; in VOTE_REQUEST and VOTE, `epoch` is the one that is voted about, which
 * has no root yet.
 *
 * - `REQUEST`: `origin` wants the token.
 * - `TOKEN`: the right to enter; `k` counts the entries of this epoch so far.
 * - `NEW`: this epoch has begun, a star around `root`.
 * - `VOTE_REQUEST`: `candidate` wants a majority of the voters for `epoch`.
 * - `VOTE`: `voter` will hear of no epoch below `epoch` any more; `holds` is the epoch of the token that it
 *   has, `null` when it has none.
 * - `REFUSE`: your candidacy is below my `promise` (R10).
 */
export type SiteMessage =
  | { readonly type: 'REQUEST'; readonly epoch: number; readonly root: SiteId; readonly origin: SiteId }
  | { readonly type: 'TOKEN'; readonly epoch: number; readonly root: SiteId; readonly k: number }
  | { readonly type: 'NEW'; readonly epoch: number; readonly root: SiteId }
  | { readonly type: 'VOTE_REQUEST'; readonly epoch: number; readonly candidate: SiteId }
  | {
      readonly type: 'VOTE';
      readonly epoch: number;
      readonly voter: SiteId;
      readonly holds: number | null;
    }
  | { readonly type: 'REFUSE'; readonly epoch: number; readonly root: SiteId; readonly promise: number };

/**
 * What the local client and its driver say.
 *
 * - `ask`: wants the critical section.
 * - `release`: its critical section is over.
 * - `withdraw`: has no more use for the request that is under way.
 * - `suspect`: somebody seems to have failed. May come at any time; how long to wait, and to wait longer each
 *   time and by chance (R10), is the driver's.
 */
export type ClientEvent =
  | { readonly type: 'ask' }
  | { readonly type: 'release' }
  | { readonly type: 'withdraw' }
  | { readonly type: 'suspect' };

/** The number of a grant: compared by `epoch`, then by `k`. */
export interface Fence {
  readonly epoch: number;
  readonly k: number;
}

/**
 * What must be on the disk before any later effect of the same step is run.
 *
 * - `promised`: the highest epoch that this site stood or voted for, or adopted.
 * - `epoch`, `root`: what it adopted last.
 *
 * The `votedFor` of protocol.md is left out: a vote is given only for an epoch above the promise and makes
 * it the promise, so nobody would ever read for whom it was.
 */
export interface Disk {
  readonly promised: number;
  readonly epoch: number;
  readonly root: SiteId;
}

/**
 * What the statechart asks of its driver; each is a named action whose params are the other keys.
 *
 * - `send`, `broadcast`, `unexpected`: as in the contract of `machines/actor.ts`.
 * - `persist`: write and sync this, then go on with the effects that follow.
 * - `grant`: the critical section has been entered, under this fence.
 * - `lost`: the critical section is over without a release: a later epoch gave the lock to somebody else.
 * - `elected`: this site won `epoch` with the votes of `voters`, and `root` has its token.
 */
export type EpochEffect =
  | { readonly type: 'send'; readonly target: SiteId; readonly message: SiteMessage }
  | { readonly type: 'broadcast'; readonly message: SiteMessage }
  | ({ readonly type: 'persist' } & Disk)
  | { readonly type: 'grant'; readonly fence: Fence }
  | { readonly type: 'lost'; readonly fence: Fence }
  | {
      readonly type: 'elected';
      readonly epoch: number;
      readonly root: SiteId;
      readonly voters: Readonly<Record<SiteId, true>>;
    }
  | { readonly type: 'unexpected'; readonly event: { readonly type: string } };
