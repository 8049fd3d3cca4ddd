import {
  type AnyStateMachine,
  type EventFromLogic,
  type ExecutableActionsFrom,
  type InputFrom,
  initialTransition,
  type SnapshotFrom,
  transition,
} from 'xstate';
import { type Effect, effectOf, type TimerChange } from './run.ts';

/** The result of one event according to XState: the snapshot after it, and the requests in order. */
export interface Step<Machine extends AnyStateMachine> {
  readonly snapshot: SnapshotFrom<Machine>;
  readonly effects: readonly Effect[];
  readonly timers: readonly TimerChange[];
}

/** The first step: `machine` started with `input`. */
export function start<Machine extends AnyStateMachine>(
  machine: Machine,
  input: InputFrom<Machine>,
): Step<Machine> {
  const [snapshot, actions] = initialTransition(machine, input);
  return { snapshot, ...askedFor(actions) };
}

/** The step that `event` makes from `snapshot`. Nothing is executed. */
export function take<Machine extends AnyStateMachine>(
  machine: Machine,
  snapshot: SnapshotFrom<Machine>,
  event: EventFromLogic<Machine>,
): Step<Machine> {
  const [after, actions] = transition(machine, snapshot, event);
  return { snapshot: after, ...askedFor(actions) };
}

function askedFor(
  actions: readonly ExecutableActionsFrom<AnyStateMachine>[],
): Pick<Step<AnyStateMachine>, 'effects' | 'timers'> {
  return {
    effects: actions.flatMap(({ type, params }) => (ownTypes.has(type) ? [] : [effectOf(type, params)])),
    timers: actions.flatMap(({ type, params }) => timerChange(type, params)),
  };
}

/** Types of XState's own actions that a step handles completely or turns into timer changes. */
const ownTypes: ReadonlySet<string> = new Set(['xstate.raise', 'xstate.cancel', 'xstate.log']);

/** The timer changes of XState's action with this type and these params. Most have none. */
export function timerChange(type: string, params: unknown): readonly TimerChange[] {
  if (type === 'xstate.cancel') return [{ cancel: (params as { readonly sendId: string }).sendId }];
  if (type !== 'xstate.raise') return [];
  const { id, event, delay } = params as Extract<TimerChange, { arm: unknown }>['arm'];
  return typeof delay === 'number' ? [{ arm: { id, event, delay } }] : [];
}
