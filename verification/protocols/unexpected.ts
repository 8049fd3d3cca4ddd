import type { AnyStateMachine } from 'xstate';
import type { NamedAction } from '../../machines/actor.ts';
import { take } from '../../statechart/xstate.ts';
import type { ActorSpec, ActorView, Network, Property } from '../system/system.ts';

/**
 * The receiver of every message that can arrive next has a transition for it: no step asks for the effect
 * `unexpected`. Said of states, not of steps, so that it is one property among others.
 */
export function nothingUnexpected(
  { machine, deliver = (message) => message }: ActorSpec,
  { order }: Network,
): Property {
  const next = ({ inbox }: ActorView) =>
    order === 'fifo'
      ? inbox.filter(({ source }, index) => inbox.findIndex((other) => other.source === source) === index)
      : inbox;
  const expects = (actor: ActorView, event: { readonly type: string }) => {
    const effects = actor.answer?.(event) ?? answer(machine, actor, event);
    return effects.every(({ type }) => type !== 'unexpected');
  };
  return {
    kind: 'always',
    name: 'nothing unexpected',
    predicate: {
      kind: 'every',
      is: (actor) => next(actor).every(({ source, message }) => expects(actor, deliver(message, source))),
    },
  };
}

function answer(
  machine: AnyStateMachine,
  { value, context }: Pick<ActorView, 'value' | 'context'>,
  event: { readonly type: string },
): readonly NamedAction[] {
  const state = { value, context } as Parameters<typeof machine.resolveState>[0];
  return take(machine, machine.resolveState(state), event).effects;
}
