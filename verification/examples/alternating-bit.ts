import { assign, setup } from 'xstate';
import type { ActorSpec, EnvironmentEvent, Fairness, Network, System } from '../system/system.ts';

/**
 * The alternating-bit protocol (Bartlett, Scantlebury, Wilkinson, 1969): data cross a link that loses messages.
 *
 * The sender numbers what it sends with one bit, and repeats it until an acknowledgement with that bit comes back.
 * The receiver acknowledges, again and again, the bit that it saw last. Both are driven by XState's own `after`: a
 * timer is armed when its state is entered, and may then fire at any moment, early or late.
 *
 * The link keeps the order, loses whatever it likes, and holds two messages each way: a third must wait.
 *
 * Counts. TLC reports 240 states for the module AlternatingBit of Lamport's *Specifying Systems*, with two data and
 * at most two messages each way. It starts in eight states at once: either bit, and any two data as the last ones
 * sent and received. Our eight starts together reach the same 240; the default one reaches 228 of them.
 *
 * The lessons: one bit is enough only where the order is kept (give it an `unordered` network). And that what is
 * sent gets acknowledged needs *strong* fairness of the deliveries: under weak fairness the link may lose every
 * single message, since no delivery stays enabled when its message is lost.
 */
export function alternatingBit(options: Partial<AlternatingBitOptions> = {}): System {
  const { start = { bit: 0, sent: 'a', received: 'a' }, machines = { sender, receiver } } = options;
  return {
    name: 'alternating bit',
    actors: {
      sender: {
        machine: machines.sender,
        input: { bit: start.bit, sent: start.sent, receiver: 'receiver' },
        environment: [offer('a'), offer('b')],
      },
      receiver: {
        machine: machines.receiver,
        input: { bit: start.bit, received: start.received, sender: 'sender' },
      },
    },
    network: options.network ?? { order: 'fifo', loss: 'unbounded', capacity: 2 },
    properties: [
      {
        kind: 'always',
        name: 'what is acknowledged was received',
        predicate: {
          kind: 'plain',
          holds: ({ actor }) => {
            const { sent } = actor('sender').context;
            const { received } = actor('receiver').context;
            return actor('sender').in('waiting') || sent === received;
          },
        },
      },
      {
        kind: 'reachable',
        name: 'a copy is sent while another is under way',
        predicate: { kind: 'some', is: ({ id, inbox }) => id === 'receiver' && inbox.length === 2 },
      },
      { kind: 'deadlockFree', name: 'never stuck' },
      {
        kind: 'leadsTo',
        name: 'what is sent is acknowledged',
        from: { kind: 'some', is: (actor) => actor.in('waiting') },
        to: { kind: 'some', is: (actor) => actor.in('ready') },
        fairness: options.fairness ?? stubborn,
      },
    ],
  };
}

export interface AlternatingBitOptions {
  /** Both sides agree on `bit` and nothing is under way. */
  readonly start: { readonly bit: Bit; readonly sent: string; readonly received: string };
  readonly network: Network;
  readonly fairness: Fairness;
  readonly machines: { readonly sender: ActorSpec['machine']; readonly receiver: ActorSpec['machine'] };
}

type Bit = 0 | 1;
type Frame = { readonly type: 'FRAME'; readonly bit: Bit; readonly data: string };
type Ack = { readonly type: 'ACK'; readonly bit: Bit };

interface Sender {
  context: { readonly receiver: string; readonly bit: Bit; readonly sent: string };
  events: { readonly type: 'offer'; readonly data: string } | Ack;
  input: { readonly receiver: string; readonly bit: Bit; readonly sent: string };
}

const sendFrame = {
  type: 'send',
  params: ({ context }: { context: Sender['context'] }) => ({
    target: context.receiver,
    message: { type: 'FRAME' as const, bit: context.bit, data: context.sent },
  }),
} as const;

export const sender = setup({
  types: {} as Sender,
  actions: { send: (_, _params: { target: string; message: Frame }) => {} },
  guards: { isForThis: ({ context, event }) => event.type === 'ACK' && event.bit === context.bit },
  delays: { untilRepeated: 200 },
}).createMachine({
  id: 'sender',
  context: ({ input }) => input,
  initial: 'ready',
  states: {
    ready: {
      on: {
        offer: {
          target: 'waiting',
          actions: [
            assign({
              bit: ({ context }): Bit => (context.bit === 0 ? 1 : 0),
              sent: ({ event }) => event.data,
            }),
            sendFrame,
          ],
        },
      },
    },
    waiting: {
      on: { ACK: { guard: 'isForThis', target: 'ready' } },
      after: { untilRepeated: { target: 'waiting', reenter: true, actions: sendFrame } },
    },
  },
});

interface Receiver {
  context: { readonly sender: string; readonly bit: Bit; readonly received: string };
  events: Frame;
  input: { readonly sender: string; readonly bit: Bit; readonly received: string };
}

export const receiver = setup({
  types: {} as Receiver,
  actions: { send: (_, _params: { target: string; message: Ack }) => {} },
  delays: { betweenAcks: 100 },
}).createMachine({
  id: 'receiver',
  context: ({ input }) => input,
  initial: 'listening',
  states: {
    listening: {
      on: {
        // A copy changes nothing: its bit and its data are there already.
        FRAME: { actions: assign({ bit: ({ event }) => event.bit, received: ({ event }) => event.data }) },
      },
      after: {
        betweenAcks: {
          target: 'listening',
          reenter: true,
          actions: {
            type: 'send',
            params: ({ context }) => ({
              target: context.sender,
              message: { type: 'ACK', bit: context.bit },
            }),
          },
        },
      },
    },
  },
});

function offer(data: string): EnvironmentEvent {
  const event: Sender['events'] = { type: 'offer', data };
  return { event, when: (actor) => actor.in('ready') };
}

/** Timers fire in the end, and of what is sent for ever something arrives for ever. */
const stubborn: Fairness = {
  weak: ({ kind, actor }) => (kind === 'timer' ? `timer of ${actor}` : null),
  strong: ({ kind, actor }) => (kind === 'deliver' ? `delivery to ${actor}` : null),
};

/** As far as weak fairness goes: not far enough. */
export const weaklyFair: Fairness = {
  weak: ({ kind, actor }) => (kind === 'timer' || kind === 'deliver' ? `${kind} at ${actor}` : null),
};

export default alternatingBit();
