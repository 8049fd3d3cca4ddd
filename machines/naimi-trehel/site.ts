import { and, assign, not, type SnapshotFrom, setup, stateIn } from 'xstate';
import type { SiteId } from '../actor.ts';
import type { ClientEvent, SiteMessage } from './messages.ts';

/**
 * A site of M. Naimi, M. Trehel, A. Arnold, "A log(N) distributed mutual exclusion algorithm based on path reversal", JPDC 34:1-13,
 * 1996. The names `last` and `next` are the paper's.
 */
export interface SiteContext {
  readonly self: SiteId;
  /** The probable owner of the token, the target of a request. `null`: this site is the root. */
  readonly last: SiteId | null;
  /** The site that gets the token after this one, or `null`. */
  readonly next: SiteId | null;
  readonly token: boolean;
  /** The number of other sites that take part; while this one leaves, the number of those that have not said GOODBYE. */
  readonly peers: number;
}

/** `root` starts with the token, and every other site's `last` points at it. */
export interface SiteInput {
  readonly self: SiteId;
  readonly root: SiteId;
  /** The number of other sites that take part. */
  readonly peers: number;
}

export type SiteEvent = ClientEvent | SiteMessage;

type Send = { readonly target: SiteId; readonly message: SiteMessage };

const sendRequest = {
  type: 'send',
  params: ({ context }: { context: SiteContext }): Send => ({
    target: context.last!,
    message: { type: 'REQUEST', origin: context.self },
  }),
} as const;

const passToken = {
  type: 'send',
  params: ({ context }: { context: SiteContext }): Send => ({
    target: context.next!,
    message: { type: 'TOKEN' },
  }),
} as const;

const forward = (to: (site: SiteContext) => SiteId | null) =>
  ({
    type: 'send',
    params: ({
      context,
      event,
    }: {
      context: SiteContext;
      event: Extract<SiteMessage, { type: 'REQUEST' }>;
    }): Send => ({
      target: to(context)!,
      message: { type: 'REQUEST', origin: event.origin },
    }),
  }) as const;

/**
 * The algorithm has two parallel regions: `client` is the local side, and `routing` decides about requests of
 * other sites. `membership` counts the sites that take part.
 */
export const siteMachine = setup({
  types: {} as { context: SiteContext; events: SiteEvent; input: SiteInput },
  actions: {
    send: (_, _params: Send) => {},
    broadcast: (_, _params: { message: SiteMessage }) => {},
    grant: () => {},
    left: () => {},
    unexpected: (_, _params: { event: SiteEvent }) => {},
    keepToken: assign({ token: true }),
    surrenderToken: assign({ token: false, next: null }),
    becomeRoot: assign({ last: null }),
    turn: assign({ last: ({ event }) => (event as { readonly origin: SiteId }).origin }),
    countPeerOut: assign({ peers: ({ context }) => context.peers - 1 }),
  },
  guards: {
    isRoot: ({ context }) => context.last === null,
    tokenHere: ({ context }) => context.token,
    someoneWaits: ({ context }) => context.next !== null,
    alone: ({ context }) => context.peers === 0,
    lastGoodbye: ({ context }) => context.peers === 1,
    pointsAtLeaver: ({ context, event }) => event.type === 'LEAVE' && context.last === event.leaver,
    idle: stateIn({ client: 'idle' }),
  },
}).createMachine({
  id: 'site',
  context: ({ input }) => ({
    self: input.self,
    last: input.self === input.root ? null : input.root,
    next: null,
    token: input.self === input.root,
    peers: input.peers,
  }),
  type: 'parallel',
  states: {
    client: {
      initial: 'idle',
      states: {
        idle: {
          on: {
            ask: [
              { guard: 'tokenHere', target: 'inCS', actions: 'grant' },
              {
                target: 'requesting',
                actions: sendRequest,
              },
            ],
            try: [{ guard: 'tokenHere', target: 'inCS', actions: 'grant' }, {}],
            // A request that no client made. Once it is under way, `last` does not name the leaver.
            LEAVE: {
              guard: 'pointsAtLeaver',
              target: 'withdrawn',
              actions: sendRequest,
            },
          },
        },
        requesting: {
          on: {
            TOKEN: { target: 'inCS', actions: ['keepToken', 'grant'] },
            withdraw: 'withdrawn',
          },
        },
        withdrawn: {
          on: {
            ask: 'requesting',
            try: {},
            TOKEN: [
              {
                guard: 'someoneWaits',
                target: 'idle',
                actions: [passToken, 'surrenderToken'],
              },
              { target: 'idle', actions: 'keepToken' },
            ],
          },
        },
        inCS: {
          on: {
            release: [
              {
                guard: 'someoneWaits',
                target: 'idle',
                actions: [passToken, 'surrenderToken'],
              },
              { target: 'idle' },
            ],
            again: { actions: 'grant' },
            // Only from inside the critical section, so that at most one site leaves at a time.
            leave: [
              { guard: 'alone', target: 'left', actions: 'left' },
              {
                target: 'leaving',
                actions: {
                  type: 'broadcast',
                  params: ({ context }) => ({ message: { type: 'LEAVE', leaver: context.self } }),
                },
              },
            ],
          },
        },
        leaving: {
          on: {
            GOODBYE: {
              guard: 'lastGoodbye',
              target: 'left',
              // Every other site pointed at this site or waited for it, and has sent a request by now, so
              // `next` is not nil.
              actions: [passToken, 'surrenderToken', 'left'],
            },
          },
        },
        left: {},
      },
    },
    routing: {
      initial: 'placing',
      states: {
        placing: { always: [{ guard: 'isRoot', target: 'root' }, { target: 'forwarding' }] },
        root: {
          on: {
            REQUEST: [
              {
                guard: and(['tokenHere', 'idle']),
                target: 'forwarding',
                actions: [
                  {
                    type: 'send',
                    params: ({ event }) => ({ target: event.origin, message: { type: 'TOKEN' } }),
                  },
                  'surrenderToken',
                  'turn',
                ],
              },
              {
                target: 'forwarding',
                actions: assign({ next: ({ event }) => event.origin, last: ({ event }) => event.origin }),
              },
            ],
          },
        },
        // Every request is forwarded, and the pointer turns to the request's origin: the path reversal.
        forwarding: {
          on: {
            REQUEST: [
              { guard: not(stateIn({ client: 'leaving' })), actions: [forward(({ last }) => last), 'turn'] },
              // The token follows on the same channel, so the request arrives before `next` can leave in its turn.
              { actions: [forward(({ next }) => next), 'turn'] },
            ],
            ask: { guard: and(['idle', not('tokenHere')]), target: 'root', actions: 'becomeRoot' },
            LEAVE: { guard: and(['idle', 'pointsAtLeaver']), target: 'root', actions: 'becomeRoot' },
          },
        },
      },
    },
    membership: {
      initial: 'member',
      states: {
        member: {
          on: {
            GOODBYE: { guard: stateIn({ client: 'leaving' }), actions: 'countPeerOut' },
            LEAVE: {
              actions: [
                'countPeerOut',
                {
                  type: 'send',
                  params: ({ event }) => ({ target: event.leaver, message: { type: 'GOODBYE' } }),
                },
              ],
            },
          },
        },
      },
    },
  },
  on: { '*': { actions: { type: 'unexpected', params: ({ event }) => ({ event }) } } },
});

export type SiteSnapshot = SnapshotFrom<typeof siteMachine>;
