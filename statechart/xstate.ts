import {
  type AnyActorScope,
  type AnyStateMachine,
  createActor,
  type EventFromLogic,
  type InputFrom,
  type SnapshotFrom,
} from 'xstate';
import { type Effect, effectOf, type TimerChange } from './run.ts';

/** The result of one event according to XState: the snapshot after it, and the requests in order. */
export interface Step<Machine extends AnyStateMachine> {
  readonly snapshot: SnapshotFrom<Machine>;
  readonly effects: readonly Effect[];
  readonly timers: readonly TimerChange[];
}

type Action = Parameters<AnyActorScope['actionExecutor']>[0];

/** The first step: `machine` started with `input`. Its steps are to spawn no actors that have a `systemId`. */
export function start<Machine extends AnyStateMachine>(
  machine: Machine,
  input: InputFrom<Machine>,
): Step<Machine> {
  return stepOf(machine, (scope) => machine.getInitialSnapshot(scope, input));
}

/** The step that `event` makes from `snapshot`. Nothing is executed. */
export function take<Machine extends AnyStateMachine>(
  machine: Machine,
  snapshot: SnapshotFrom<Machine>,
  event: EventFromLogic<Machine>,
): Step<Machine> {
  return stepOf(machine, (scope) => machine.transition(snapshot, event, scope));
}

function stepOf<Machine extends AnyStateMachine>(
  machine: Machine,
  compute: (scope: AnyActorScope) => unknown,
): Step<Machine> {
  const actions: Action[] = [];
  const snapshot = compute({ ...scopeOf(machine), actionExecutor: (action) => actions.push(action) });
  return {
    snapshot: snapshot as SnapshotFrom<Machine>,
    effects: actions.flatMap(({ type, params }) => (ownTypes.has(type) ? [] : [effectOf(type, params)])),
    timers: actions.flatMap(({ type, params }) => timerChange(type, params)),
  };
}

const scopes = new WeakMap<AnyStateMachine, AnyActorScope>();

/**
 * The scope in which XState computes a step, with an actor that never starts. XState's `transition` makes such an actor,
 * and with it the snapshot of a start, at each call: two thirds of the time of a step.
 */
function scopeOf(machine: AnyStateMachine): AnyActorScope {
  let scope = scopes.get(machine);
  if (scope === undefined) {
    const self = createActor(machine);
    const nothing = () => {};
    scope = {
      self,
      system: self.system,
      id: '',
      sessionId: '',
      defer: nothing,
      logger: nothing,
      stopChild: nothing,
      emit: nothing,
      actionExecutor: nothing,
    };
    scopes.set(machine, scope);
  }
  return scope;
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
