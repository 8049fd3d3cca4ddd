import type { SiteId } from '../actor.ts';

/** A request of a guest: its number among all requests of this guest for this lock, in the session in which it was made. */
export interface Request {
  readonly guest: SiteId;
  /** The guest's number of its session with the member. Every session has a number of its own. */
  readonly session: number;
  readonly request: number;
}

/**
 * A message from a guest to the member that it is attached to. The network delivers the messages of a session
 * in order or not at all.
 */
export type GuestMessage =
  /** The guest wants the critical section. */
  | ({ readonly type: 'ASK' } & Request)
  /**
   * The guest no longer needs the critical section: it has left it or stopped waiting. `again`: request + 1
   * begins.
   */
  | ({ readonly type: 'RELEASE'; readonly again: boolean } & Request);

/** A message from a member to a guest. `request` is the request that it answers. */
export type MemberMessage<Fence = unknown> =
  | { readonly type: 'GRANT'; readonly request: number; readonly fence: Fence }
  /** The member takes no request for this lock. */
  | { readonly type: 'NO_ROOM'; readonly request: number }
  /** The critical section is over: the member has lost the lock. */
  | { readonly type: 'LOST'; readonly request: number };
