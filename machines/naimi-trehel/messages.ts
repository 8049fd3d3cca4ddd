import type { SiteId } from '../actor.ts';

/**
 * The vocabulary of one lock under the published algorithm.
 *
 * - `REQUEST`: `origin` wants the token. The origin travels through every hop: the sender of a message need not be its origin.
 * - `TOKEN`: the right to enter.
 * - `LEAVE`: `leaver`, a site in its critical section, asks every site to stop naming it in `last`.
 * - `GOODBYE`: the answer: the sender's `last` does not, and it sends nothing more to the leaver.
 */
export type SiteMessage =
  | { readonly type: 'REQUEST'; readonly origin: SiteId }
  | { readonly type: 'TOKEN' }
  | { readonly type: 'LEAVE'; readonly leaver: SiteId }
  | { readonly type: 'GOODBYE' };

/**
 * The events of the local client.
 *
 * - `ask`: it wants the critical section.
 * - `release`: its critical section is over.
 * - `again`: its critical section is over, the next one begins and the token stays. A client may say it only a bounded number of
 *   times in a row, or other sites starve.
 * - `try`: outside, with no request under way: it enters if the token is here; otherwise nothing happens.
 * - `withdraw`: it has no more use for its request. The token is still awaited, and handed on.
 * - `leave`: in the critical section: hand the token and the queue on, and take part no longer.
 */
export type ClientEvent =
  | { readonly type: 'ask' }
  | { readonly type: 'release' }
  | { readonly type: 'again' }
  | { readonly type: 'try' }
  | { readonly type: 'withdraw' }
  | { readonly type: 'leave' };
