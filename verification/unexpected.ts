import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import { take } from '../machines/actor.ts';
import type { ActorSpec, ActorView, Network, Property } from './system/system.ts';

/**
 * Whatever can arrive next, its receiver has a transition for: no step asks for the effect `unexpected`.
 * Said of states, not of steps, so that it is one property among others.
 */
export function nothingUnexpected(
  { machine, deliver = (message) => message }: ActorSpec,
  { order }: Network,
): Property {
  const answers = new Map<string, boolean>();
  const expects = ({ value, context }: ActorView, event: { readonly type: string }): boolean => {
    const key = JSON.stringify([value, context, event]);
    const known = answers.get(key);
    if (known !== undefined) return known;
    const answer = !asksUnexpected(machine, { value, context }, event);
    answers.set(key, answer);
    return answer;
  };
  const next = ({ inbox }: ActorView) =>
    order === 'fifo'
      ? inbox.filter(({ source }, index) => inbox.findIndex((other) => other.source === source) === index)
      : inbox;
  return {
    kind: 'always',
    name: 'nothing unexpected',
    predicate: {
      kind: 'every',
      is: (actor) => next(actor).every(({ source, message }) => expects(actor, deliver(message, source))),
    },
  };
}

function asksUnexpected(
  machine: AnyStateMachine,
  state: Pick<ActorView, 'value' | 'context'>,
  event: { readonly type: string },
): boolean {
  const snapshot: AnyMachineSnapshot = machine.resolveState(
    state as Parameters<typeof machine.resolveState>[0],
  );
  return take(machine, snapshot, event).effects.some(({ type }) => type === 'unexpected');
}
