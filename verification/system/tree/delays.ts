import type { AnyStateMachine, EventObject } from 'xstate';
import { isMachine, nodesOf } from './places.ts';

/** `raise`, `sendTo` and the like as they stand in a definition: functions with the type of what they do. */
interface BuiltIn {
  readonly type: string;
  readonly delay?: unknown;
  /** An event, or a function that gives one. */
  readonly event?: unknown;
}

/**
 * Reports whether the delay of an event is known beforehand: it is a number in the definition, or a name that
 * refers to a number. A computed delay is not known, and neither is one that only a running step shows.
 */
export function hasKnownDelay(logic: unknown, { type }: EventObject): boolean {
  if (!isMachine(logic)) return false;
  let known = knownDelays.get(logic);
  if (known === undefined) {
    known = delaysIn(logic);
    knownDelays.set(logic, known);
  }
  return type.startsWith('xstate.after.')
    ? known.after.has(type)
    : !known.computed.has(type) && !known.hasUnknown;
}

interface Delays {
  /** The types of the events of `after`. */
  readonly after: ReadonlySet<string>;
  /** The types of the events that are sent with a delay that is computed. */
  readonly computed: ReadonlySet<string>;
  /** There are delayed events whose type the definition does not give. */
  readonly hasUnknown: boolean;
}

const knownDelays = new WeakMap<AnyStateMachine, Delays>();

function delaysIn(machine: AnyStateMachine): Delays {
  const { delays, actions: named } = machine.implementations;
  const isNumber = (delay: unknown) =>
    typeof delay === 'number' || typeof delays[delay as keyof typeof delays] === 'number';
  const nodes = nodesOf(machine);
  const after = nodes.flatMap((node) =>
    node.after.filter(({ delay }) => isNumber(delay)).map(({ eventType }) => eventType),
  );
  const actions = nodes.flatMap((node) => [
    ...node.entry,
    ...node.exit,
    ...(node.type === 'compound' ? node.initial.actions : []),
    ...[...node.transitions.values(), node.always ?? []].flat().flatMap((transition) => transition.actions),
  ]);
  const computed = new Set<string>();
  let hasUnknown = false;
  for (const action of [...actions, ...Object.values(named)] as readonly BuiltIn[]) {
    if ((typeof action as string) !== 'function') continue;
    if (action.type === 'xstate.enqueueActions') hasUnknown = true;
    if (action.delay === undefined || isNumber(action.delay)) continue;
    const { event } = action;
    if (typeof event === 'object' && event !== null) computed.add((event as EventObject).type);
    else hasUnknown = true;
  }
  return { after: new Set(after), computed, hasUnknown };
}
