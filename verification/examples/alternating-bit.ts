import { assign, createMachine } from 'xstate';
import { some } from '../system/properties.ts';
import type { Fairness } from '../system/system.ts';
import { role, system } from '../system/typed.ts';

/**
 * The alternating-bit protocol (Bartlett, Scantlebury, Wilkinson, 1969): data cross a link that loses messages. The sender numbers
 * its data with one bit, and repeats them until an acknowledgement with that bit comes back. The receiver acknowledges, again and
 * again, the bit that it has seen last. The link holds two messages each way.
 *
 * TLC reports 240 states for the module AlternatingBit of Lamport's *Specifying Systems*, which starts in eight states at once
 * (`starts`): either bit, and any two data as the last ones sent and received. 228 of them are reached from one start.
 *
 * One bit is enough only where the order is kept. And data are acknowledged in the end only under *strong* fairness of
 * deliveries: under weak fairness the link may lose every single message, since none of them stays deliverable.
 */
interface End {
  readonly bit: 0 | 1;
  /** The data sent last, or received last. */
  readonly data: string;
}
type Event = { type: 'offer'; data: string } | ({ type: 'FRAME' } & End) | { type: 'ACK'; bit: 0 | 1 };
const types = {} as { context: End; events: Event; input: End };

const sendFrame = {
  type: 'send',
  params: ({ context }: { context: End }) => ({ target: 'receiver', message: { type: 'FRAME', ...context } }),
};
export const sender = createMachine({
  types,
  id: 'sender',
  context: ({ input }) => input,
  initial: 'ready',
  states: {
    ready: {
      on: {
        offer: {
          target: 'waiting',
          actions: assign(({ context, event: { data } }) => ({ bit: context.bit === 0 ? 1 : 0, data })),
        },
      },
    },
    waiting: {
      entry: sendFrame,
      on: { ACK: { guard: ({ context, event }) => event.bit === context.bit, target: 'ready' } },
      after: { 200: { target: 'waiting', reenter: true } },
    },
  },
});

const sendAck = {
  type: 'send',
  params: ({ context: { bit } }: { context: End }) => ({ target: 'sender', message: { type: 'ACK', bit } }),
};
export const receiver = createMachine({
  types,
  id: 'receiver',
  context: ({ input }) => input,
  initial: 'listening',
  states: {
    listening: {
      on: { FRAME: { actions: assign(({ event: { bit, data } }) => ({ bit, data })) } },
      after: { 100: { target: 'listening', reenter: true, actions: sendAck } },
    },
  },
});

/** Both sides agree on the bit, and nothing is under way. */
export const starts = ([0, 1] as const).flatMap((bit) =>
  ['a', 'b'].flatMap((sent) =>
    ['a', 'b'].map((received) => ({ sender: { bit, data: sent }, receiver: { bit, data: received } })),
  ),
);

/** Timers fire, and of the messages that are sent again and again some arrive. */
const stubborn: Fairness = {
  weak: ({ kind, actor }) => (kind === 'timer' ? `timer of ${actor}` : null),
  strong: ({ kind, actor }) => (kind === 'deliver' ? `delivery to ${actor}` : null),
};

export const alternatingBit = ({ fairness = stubborn } = {}) =>
  system('alternating bit', {
    sender: role(sender, {
      environment: ['a', 'b'].map((data) => ({
        event: { type: 'offer' as const, data },
        when: (actor) => actor.matches('ready'),
      })),
    }),
    receiver: role(receiver),
  })
    .over({ order: 'fifo', loss: 'unbounded', capacity: 2 })
    .startingWith(starts[0]!)
    .always(
      'an acknowledged message was received',
      (all) => all.sender.matches('waiting') || all.sender.context.data === all.receiver.context.data,
    )
    .sometimes(
      'a copy is sent while another is under way',
      some(({ id, inbox }) => id === 'receiver' && inbox.length === 2),
    )
    .neverEnds('never stuck')
    .leadsTo(
      'a sent message is acknowledged',
      (all) => all.sender.matches('waiting'),
      (all) => all.sender.matches('ready'),
      fairness,
    );

export default alternatingBit();
