import { and, assign, not, type SnapshotFrom, setup, stateIn } from 'xstate';
import type { SiteId } from '../actor.ts';
import type { ClientEvent, SiteMessage } from './messages.ts';
import { handOver, joinedLine, type Line, withoutToken, withToken } from './rule.ts';

/**
 * The line rule (R12): the algorithm of Naimi, Trehel and Arnold (JPDC 34:1-13, 1996) in which a site that is not idle keeps every
 * request that reaches it. Under load a critical section costs one message instead of three, and a request that stands in a
 * line is overtaken by at most N - 1 entries.
 *
 * Queues that travel with the token are known from F. Mueller, "Prioritized token-based mutual exclusion for distributed
 * systems" (IPPS 1998), and N. Desai, F. Mueller, "A log(n) multi-mode locking protocol for distributed systems" (IPDPS 2003): there
 * a request is queued at a site with a pending request of its own, in order of priority or mode. Here there is one mode, the line
 * of a receiver goes before the line of the token, and a release that asks again joins the line that it hands on.
 */
export interface SiteContext extends Line {
  readonly self: SiteId;
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
type At = { readonly context: SiteContext };

const sendRequest = {
  type: 'send',
  params: ({ context: { self, last } }: At): Send => ({
    target: last!,
    message: { type: 'REQUEST', origin: self },
  }),
} as const;

/** Sends the token to the first site of the line, with the rest of the line. `joining` goes to the end. */
const sendToken = (joining: (site: SiteContext) => SiteId | undefined) =>
  ({
    type: 'send',
    params: ({ context }: At): Send => {
      const { target, line } = handOver(context.line, joining(context));
      return { target, message: { type: 'TOKEN', line } };
    },
  }) as const;

export const handOn = sendToken(() => undefined);
const handOnAndWait = sendToken(({ self }) => self);

/**
 * Two parallel regions say the algorithm: `client` is the local side, and `routing` decides about requests of other
 * sites. `membership` counts the sites that take part.
 */
export const siteMachine = setup({
  types: {} as { context: SiteContext; events: SiteEvent; input: SiteInput },
  actions: {
    send: (_, _params: Send) => {},
    broadcast: (_, _params: { message: SiteMessage }) => {},
    grant: () => {},
    left: () => {},
    unexpected: (_, _params: { event: SiteEvent }) => {},
    keepToken: assign(({ context: { line }, event }) =>
      event.type === 'TOKEN' ? withToken(line, event.line) : {},
    ),
    surrenderToken: assign(({ context }) => withoutToken(context.line)),
    joinLine: assign(joinedLine),
    becomeRoot: assign({ last: null }),
    turn: assign({ last: ({ event }) => (event as Extract<SiteMessage, { type: 'REQUEST' }>).origin }),
    append: assign({
      line: ({ context, event }) => [
        ...context.line,
        (event as Extract<SiteMessage, { type: 'REQUEST' }>).origin,
      ],
    }),
    countPeerOut: assign({ peers: ({ context }) => context.peers - 1 }),
  },
  guards: {
    isRoot: ({ context }) => context.last === null,
    tokenHere: ({ context }) => context.token,
    someoneWaits: ({ context }) => context.line.length > 0,
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
    line: [],
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
              { target: 'requesting', actions: sendRequest },
            ],
            try: [{ guard: 'tokenHere', target: 'inCS', actions: 'grant' }, {}],
            // A request that no client made. Once it is under way, `last` does not name the leaver.
            LEAVE: { guard: 'pointsAtLeaver', target: 'withdrawn', actions: sendRequest },
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
            TOKEN: { target: 'passing', actions: 'keepToken' },
          },
        },
        passing: {
          always: [
            { guard: 'someoneWaits', target: 'idle', actions: [handOn, 'surrenderToken'] },
            { target: 'idle' },
          ],
        },
        inCS: {
          on: {
            release: [
              { guard: 'someoneWaits', target: 'idle', actions: [handOn, 'surrenderToken'] },
              { target: 'idle' },
            ],
            releaseAndAsk: [
              { guard: 'someoneWaits', target: 'requesting', actions: [handOnAndWait, 'joinLine'] },
              { actions: 'grant' },
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
              // Every other site pointed at this site or waited for it, and has sent a request by now, so the
              // line is not empty.
              actions: [handOn, 'surrenderToken', 'left'],
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
        // A site that waits or has the token forwards nothing.
        root: {
          always: { guard: not('isRoot'), target: 'forwarding' },
          on: {
            REQUEST: [
              {
                guard: and(['tokenHere', 'idle']),
                actions: ['append', handOn, 'surrenderToken'],
              },
              { actions: 'append' },
            ],
          },
        },
        // An idle site without the token forwards every request and turns its pointer to the request's
        // origin: the path reversal.
        forwarding: {
          on: {
            REQUEST: {
              actions: [
                {
                  type: 'send',
                  params: ({ context, event }) => ({
                    target: context.last!,
                    message: { type: 'REQUEST', origin: event.origin },
                  }),
                },
                'turn',
              ],
            },
            ask: { guard: 'idle', target: 'root', actions: 'becomeRoot' },
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
