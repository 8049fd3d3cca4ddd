import { assign, type SnapshotFrom, setup } from 'xstate';
import type { SiteId } from '../actor.ts';
import type { GuestMessage, MemberMessage } from './messages.ts';

/**
 * One lock at a guest: a process that is no member of the cluster, has no vote and no disk, and stands in no list. It
 * asks a member, which stands in line on its behalf.
 *
 * A process that is served by a proxy at a fixed site is known from B. R. Badrinath, A. Acharya, T. Imielinski, "Structuring
 * distributed algorithms for mobile hosts" (ICDCS 1994), the lease of its session from C. Gray, D. Cheriton, "Leases: an
 * efficient fault-tolerant mechanism for distributed file cache consistency" (SOSP 1989).
 */
export interface GuestContext {
  readonly self: SiteId;
  /** The member of the present session. `null`: the guest is attached to none. */
  readonly member: SiteId | null;
  /** Number of the present session, or of the last one. */
  readonly session: number;
  /** The number of the last request. No two requests of a guest share one, whatever members they went to. */
  readonly request: number;
}

export interface GuestInput {
  readonly self: SiteId;
  /** The highest number of a request that this guest has made for the lock before. Default: 0. */
  readonly request?: number;
}

/**
 * The events of the driver.
 *
 * - `ask`, `release`, `withdraw`: the client, as at a site. `releaseAndAsk` ends a critical section and waits for the next one,
 *   with one message.
 * - `attached`: a session with `member` has begun.
 * - `expired`: the session is over: its lease has ended by the guest's clock, or the member is known to be gone. The member
 *   ends it later than that (G3).
 */
export type GuestInputEvent =
  | { readonly type: 'ask' | 'release' | 'releaseAndAsk' | 'withdraw' | 'expired' }
  | { readonly type: 'attached'; readonly member: SiteId; readonly session: number };

export type GuestEvent = GuestInputEvent | MemberMessage;

/**
 * The requests of the statechart to its driver. Each is a named action whose params are the other keys.
 *
 * - `grant`: the critical section has been entered, under the member's fence.
 * - `refused`: the member takes no request for this lock.
 * - `lost`: the critical section is over without a release.
 * - `moved`: the request goes to another session, at the end of the line of its member.
 */
export type GuestEffect =
  | { readonly type: 'send'; readonly target: SiteId; readonly message: GuestMessage }
  | { readonly type: 'grant'; readonly fence: unknown }
  | { readonly type: 'refused' | 'lost' | 'moved' }
  | { readonly type: 'unexpected'; readonly event: GuestEvent };

type At<Event = GuestEvent> = { readonly context: GuestContext; readonly event: Event };
type Send = { readonly target: SiteId; readonly message: GuestMessage };

const sendAsk = {
  type: 'send',
  params: ({ context: { self, member, session, request } }: At): Send => ({
    target: member!,
    message: { type: 'ASK', guest: self, session, request },
  }),
} as const;

const sendRelease = (again: boolean) =>
  ({
    type: 'send',
    params: ({ context: { self, member, session, request } }: At): Send => ({
      target: member!,
      message: { type: 'RELEASE', guest: self, session, request, again },
    }),
  }) as const;

export const guestMachine = setup({
  types: {} as { context: GuestContext; events: GuestEvent; input: GuestInput },
  actions: {
    send: (_, _params: Send) => {},
    grant: (_, _params: { fence: unknown }) => {},
    refused: () => {},
    lost: () => {},
    moved: () => {},
    unexpected: (_, _params: { event: GuestEvent }) => {},
    attach: assign(({ context, event }) =>
      event.type === 'attached' ? { member: event.member, session: event.session } : context,
    ),
    detach: assign({ member: null }),
    countRequest: assign({ request: ({ context }) => context.request + 1 }),
  },
  guards: {
    isAttached: ({ context }) => context.member !== null,
    /**
     * An answer to the last request counts only in the session in which the request was made, and while that
     * session lasts.
     */
    isAnswer: ({ context: { member, request }, event }) =>
      member !== null && 'request' in event && event.request === request,
  },
}).createMachine({
  id: 'guest',
  context: ({ input }) => ({ self: input.self, member: null, session: 0, request: input.request ?? 0 }),
  initial: 'idle',
  states: {
    idle: {
      on: {
        ask: [
          { guard: 'isAttached', target: 'requesting', actions: ['countRequest', sendAsk] },
          { target: 'requesting' },
        ],
        attached: { actions: 'attach' },
        expired: { actions: 'detach' },
      },
    },
    requesting: {
      on: {
        GRANT: [
          {
            guard: 'isAnswer',
            target: 'inCS',
            actions: { type: 'grant', params: ({ event }) => ({ fence: event.fence }) },
          },
          {},
        ],
        NO_ROOM: [{ guard: 'isAnswer', target: 'idle', actions: 'refused' }, {}],
        withdraw: [{ guard: 'isAttached', target: 'idle', actions: sendRelease(false) }, { target: 'idle' }],
        attached: { actions: ['attach', 'countRequest', sendAsk] },
        expired: { actions: ['detach', 'moved'] },
      },
    },
    inCS: {
      on: {
        release: { target: 'idle', actions: sendRelease(false) },
        releaseAndAsk: { target: 'requesting', actions: [sendRelease(true), 'countRequest'] },
        LOST: [{ guard: 'isAnswer', target: 'idle', actions: 'lost' }, {}],
        expired: { target: 'idle', actions: ['detach', 'lost'] },
      },
    },
  },
  on: {
    // An answer to a request that was withdrawn, or was made in an earlier session.
    GRANT: {},
    NO_ROOM: {},
    LOST: {},
    '*': { actions: { type: 'unexpected', params: ({ event }) => ({ event }) } },
  },
});

export type GuestSnapshot = SnapshotFrom<typeof guestMachine>;
