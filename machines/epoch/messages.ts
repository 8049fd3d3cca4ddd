import type { SiteId } from '../actor.ts';

/**
 * The vocabulary of one lock that survives failures (protocol.md, section 3). `epoch` and `root` are of the
 * epoch that the sender has adopted; in VOTE_REQUEST and VOTE, `epoch` is the one that is voted about, which
 * has no root yet.
 *
 * - `REQUEST`: `origin` wants the token.
 * - `TOKEN`: the right to enter; `k` counts the entries of this epoch so far, and `line` has the sites that get the
 *   token after its receiver's own line (R12).
 * - `NEW`: this epoch has begun, a star around `root`.
 * - `VOTE_REQUEST`: `candidate` wants a majority of the voters for `epoch`, which it counts in the configuration at
 *   (`term`, `version`) (M3).
 * - `VOTE`: `voter` ignores every epoch below `epoch` from now on; `holds` is the epoch of the token that it
 *   has, `null` when it has none.
 * - `REFUSE`: your candidacy is below my `promise`, or for the epoch that I have adopted (R10).
 * - `OVER`: `from` did not take your request of `epoch` (M5). `full`: nor your VOTE_REQUEST, since it has no room for the lock.
 * - `FORGET`: `from` had the token of `epoch` and gave it up, since nobody uses the lock: the epoch is over (R13).
 *
 * In strict mode alone:
 *
 * - `HEARTBEAT`: `origin` asks for a promise, which it counts from its own sending of `round`, in the configuration at
 *   (`term`, `version`); it `stays` in a critical section, or wants to enter one.
 * - `PROMISE`: `voter` votes for no epoch until its own time is over, which it began to count on that heartbeat.
 */
export type SiteMessage =
  | { readonly type: 'REQUEST'; readonly epoch: number; readonly root: SiteId; readonly origin: SiteId }
  | {
      readonly type: 'TOKEN';
      readonly epoch: number;
      readonly root: SiteId;
      readonly k: number;
      readonly line: readonly SiteId[];
    }
  | { readonly type: 'NEW'; readonly epoch: number; readonly root: SiteId }
  | {
      readonly type: 'VOTE_REQUEST';
      readonly epoch: number;
      readonly candidate: SiteId;
      readonly term: number;
      readonly version: number;
    }
  | {
      readonly type: 'VOTE';
      readonly epoch: number;
      readonly voter: SiteId;
      readonly holds: number | null;
    }
  | { readonly type: 'REFUSE'; readonly epoch: number; readonly root: SiteId; readonly promise: number }
  | { readonly type: 'OVER'; readonly epoch: number; readonly from: SiteId; readonly full: boolean }
  | { readonly type: 'FORGET'; readonly epoch: number; readonly root: SiteId; readonly from: SiteId }
  | {
      readonly type: 'HEARTBEAT';
      readonly epoch: number;
      readonly root: SiteId;
      readonly origin: SiteId;
      readonly round: number;
      readonly stays: boolean;
      readonly term: number;
      readonly version: number;
    }
  | {
      readonly type: 'PROMISE';
      readonly epoch: number;
      readonly root: SiteId;
      readonly voter: SiteId;
      readonly round: number;
    };

/**
 * The events of the local client and its driver.
 *
 * - `ask`: wants the critical section.
 * - `release`: its critical section is over. If it is `lost` already, that and `again` do nothing.
 * - `releaseAndAsk`: its critical section is over and it wants the next one: as `release` and then `ask`, but that a site
 *   in whose line others stand goes to the end of that line, and sends no REQUEST (R12).
 * - `again`: inside: its critical section is over and its next one begins, under the next fence; the token stays. It
 *   may say so a bounded number of times in a row (protocol.md, "Client-side rules"), or others starve. Frozen it does nothing: the
 *   critical section goes on.
 * - `try`: outside, with no request under way: enters if no other site need be asked: the token is here, the site follows its
 *   epoch and, in strict mode, has a lease in force. Otherwise nothing.
 * - `withdraw`: has no more use for the request that is under way.
 * - `suspect`: a peer may have failed. This may come at any time. The runtime chooses when, with random backoff (R10).
 *   The statechart does not read `because`: it is for the record.
 * - `forget`: no caller has used the lock for long. A site that has the token, and no use for it, gives it up (R13).
 */
export type ClientEvent =
  | { readonly type: 'ask' }
  | { readonly type: 'release' }
  | { readonly type: 'releaseAndAsk' }
  | { readonly type: 'again' }
  | { readonly type: 'try' }
  | { readonly type: 'withdraw' }
  | { readonly type: 'suspect'; readonly because?: Suspicion }
  | { readonly type: 'forget' };

/**
 * Why a site stands for a new epoch of a lock.
 *
 * - `minority`: callers wait, and no majority of the voters is in reach. The lock freezes, so that no minority grants it.
 *   Once: an epoch that is adopted afterwards was elected by a majority, which some other site reaches.
 * - `election`: the lock is frozen, so an election is under way or failed (R10: stand again, later each time).
 * - `restart`: callers wait, and the lock is recovering from the site's own crash (R7: its epoch is over for this site).
 * - `forgotten`: callers wait for a lock that no site uses or remembers, so that no site has its token (R13).
 * - `death`: callers wait, and a site that may have a part in the present epoch has died.
 * - `loss`: a message from here to an earlier incarnation was lost. It may have been the token, the request of the new
 *   incarnation or of a third site, or the news of the present epoch, and the site that misses it does not know; so this
 *   site stands though nobody waits here.
 * - `patience`: callers wait long, and some site is down. A site may have heard of a death before it heard of an epoch in
 *   which the dead still took part, or be cut off from a site that all others reach.
 */
export type SuspicionReason =
  | 'minority'
  | 'election'
  | 'restart'
  | 'forgotten'
  | 'death'
  | 'loss'
  | 'patience';

/** A site's grounds for a new epoch, and the peers that it believed dead then, each with the grounds for that. */
export interface Suspicion {
  readonly reason: SuspicionReason;
  readonly down: Readonly<Record<SiteId, string>>;
}

/**
 * The voters from now on (protocol.md, section 4), as the members of the cluster have agreed. A candidacy
 * that counted in an earlier configuration ends, and so does an open round of heartbeats. `joins`: this site
 * has only now become a member. It took no part in the epochs up to `base`, so it behaves as a site that
 * crashed in them (R7).
 */
export type MembersChange = {
  readonly type: 'configured';
  readonly voters: Readonly<Record<SiteId, true>>;
  readonly joins: boolean;
} & Membership;

/**
 * The place of a configuration in their order, and the highest epoch of any lock that may have been decided
 * before it.
 */
export interface Membership {
  readonly term: number;
  readonly version: number;
  readonly base: number;
}

/**
 * The events of time in strict mode, sent by the driver from a monotonic clock. Two lengths: a lease of `L`, and a
 * promise of at least `L (1 + d) / (1 - d)`, where no clock is off by more than the share `d`: a lease ends before
 * every promise that was begun after it, wherever. Ends that have passed are told before any other event: a site that
 * was stopped (SIGSTOP) must not go on as if no time had passed.
 *
 * - `heartbeat`: told at an interval well below `L`, from the first `leaseTimer` on while the client waits or is
 *   inside. It does nothing where the token is not, and while a round is still counted.
 * - `leaseOver`: `L` after the effect `leaseTimer` of this epoch and round. None needs to be cancelled.
 * - `promiseOver`: the length of a promise after the last effect `promiseTimer`.
 */
export type TimeEvent =
  | { readonly type: 'heartbeat' }
  | { readonly type: 'leaseOver'; readonly epoch: number; readonly round: number }
  | { readonly type: 'promiseOver' };

/** The number of a grant: compared by `epoch`, then by `k`. */
export interface Fence {
  readonly epoch: number;
  readonly k: number;
}

/**
 * The state that must be on the disk before any later effect of the same step is run.
 *
 * - `promised`: the highest epoch that this site stood or voted for, or adopted.
 * - `epoch`, `root`: the epoch that it adopted last, and the root of that.
 *
 * The `votedFor` of protocol.md is left out: a vote is given only for an epoch above the promise and makes it the
 * promise, so the candidate it was for would never be read.
 */
export interface DurableState {
  readonly promised: number;
  readonly epoch: number;
  readonly root: SiteId;
}

/**
 * The requests of the statechart to its driver. Each is a named action whose params are the other keys.
 *
 * - `send`, `broadcast`, `unexpected`: as in the contract of `machines/actor.ts`.
 * - `persist`: write and sync this, then go on with the effects that follow.
 * - `grant`: the critical section has been entered, under this fence.
 * - `lost`: the critical section is over without a release: a later epoch gave the lock to another site, or (in strict
 *   mode) the lease is over.
 * - `elected`: this site won `epoch` with the votes of `voters`, and `root` has its token.
 * - `unheard`: `by` did not take what this site sent. `waits`: that was the request of `epoch` that is under way, so without
 *   another epoch it waits for ever.
 * - `forgotten`: this site is idle, and its epoch is over. The driver may drop all of the lock but a promise that is at least
 *   this one, and begin it anew when it is used again (`SiteInput.forgotten`, R13).
 */
export type EpochEffect =
  | { readonly type: 'send'; readonly target: SiteId; readonly message: SiteMessage }
  | { readonly type: 'broadcast'; readonly message: SiteMessage }
  | ({ readonly type: 'persist' } & DurableState)
  | { readonly type: 'grant'; readonly fence: Fence }
  | { readonly type: 'lost'; readonly fence: Fence }
  | {
      readonly type: 'elected';
      readonly epoch: number;
      readonly root: SiteId;
      readonly voters: Readonly<Record<SiteId, true>>;
    }
  | {
      readonly type: 'unheard';
      readonly epoch: number;
      readonly by: SiteId;
      readonly full: boolean;
      readonly waits: boolean;
    }
  | { readonly type: 'forgotten' }
  | { readonly type: 'unexpected'; readonly event: { readonly type: string } }
  | LeaseEffect;

/**
 * The further requests of the statechart in strict mode.
 *
 * - `leaseTimer`: `L` from now, say `leaseOver` with these. It comes before the heartbeats that it counts.
 * - `promiseTimer`: the length of a promise from now, say `promiseOver`, and no longer at the time set before.
 * - `leased`: a majority promised in this round: until its `leaseOver`, this site may be inside.
 * - `leaseEnded`, `promiseEnded`: that time is over. If the client was inside, `lost` comes as well.
 */
export type LeaseEffect =
  | { readonly type: 'leaseTimer' | 'leased' | 'leaseEnded'; readonly epoch: number; readonly round: number }
  | { readonly type: 'promiseTimer' | 'promiseEnded' };
