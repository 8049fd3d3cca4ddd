import { isDeepStrictEqual } from 'node:util';
import type {
  AnyActorScope,
  AnyMachineSnapshot,
  AnyStateMachine,
  AnyTransitionDefinition,
  StateValue,
} from 'xstate';
import type { NamedAction } from '../../machines/actor.ts';
import { transitionId } from './chart.ts';
import type { SiteState } from './format.ts';

/** The cause of a step of one machine: an event in a snapshot, or its start with an input. */
export type Cause =
  | { readonly before: SiteState; readonly event: { readonly type: string } }
  | { readonly input: unknown };

/**
 * The transitions that the machine takes in all microsteps. Empty when the machine does not reach `after`:
 * then another machine took the step.
 */
export function taken(machine: AnyStateMachine, cause: Cause, after: SiteState): readonly string[] {
  const found: AnyTransitionDefinition[] = [];
  const scope = listening(found);
  let reached: AnyMachineSnapshot;
  try {
    reached =
      'input' in cause
        ? machine.getInitialSnapshot(scope, cause.input)
        : machine.transition(restored(machine, cause.before), cause.event, scope);
  } catch {
    // The machine throws here. The timeline shows this as the step's fault.
    return [];
  }
  const same =
    isDeepStrictEqual(reached.value, after.value) && isDeepStrictEqual(reached.context, after.context);
  return same ? found.map(transitionId) : [];
}

/** The effects that the machine would request if `event` were the next. Empty if it would throw. */
export function answerOf(
  machine: AnyStateMachine,
  state: Pick<SiteState, 'value' | 'context'>,
  event: { readonly type: string },
): readonly NamedAction[] {
  const effects: NamedAction[] = [];
  const scope: AnyActorScope = {
    ...listening([]),
    actionExecutor: ({ type, params }) => {
      effects.push({ ...(params as Record<string, unknown> | undefined), type });
    },
  };
  try {
    machine.transition(restored(machine, state), event, scope);
    return effects;
  } catch {
    return [];
  }
}

function restored(
  machine: AnyStateMachine,
  { value, context }: Pick<SiteState, 'value' | 'context'>,
): AnyMachineSnapshot {
  return machine.resolveState({
    value: value as StateValue,
    context: context as Record<string, unknown>,
  });
}

/**
 * A scope that does nothing but collect the transitions of each microstep, which XState reports to
 * inspectors.
 */
function listening(found: AnyTransitionDefinition[]): AnyActorScope {
  const nothing = () => undefined;
  return {
    self: {} as AnyActorScope['self'],
    id: '',
    sessionId: '',
    logger: nothing,
    defer: nothing,
    emit: nothing,
    stopChild: nothing,
    actionExecutor: nothing,
    system: {
      _sendInspectionEvent: (event: { readonly _transitions?: readonly AnyTransitionDefinition[] }) => {
        found.push(...(event._transitions ?? []));
      },
    } as unknown as AnyActorScope['system'],
  };
}

/** A text that is equal for equal JSON values, independent of the order of keys. */
export function sorted(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sorted).join()}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'undefined';
  const fields = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${fields.map(([key, item]) => `${JSON.stringify(key)}:${sorted(item)}`).join()}}`;
}
