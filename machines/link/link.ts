import { assign, type SnapshotFrom, setup } from 'xstate';
import type { Arrival, Frame, HostEvent, Payload } from './frames.ts';

/**
 * One end of a link (R9): every payload is delivered once and in the order of `post`, between two live
 * incarnations, over connections that may break anywhere. A frame that a break cuts in two is no frame: so, for
 * this machine, a connection delivers some first part of what was transmitted on it, and then nothing.
 */
export interface LinkContext {
  /** Of this life of this site; no two lives share one. */
  readonly incarnation: string;
  /** The life of the peer that everything below is about. `null` until one has been met. */
  readonly peer: string | null;
  /** The host's number of the connection in use. `null` when there is none. */
  readonly connection: number | null;
  /** What the peer has not acknowledged, in order; the first has the number `acknowledged + 1`. */
  readonly outbox: readonly Payload[];
  /** How many payloads the peer has acknowledged. */
  readonly acknowledged: number;
  /** How many payloads of the peer have been delivered here. */
  readonly delivered: number;
  /** The most payloads that `outbox` may hold. */
  readonly limit: number;
  /** The host waits to be told that the outbox is empty. */
  readonly finishing: boolean;
}

export interface LinkInput {
  /** Random for each start of the process. */
  readonly incarnation: string;
  /** The most payloads that may wait for their acknowledgement. */
  readonly limit: number;
}

export type LinkEvent = HostEvent | Arrival;

/**
 * What the link asks of its host; each is a named action whose params are the other keys.
 *
 * - `transmit`: write `frames` to that connection, in order, if it is still there.
 * - `deliver`: `payload` has come.
 * - `ackOwed`: an acknowledgement is owed from now on: say `flushAck` in a while. No moment is too early, and a
 *   DATA may have carried the acknowledgement meanwhile; then `flushAck` does nothing.
 * - `overflow`: `payload` is refused, since `limit` payloads wait already.
 * - `peerRestarted`: the life of the peer that was known is over, and `incarnation` is the new one. Of `lost` it
 *   is not known whether they were delivered in the old life; they are never transmitted again.
 * - `met`: `incarnation` of the peer lives, and frames go both ways from now on.
 * - `drained`: after `finish`, nothing waits any more: all was acknowledged, or reported lost.
 * - `unexpected`: no correct peer sends `event`: close the connection that brought it.
 */
export type LinkEffect =
  | { readonly type: 'transmit'; readonly connection: number; readonly frames: readonly Frame[] }
  | { readonly type: 'deliver'; readonly payload: Payload }
  | { readonly type: 'ackOwed' }
  | { readonly type: 'overflow'; readonly payload: Payload; readonly limit: number }
  | { readonly type: 'peerRestarted'; readonly incarnation: string; readonly lost: readonly Payload[] }
  | { readonly type: 'met'; readonly incarnation: string }
  | { readonly type: 'drained' }
  | { readonly type: 'unexpected'; readonly event: LinkEvent };

type Params<Type extends LinkEffect['type']> = Omit<Extract<LinkEffect, { type: Type }>, 'type'>;
type Of<Type extends LinkEvent['type']> = Extract<LinkEvent, { type: Type }>;
interface At<Event = LinkEvent> {
  readonly context: LinkContext;
  readonly event: Event;
}

const transmit = <Event>(frames: (at: At<Event>) => readonly Frame[]) =>
  ({
    type: 'transmit',
    params: (at: At<Event>): Params<'transmit'> => ({
      connection: at.context.connection!,
      frames: frames(at),
    }),
  }) as const;

/** What `context` has to say to the life that `other` names: with one that is not `peer` it has shared nothing. */
const welcome = ({ incarnation, delivered, peer }: LinkContext, other: string): Frame => ({
  type: 'WELCOME',
  incarnation,
  ack: other === peer ? delivered : 0,
});

/** The payload of the outbox that has this place. */
const data = ({ outbox, acknowledged, delivered }: LinkContext, index: number): Frame => ({
  type: 'DATA',
  seq: acknowledged + index + 1,
  ack: delivered,
  payload: outbox[index],
});

const unexpected = {
  actions: { type: 'unexpected', params: ({ event }: At) => ({ event }) },
} as const;

/** What is still read from a connection that has been given up counts for nothing. */
const leftOver = [{ guard: 'isStale' }, unexpected] as const;

const overflow = {
  guard: 'isFull',
  actions: {
    type: 'overflow',
    params: ({ context, event }: At<Of<'post'>>) => ({ payload: event.payload, limit: context.limit }),
  },
} as const;

/** The peer lives, and `answers` of ours go out, and behind them all that it has not had. */
const meet = (...answers: readonly ((at: At<Of<'WELCOME'>>) => Frame)[]) => {
  const greet = [
    'meet',
    { type: 'met', params: ({ event }: At<Of<'WELCOME'>>) => ({ incarnation: event.incarnation }) },
    transmit<Of<'WELCOME'>>((at) => [
      ...answers.map((frame) => frame(at)),
      ...at.context.outbox.map((_, index) => data(at.context, index)),
    ]),
  ] as const;
  return [
    {
      guard: 'isOtherLife',
      target: 'up',
      actions: [
        {
          type: 'peerRestarted',
          params: ({ context, event }: At<Of<'WELCOME'>>): Params<'peerRestarted'> => ({
            incarnation: event.incarnation,
            lost: context.outbox,
          }),
        },
        'forgetOldLife',
        ...greet,
      ],
    },
    { guard: 'isSameLife', target: 'up', actions: ['takeAck', ...greet] },
  ] as const;
};

const receive = {
  guard: 'isNext',
  actions: [
    'takeAck',
    { type: 'deliver', params: ({ event }: At<Of<'DATA'>>) => ({ payload: event.payload }) },
    'countDelivery',
  ],
} as const;

const isCurrent = ({ context, event }: At) =>
  'connection' in event && event.connection === context.connection;

const isOtherLife = ({ context, event }: At) =>
  'incarnation' in event && context.peer !== null && event.incarnation !== context.peer;

const isPossibleAck = ({ context: { outbox, acknowledged }, event }: At) =>
  'ack' in event && acknowledged <= event.ack && event.ack <= acknowledged + outbox.length;

/**
 * Both ends run this machine; one of them is told `connected`, the other hears HELLO. An end is `up` once it knows
 * that the peer lives and what it has had; then it transmits the rest. Nothing else is ever resent, since a
 * connection loses nothing in the middle. An idle link is silent; where payloads go both ways, each DATA carries
 * the acknowledgement of what came.
 */
export const linkMachine = setup({
  types: {} as { context: LinkContext; events: LinkEvent; input: LinkInput },
  actions: {
    transmit: (_, _params: Params<'transmit'>) => {},
    deliver: (_, _params: Params<'deliver'>) => {},
    ackOwed: () => {},
    overflow: (_, _params: Params<'overflow'>) => {},
    peerRestarted: (_, _params: Params<'peerRestarted'>) => {},
    met: (_, _params: Params<'met'>) => {},
    drained: () => {},
    unexpected: (_, _params: Params<'unexpected'>) => {},
    join: assign({ connection: ({ event }) => ('connection' in event ? event.connection : null) }),
    part: assign({ connection: null }),
    meet: assign({
      peer: ({ context, event }) => ('incarnation' in event ? event.incarnation : context.peer),
    }),
    forgetOldLife: assign({ outbox: [], acknowledged: 0, delivered: 0 }),
    append: assign({
      outbox: ({ context, event }) =>
        event.type === 'post' ? [...context.outbox, event.payload] : context.outbox,
    }),
    takeAck: assign({
      outbox: ({ context: { outbox, acknowledged }, event }) =>
        'ack' in event ? outbox.slice(event.ack - acknowledged) : outbox,
      acknowledged: ({ context, event }) => ('ack' in event ? event.ack : context.acknowledged),
    }),
    finish: assign({ finishing: true }),
    finished: assign({ finishing: false }),
    countDelivery: assign({ delivered: ({ context }) => context.delivered + 1 }),
  },
  guards: {
    isFull: ({ context }) => context.outbox.length >= context.limit,
    isDrained: ({ context }) => context.finishing && context.outbox.length === 0,
    isStale: (at) => !isCurrent(at),
    isCurrent,
    isOtherLife: (at) => isCurrent(at) && isOtherLife(at) && 'ack' in at.event && at.event.ack === 0,
    isSameLife: (at) => isCurrent(at) && !isOtherLife(at) && isPossibleAck(at),
    isPossibleAck: (at) => isCurrent(at) && isPossibleAck(at),
    isNext: (at) =>
      isCurrent(at) &&
      isPossibleAck(at) &&
      at.event.type === 'DATA' &&
      at.event.seq === at.context.delivered + 1,
  },
}).createMachine({
  id: 'link',
  context: ({ input }) => ({
    incarnation: input.incarnation,
    peer: null,
    connection: null,
    outbox: [],
    acknowledged: 0,
    delivered: 0,
    limit: input.limit,
    finishing: false,
  }),
  initial: 'down',
  states: {
    down: {},
    greeting: {
      on: { WELCOME: meet(({ context, event }) => welcome(context, event.incarnation)) },
    },
    answering: {
      on: { WELCOME: meet() },
    },
    up: {
      on: {
        ACK: { guard: 'isPossibleAck', actions: 'takeAck' },
        post: [
          overflow,
          {
            target: '.settled',
            actions: ['append', transmit(({ context }) => [data(context, context.outbox.length - 1)])],
          },
        ],
      },
      initial: 'settled',
      states: {
        /** The peer has been told of everything that was delivered, or will be if this connection holds. */
        settled: { on: { DATA: { ...receive, target: 'owing' } } },
        owing: {
          entry: 'ackOwed',
          on: {
            DATA: receive,
            flushAck: {
              target: 'settled',
              actions: transmit(({ context }) => [{ type: 'ACK', ack: context.delivered }]),
            },
          },
        },
      },
    },
  },
  always: { guard: 'isDrained', actions: ['drained', 'finished'] },
  on: {
    connected: {
      target: '.greeting',
      actions: ['join', transmit(({ context }) => [{ type: 'HELLO', incarnation: context.incarnation }])],
    },
    HELLO: [
      {
        guard: 'isStale',
        target: '.answering',
        actions: [
          'join',
          transmit<Of<'HELLO'>>(({ context, event }) => [welcome(context, event.incarnation)]),
        ],
      },
      unexpected,
    ],
    disconnected: [{ guard: 'isCurrent', target: '.down', actions: 'part' }, {}],
    post: [overflow, { actions: 'append' }],
    flushAck: {},
    finish: { actions: 'finish' },
    WELCOME: leftOver,
    DATA: leftOver,
    ACK: leftOver,
    '*': unexpected,
  },
});

export type LinkSnapshot = SnapshotFrom<typeof linkMachine>;
