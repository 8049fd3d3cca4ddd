import { assign, type SnapshotFrom, setup } from 'xstate';
import type { SiteId } from '../actor.ts';
import type { GuestMessage, MemberMessage, Request } from './messages.ts';

/**
 * One lock at a member, on behalf of its guests. For each of their requests the member stands in its own line once, as for a
 * client of its own, so guests and local clients share the line in the order in which they came.
 */
export interface ProxyContext {
  /** The waiting requests of guests, in order of arrival. */
  readonly line: readonly Request[];
  /** The request that has the member's critical section. */
  readonly holder: Request | null;
}

/**
 * The events of the driver.
 *
 * - `granted`: the member has entered the critical section for one of the `acquire`s that it was asked for. Not before it
 *   was left by `release`.
 * - `refused`: the member cannot stand in line for this request: it has no room for the lock.
 * - `lost`: the member's critical section is over without a release.
 * - `sessionEnded`: the guest's session is over, and the guest knows it: its lease has ended by the guest's clock, or
 *   the guest has said so (G3). Nothing of this session comes later.
 */
export type ProxyInputEvent =
  | { readonly type: 'granted'; readonly fence: unknown }
  | ({ readonly type: 'refused' } & Request)
  | { readonly type: 'lost' }
  | { readonly type: 'sessionEnded'; readonly guest: SiteId; readonly session: number };

export type ProxyEvent = ProxyInputEvent | GuestMessage;

/**
 * The requests of the statechart to its driver. Each is a named action whose params are the other keys.
 *
 * - `acquire`: stand at the end of the member's line once more, for this request.
 * - `abandon`: stand in it once less, for this request, unless that has been granted.
 * - `release`: leave the critical section.
 */
export type ProxyEffect =
  | { readonly type: 'send'; readonly target: SiteId; readonly message: MemberMessage }
  | ({ readonly type: 'acquire' | 'abandon' } & Request)
  | { readonly type: 'release' }
  | { readonly type: 'unexpected'; readonly event: ProxyEvent };

type At<Event = ProxyEvent> = { readonly context: ProxyContext; readonly event: Event };
type Of<Type extends ProxyEvent['type']> = Extract<ProxyEvent, { type: Type }>;
type Send = { readonly target: SiteId; readonly message: MemberMessage };

const isSame = (one: Request | null, other: Request) =>
  one !== null && one.guest === other.guest && one.session === other.session && one.request === other.request;

const isOf = (one: Request | null, { guest, session }: Of<'sessionEnded'>) =>
  one !== null && one.guest === guest && one.session === session;

const requestOf = ({ guest, session, request }: Request): Request => ({ guest, session, request });

const nextOf = ({ guest, session, request }: Request): Request => ({ guest, session, request: request + 1 });

const acquire = (of: (request: Request) => Request) =>
  ({ type: 'acquire', params: ({ event }: At) => of(event as Of<'ASK' | 'RELEASE'>) }) as const;

const abandon = { type: 'abandon', params: ({ event }: At) => requestOf(event as Of<'RELEASE'>) } as const;

const sendNoRoom = {
  type: 'send',
  params: ({ event }: At): Send => {
    const { guest, request } = event as Of<'refused'>;
    return { target: guest, message: { type: 'NO_ROOM', request } };
  },
} as const;

const sendLost = {
  type: 'send',
  params: ({ context }: At): Send => ({
    target: context.holder!.guest,
    message: { type: 'LOST', request: context.holder!.request },
  }),
} as const;

/** A RELEASE of a request that does not hold the critical section: it waits, or its member has lost the lock meanwhile. */
const withdrawal = [
  { guard: 'asksAgain', actions: [acquire(nextOf), 'appendNext'] },
  { guard: 'isInLine', actions: [abandon, 'remove'] },
  {},
] as const;

export const proxySetup = setup({
  types: {} as { context: ProxyContext; events: ProxyEvent },
  actions: {
    send: (_, _params: Send) => {},
    acquire: (_, _params: Request) => {},
    abandon: (_, _params: Request) => {},
    release: () => {},
    unexpected: (_, _params: { event: ProxyEvent }) => {},
    append: assign({
      line: ({ context, event }) => [...context.line, requestOf(event as Of<'ASK'>)],
    }),
    appendNext: assign({
      line: ({ context, event }) => [...context.line, nextOf(event as Of<'RELEASE'>)],
    }),
    remove: assign({
      line: ({ context, event }) =>
        context.line.filter((one) => !isSame(one, event as Of<'RELEASE' | 'refused'>)),
    }),
    removeSession: assign({
      line: ({ context, event }) => context.line.filter((one) => !isOf(one, event as Of<'sessionEnded'>)),
    }),
    serveFirst: assign(({ context: { line } }) => ({ holder: line[0]!, line: line.slice(1) })),
    takeBack: assign({ holder: null }),
  },
  guards: {
    someoneWaits: ({ context }) => context.line.length > 0,
    isHolder: ({ context, event }) => event.type === 'RELEASE' && isSame(context.holder, event),
    holderAsksAgain: ({ context, event }) =>
      event.type === 'RELEASE' && event.again && isSame(context.holder, event),
    asksAgain: ({ event }) => event.type === 'RELEASE' && event.again,
    isInLine: ({ context, event }) => 'request' in event && context.line.some((one) => isSame(one, event)),
    isHoldersSession: ({ context, event }) => event.type === 'sessionEnded' && isOf(context.holder, event),
    sessionWaits: ({ context, event }) =>
      event.type === 'sessionEnded' && context.line.some((one) => isOf(one, event)),
  },
});

const abandonSession = proxySetup.enqueueActions(({ context, event, enqueue }) => {
  for (const one of context.line)
    if (isOf(one, event as Of<'sessionEnded'>)) enqueue({ type: 'abandon', params: one });
});

export const proxyMachine = proxySetup.createMachine({
  id: 'proxy',
  context: { line: [], holder: null },
  initial: 'outside',
  states: {
    outside: {
      on: {
        granted: [
          {
            guard: 'someoneWaits',
            target: 'inside',
            actions: [
              {
                type: 'send',
                params: ({ context: { line }, event }: At<Of<'granted'>>): Send => ({
                  target: line[0]!.guest,
                  message: { type: 'GRANT', request: line[0]!.request, fence: event.fence },
                }),
              },
              'serveFirst',
            ],
          },
          // The guest withdrew the request at the moment when the member entered for it.
          { actions: 'release' },
        ],
        lost: {},
      },
    },
    inside: {
      on: {
        RELEASE: [
          {
            guard: 'holderAsksAgain',
            target: 'outside',
            // The request is first in the line again, so that the member may go on inside.
            actions: [acquire(nextOf), 'appendNext', 'takeBack', 'release'],
          },
          { guard: 'isHolder', target: 'outside', actions: ['takeBack', 'release'] },
          ...withdrawal,
        ],
        sessionEnded: [
          { guard: 'isHoldersSession', target: 'outside', actions: ['takeBack', 'release'] },
          { guard: 'sessionWaits', actions: [abandonSession, 'removeSession'] },
          {},
        ],
        lost: { target: 'outside', actions: [sendLost, 'takeBack'] },
      },
    },
  },
  on: {
    ASK: { actions: [acquire(requestOf), 'append'] },
    RELEASE: withdrawal,
    refused: [{ guard: 'isInLine', actions: [sendNoRoom, 'remove'] }, {}],
    sessionEnded: [{ guard: 'sessionWaits', actions: [abandonSession, 'removeSession'] }, {}],
    '*': { actions: { type: 'unexpected', params: ({ event }) => ({ event }) } },
  },
});

export type ProxySnapshot = SnapshotFrom<typeof proxyMachine>;
