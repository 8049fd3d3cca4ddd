import { type AnyStateMachine, assign, createMachine, enqueueActions } from 'xstate';
import type { Frame } from '../../../machines/link/frames.ts';
import { type LinkContext, type LinkEvent, linkMachine } from '../../../machines/link/link.ts';

/* The link with one mistake in each. The checker must find them. Never run a mutant for any other purpose. */

interface At {
  readonly context: LinkContext;
  readonly event: LinkEvent;
}

const provide = (implementations: object): AnyStateMachine => linkMachine.provide(implementations);
const action = (name: string, instead: unknown) => provide({ actions: { [name]: instead } });
const guard = (name: string, instead: (at: At) => boolean) => provide({ guards: { [name]: instead } });

const isCurrent = ({ context, event }: At) =>
  'connection' in event && event.connection === context.connection;
const isFrom = (life: string | null, event: LinkEvent) =>
  'incarnation' in event && event.incarnation === life;

/** Ignores the ack of a WELCOME. */
const takeLaterAcks = assign(({ context: { outbox, acknowledged }, event }: At) =>
  event.type === 'DATA' || event.type === 'ACK'
    ? { outbox: outbox.slice(event.ack - acknowledged), acknowledged: event.ack }
    : {},
);

const believeHello = enqueueActions(({ enqueue, context, event }) => {
  const { peer, outbox } = context as unknown as LinkContext;
  const { type, incarnation, connection } = event as unknown as Extract<LinkEvent, { type: 'HELLO' }> & {
    type: string;
  };
  enqueue.assign({ connection } as never);
  if (type !== 'HELLO' || peer === null || peer === incarnation) return;
  enqueue({ type: 'peerRestarted', params: { incarnation, lost: outbox } } as never);
  enqueue.assign({ peer: incarnation, outbox: [], acknowledged: 0, delivered: 0 } as never);
});

/** Mistakes between two incarnations. */
export const mutants = {
  'a delivered message is sent again': action('takeAck', takeLaterAcks),
  'a delivered message is sent again, and delivered again': provide({
    actions: { takeAck: takeLaterAcks },
    guards: { isNext: isCurrent },
  }),
  'a WELCOME acknowledges nothing': saying((frame) =>
    frame.type === 'WELCOME' ? { ...frame, ack: 0 } : frame,
  ),
  'more is acknowledged than was delivered': saying((frame) =>
    frame.type === 'ACK' ? { ...frame, ack: frame.ack + 1 } : frame,
  ),
  'one more is taken for acknowledged': action(
    'takeAck',
    assign(({ context: { outbox, acknowledged }, event }: At) =>
      'ack' in event && event.ack > acknowledged
        ? { outbox: outbox.slice(event.ack - acknowledged + 1), acknowledged: event.ack }
        : {},
    ),
  ),
  'resent under the number of what is acknowledged': saying((frame, { event }) =>
    frame.type === 'DATA' && event.type === 'WELCOME' ? { ...frame, seq: frame.seq - 1 } : frame,
  ),
  'resent from the second that waits': saying((frame, { context, event }) =>
    frame.type === 'DATA' && event.type === 'WELCOME' && frame.seq === context.acknowledged + 1
      ? null
      : frame,
  ),
  'nothing is resent': saying((frame, { event }) =>
    frame.type === 'DATA' && event.type === 'WELCOME' ? null : frame,
  ),
  'resent in reverse': saying((frame, { context }) =>
    frame.type === 'DATA'
      ? { ...frame, payload: context.outbox[context.outbox.length - (frame.seq - context.acknowledged)] }
      : frame,
  ),
  'the outbox is dropped with the connection': action('part', assign({ connection: null, outbox: [] })),
  'a message posted while down is dropped': action(
    'append',
    assign({
      outbox: ({ context, event }: At) =>
        event.type === 'post' && context.connection !== null
          ? [...context.outbox, event.payload]
          : context.outbox,
    }),
  ),
  'the outbox has no bound': guard('isFull', () => false),
  'the outbox is never filled': guard('isFull', ({ context }) => context.outbox.length >= context.limit - 1),
  'a delivery is not counted': action('countDelivery', () => {}),
  'acknowledgements do not go alone': saying((frame) => (frame.type === 'ACK' ? null : frame)),
  'payloads carry no acknowledgement': saying((frame, { context }) =>
    frame.type === 'DATA' ? { ...frame, ack: context.delivered > 0 ? 0 : frame.ack } : frame,
  ),
  'payloads are not transmitted': saying((frame) => (frame.type === 'DATA' ? null : frame)),
  'the answer to WELCOME is left out': saying((frame, { event }) =>
    frame.type === 'WELCOME' && event.type === 'WELCOME' ? null : frame,
  ),
  'a WELCOME of an old connection is believed': guard(
    'isSameLife',
    ({ context: { peer, outbox, acknowledged }, event }) =>
      (peer === null || isFrom(peer, event)) &&
      'ack' in event &&
      acknowledged <= event.ack &&
      event.ack <= acknowledged + outbox.length,
  ),
  'every reconnect is taken for a restart': guard(
    'isOtherLife',
    (at) => isCurrent(at) && at.context.peer !== null && 'ack' in at.event && at.event.ack === 0,
  ),
} satisfies Record<string, AnyStateMachine>;

/** Mistakes about the end. */
export const finishMutants = {
  'drained is said at once': guard('isDrained', ({ context }) => context.finishing),
  'drained is said while one waits': guard(
    'isDrained',
    ({ context }) => context.finishing && context.outbox.length <= 1,
  ),
  'drained is never said': guard('isDrained', () => false),
} satisfies Record<string, AnyStateMachine>;

/** Mistakes about incarnations that end. */
export const restartMutants = {
  'incarnations are not compared': provide({
    guards: {
      isOtherLife: () => false,
      isSameLife: (at: At) =>
        isCurrent(at) &&
        'ack' in at.event &&
        at.context.acknowledged <= at.event.ack &&
        at.event.ack <= at.context.acknowledged + at.context.outbox.length,
    },
  }),
  'the outbox goes to the new life': action('forgetOldLife', assign({ acknowledged: 0, delivered: 0 })),
  'numbers go on in the new life': action('forgetOldLife', assign({ outbox: [] })),
  'a lost message is not reported': saying((frame) => frame, ['peerRestarted']),
  'a new life is refused': guard('isOtherLife', () => false),
  'a HELLO is believed': action('join', believeHello),
} satisfies Record<string, AnyStateMachine>;

type Change = (frame: Frame, at: At) => Frame | null;

/** The link with each transmitted frame changed or left out, and without the effects named in `without`. */
function saying(change: Change, without: readonly string[] = []): AnyStateMachine {
  const edit = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.filter((item) => !without.includes(item?.type)).map(edit);
    if (node === null || typeof node !== 'object') return node;
    const { type, params } = node as { type?: unknown; params?: (at: At) => { frames: readonly Frame[] } };
    if (type !== 'transmit')
      return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, edit(item)]));
    const said = (at: At) => {
      const { frames, ...rest } = params!(at);
      return { ...rest, frames: frames.flatMap((frame) => change(frame, at) ?? []) };
    };
    return { type, params: said };
  };
  return createMachine(
    edit(linkMachine.config) as typeof linkMachine.config,
    linkMachine.implementations as object,
  );
}
