import { assign, type SnapshotFrom, setup } from 'xstate';
import type { Arrival, Frame, HostEvent, Payload } from './frames.ts';

/**
 * One end of a link (R9). Every payload is delivered once and in the order of `post`, between two live
 * incarnations, over connections that may break anywhere. A frame that a break cuts in two is not a frame.
 * So, for this machine, a connection delivers a prefix of the transmitted frames and then nothing.
 */
export interface LinkContext {
  /** The incarnation of this site: one start of its process. No two starts share one. */
  readonly incarnation: string;
  /** The incarnation of the peer to which all fields below refer. `null` until a peer has been met. */
  readonly peer: string | null;
  /** The host's number of the connection in use. `null` when there is none. */
  readonly connection: number | null;
  /**
   * The payloads that the peer has not acknowledged, in order. The first has the number `acknowledged + 1`.
   */
  readonly outbox: readonly Payload[];
  /** Number of payloads that the peer has acknowledged. */
  readonly acknowledged: number;
  /** Number of the peer's payloads that have been delivered here. */
  readonly delivered: number;
  /** Maximum number of payloads in `outbox`. */
  readonly limit: number;
  /** The host waits for the report that the outbox is empty. */
  readonly finishing: boolean;
}

export interface LinkInput {
  /** Random for each start of the process. */
  readonly incarnation: string;
  /** Maximum number of payloads that may wait for their acknowledgement. */
  readonly limit: number;
}

export type LinkEvent = HostEvent | Arrival;

/**
 * The requests of the link to its host. Each is a named action whose params are the other keys.
 *
 * - `transmit`: write `frames` to that connection, in order, if it still exists.
 * - `deliver`: `payload` has arrived.
 * - `ackOwed`: an acknowledgement is owed from now on: send `flushAck` after a while. No moment is too early.
 *   If a DATA has carried the acknowledgement meanwhile, `flushAck` has no effect.
 * - `overflow`: `payload` is refused, because `limit` payloads wait already.
 * - `peerRestarted`: the known incarnation of the peer is over, and `incarnation` is the new one. It is
 *   unknown whether the payloads in `lost` were delivered to the old incarnation. They are never transmitted
 *   again.
 * - `met`: `incarnation` of the peer is alive, and frames go both ways from now on.
 * - `drained`: after `finish`, nothing waits any more: every payload was acknowledged or reported lost.
 * - `unexpected`: no correct peer sends `event`. Close its connection.
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

/**
 * The WELCOME of `context` to the incarnation `other`. It acknowledges nothing to an incarnation other than
 * `peer`, because the two have exchanged nothing.
 */
const welcome = ({ incarnation, delivered, peer }: LinkContext, other: string): Frame => ({
  type: 'WELCOME',
  incarnation,
  ack: other === peer ? delivered : 0,
});

/** The DATA frame for the payload at this index of the outbox. */
const data = ({ outbox, acknowledged, delivered }: LinkContext, index: number): Frame => ({
  type: 'DATA',
  seq: acknowledged + index + 1,
  ack: delivered,
  payload: outbox[index],
});

const unexpected = {
  actions: { type: 'unexpected', params: ({ event }: At) => ({ event }) },
} as const;

/** Frames that are still read from an abandoned connection are ignored. */
const leftOver = [{ guard: 'isStale' }, unexpected] as const;

const overflow = {
  guard: 'isFull',
  actions: {
    type: 'overflow',
    params: ({ context, event }: At<Of<'post'>>) => ({ payload: event.payload, limit: context.limit }),
  },
} as const;

/**
 * The transitions for a peer known to be alive: they transmit `answers` and then all payloads that it has not
 * received.
 */
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
 * Both ends run this machine. One end receives `connected`, the other receives HELLO. An end is `up` once it
 * knows that the peer is alive and which payloads it has received. Then it transmits the rest. Nothing else
 * is ever resent, because a connection loses nothing in the middle. An idle link is silent. While payloads go
 * both ways, each DATA carries the acknowledgement of the received payloads.
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
        // The outbox may be long, and most DATA acknowledge nothing new.
        'ack' in event && event.ack > acknowledged ? outbox.slice(event.ack - acknowledged) : outbox,
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
        /**
         * The peer has been sent the acknowledgement of every delivered payload, and receives it if this
         * connection holds.
         */
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
