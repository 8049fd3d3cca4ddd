import type { SiteId } from '../actor.ts';

/**
 * The vocabulary of one lock on the wire.
 *
 * - `REQUEST`: `origin` wants the token. The origin travels through every hop: the neighbour that
 *   delivers a request is not the site that made it.
 * - `TOKEN`: the right to enter.
 * - `LEAVE`: `leaver` is in its critical section, and asks every site to stop naming it in `last`.
 * - `GOODBYE`: the answer to LEAVE: the sender's `last` does not name the receiver, and nothing more will come from
 *   it.
 */
export type SiteMessage =
  | { readonly type: 'REQUEST'; readonly origin: SiteId }
  | { readonly type: 'TOKEN' }
  | { readonly type: 'LEAVE'; readonly leaver: SiteId }
  | { readonly type: 'GOODBYE' };

/**
 * The events of the local client.
 *
 * - `ask`: wants the critical section.
 * - `release`: its critical section is over.
 * - `again`: inside: its critical section is over and its next one begins; the token stays. It may say so only so
 *   many times in a row (protocol, client-side rules), or others starve.
 * - `try`: outside, with no request under way: enters if the token is here; otherwise nothing.
 * - `withdraw`: has no more use for the request that is under way. A request that was sent cannot be
 *   unlinked, so its token is still awaited, and passed on (protocol, client-side rules).
 * - `leave`: in the critical section: hand the token and the queue on, and take part no longer.
 */
export type ClientEvent =
  | { readonly type: 'ask' }
  | { readonly type: 'release' }
  | { readonly type: 'again' }
  | { readonly type: 'try' }
  | { readonly type: 'withdraw' }
  | { readonly type: 'leave' };
