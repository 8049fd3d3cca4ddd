import { type AnyStateMachine, assign, createMachine, enqueueActions } from 'xstate';
import type { SiteId } from '../../../machines/actor.ts';
import type { Frame } from '../../../machines/link/frames.ts';
import type { LinkContext, LinkEffect, LinkInput } from '../../../machines/link/link.ts';
import type { ActorView } from '../../system/system.ts';

/**
 * A payload of the model: the incarnation that posted it, the incarnation it is for, and its number in order,
 * from 1.
 */
export interface Numbered {
  readonly from: string;
  readonly to: string;
  readonly number: number;
}

/** The history that the properties need and the link does not keep. No guard of the link reads it. */
export interface Past {
  readonly posted: readonly Numbered[];
  /** The payloads that were reported lost. */
  readonly lost: readonly Numbered[];
  /** True when the link has reported that nothing waits any more. */
  readonly drained: boolean;
  /** The last connection that this site joined. Outlives a crash. */
  readonly joined: number;
  /** For each incarnation of this site, the payloads delivered to it. Outlives a crash. */
  readonly delivered: Readonly<Record<string, readonly Numbered[]>>;
}

/** One end of the link as the properties see it. */
export interface End extends LinkContext {
  readonly outbox: readonly Numbered[];
  readonly other: SiteId;
  readonly past: Past;
}

export interface EndInput extends LinkInput {
  readonly other: SiteId;
  /** The history that an earlier incarnation has left. */
  readonly past: Pick<Past, 'joined' | 'delivered'>;
}

export function end({ context }: ActorView): End {
  return context as unknown as End;
}

type Effect<Type extends LinkEffect['type']> = Extract<LinkEffect, { type: Type }>;

/**
 * `machine` with an environment. A frame goes to the other end under the number of its connection, and events
 * are recorded in the history. States, transitions, guards, and the effects of actions on the link are those
 * of `machine`.
 */
export function withOutside(machine: AnyStateMachine): AnyStateMachine {
  const { context, ...config } = machine.config;
  const begin = context as unknown as (from: { readonly input: LinkInput }) => LinkContext;
  return createMachine(
    {
      ...config,
      context: ({ input }: { input: EndInput }) => ({
        ...begin({ input }),
        other: input.other,
        past: { posted: [], lost: [], drained: false, ...input.past },
      }),
    } as unknown as typeof machine.config,
    {
      ...machine.implementations,
      actions: { ...machine.implementations.actions, ...outside, ...overheard(machine) },
    } as object,
  );
}

const outside = {
  transmit: enqueueActions(({ enqueue, context }, params) => {
    const { connection, frames } = params as unknown as Effect<'transmit'>;
    for (const frame of frames as readonly Frame[]) {
      enqueue({
        type: 'send',
        params: { target: context['other'], message: { ...frame, connection } },
      } as never);
    }
  }),
  deliver: remember(({ past, incarnation }, { params }) => {
    const before = past.delivered[incarnation] ?? [];
    const { payload } = params as Effect<'deliver'>;
    return { delivered: { ...past.delivered, [incarnation]: [...before, payload as Numbered] } };
  }),
  peerRestarted: remember(({ past }, { params }) => {
    const { lost } = params as Effect<'peerRestarted'>;
    return { lost: [...past.lost, ...(lost as readonly Numbered[])] };
  }),
  drained: remember(() => ({ drained: true })),
};

/** Two actions of the link that the history records. Each is executed as in `machine`. */
function overheard({ implementations }: AnyStateMachine): object {
  const after = (name: 'append' | 'join', action: unknown) => {
    const original = (implementations.actions as Readonly<Record<string, unknown>>)[name];
    return enqueueActions(({ enqueue }) => {
      enqueue(original as never);
      enqueue(action as never);
    });
  };
  return {
    append: after(
      'append',
      remember(({ past }, { event }) => ({ posted: [...past.posted, event['payload'] as Numbered] })),
    ),
    join: after(
      'join',
      remember((_, { event }) => ({ joined: event['connection'] as number })),
    ),
  };
}

interface Seen {
  readonly params: unknown;
  readonly event: Readonly<Record<string, unknown>>;
}

/**
 * Updates the history. The part that outlives a crash is on the disk of the model. This disk exists only for
 * the history: the link has none.
 */
function remember(change: (end: End, seen: Seen) => Partial<Past>) {
  return enqueueActions(({ enqueue, context, event }, params) => {
    const { past } = context as unknown as End;
    const now = { ...past, ...change(context as unknown as End, { params, event }) };
    enqueue(assign({ past: now }) as never);
    const { joined, delivered } = now;
    enqueue({ type: 'persist', params: { joined, delivered } } as never);
  });
}
