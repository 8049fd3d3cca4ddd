import type { AnyStateMachine } from 'xstate';
import { hint, misshapen, slipOf } from './shape.ts';
import type { System } from './system.ts';
import { actionsOf, machinesOf, nodesOf, takes } from './tree/places.ts';

/**
 * Refuses names in a system that refer to nothing: a misspelt event would never happen, a misspelt action
 * would send nothing, and a misspelt delay would fire at once.
 */
export function refuseUnknownNames(system: System): void {
  const { actors, history, outside = [] } = system;
  const machines = new Set(Object.values(actors).flatMap(({ machine }) => [...machinesOf(machine)]));
  for (const machine of machines) refuseUnknownDelays(machine);
  for (const [id, { machine, environment = [] }] of Object.entries(actors)) {
    for (const [index, { event }] of environment.entries()) {
      refuseUntaken(machine, event.type, `actors.${id}.environment[${index}]`);
    }
  }
  const all = [...machines];
  const named = all.flatMap(actionsNamedBy);
  const declared = all.flatMap((machine) => Object.keys(machine.implementations.actions));
  const actions = [...new Set([...interpreted, ...named, ...declared])];
  for (const [index, name] of outside.entries()) {
    if (!declared.includes(name) && !named.includes(name)) {
      throw misshapen(`outside[${index}]`, `no machine has an action '${name}'; ${hint(name, declared)}`);
    }
  }
  for (const machine of all) {
    for (const name of unimplementedIn(machine)) refuseSlip(machine, name, system);
  }
  if (history === undefined) return;
  const { effects = [], deliveries = [] } = history;
  if (effects.length + deliveries.length === 0) {
    throw misshapen('history', 'it lists neither effects nor deliveries, so that `after` is never called');
  }
  for (const [index, name] of effects.entries()) {
    if (actions.includes(name) || all.some(enqueues) || isOfTree(name)) {
      if (actions.includes(name) || slipOf(name, actions) === undefined) continue;
    }
    throw misshapen(
      `history.effects[${index}]`,
      `no machine asks for an action '${name}'; ${hint(name, actions)}`,
    );
  }
  const events = [...new Set(Object.values(actors).flatMap(({ machine }) => eventsOf(machine)))];
  const isRenamed = Object.values(actors).some(({ deliver }) => deliver !== undefined);
  for (const [index, name] of deliveries.entries()) {
    if (isKnown(name, events) || (isRenamed && slipOf(name, events) === undefined)) continue;
    throw misshapen(`history.deliveries[${index}]`, `no machine takes '${name}'; ${hint(name, events)}`);
  }
}

/** The actions that the checker itself carries out, by name. */
export const interpreted: readonly string[] = ['send', 'broadcast', 'left', 'persist'];

/** Reports whether an action is one by which trees of actors report their events. */
const isOfTree = (name: string) => name.startsWith('emit ') || name === 'event lost';

/** The events that some state of the machine takes, as its definition names them: `*` and `user.*` among them. */
export function eventsOf(machine: AnyStateMachine): readonly string[] {
  let events = eventsByMachine.get(machine);
  if (events === undefined) {
    events = [...new Set(nodesOf(machine).flatMap((node) => [...node.transitions.keys()]))];
    eventsByMachine.set(machine, events);
  }
  return events;
}
const eventsByMachine = new WeakMap<AnyStateMachine, readonly string[]>();

/** Refuses (`SYSTEM_INVALID`) an event that the machine takes in no state; `path` is its place in the system. */
export function refuseUntaken(machine: AnyStateMachine, type: string, path: string): void {
  const events = eventsOf(machine);
  if (isKnown(type, events)) return;
  throw misshapen(path, `machine '${machine.id}' takes '${type}' in no state; ${hint(type, events)}`);
}

/** Reports whether the type is named by the machine, or matched by a wildcard and no slip of a name. */
function isKnown(type: string, events: readonly string[]): boolean {
  if (events.includes(type)) return true;
  return events.some((descriptor) => takes(descriptor, type)) && slipOf(type, events) === undefined;
}

/** Reports whether some state of the machine takes events of this type. */
export function takesSomewhere(machine: AnyStateMachine, type: string): boolean {
  return eventsOf(machine).some((descriptor) => takes(descriptor, type));
}

/**
 * Refuses (`SYSTEM_INVALID`) the type of a message that no machine of the system takes, if it is a slip of a
 * type that its target takes. Any other type may be ignored by intent.
 */
export function refuseMisspelt(
  target: AnyStateMachine,
  type: string,
  path: string,
  all: readonly AnyStateMachine[],
): void {
  if (all.some((machine) => eventsOf(machine).includes(type))) return;
  if (slipOf(type, eventsOf(target)) !== undefined) refuseUntaken(target, type, path);
}

/** Returns the named actions of a machine that have no implementation: the checker interprets their names. */
export function unimplementedIn(machine: AnyStateMachine): readonly string[] {
  const { actions } = machine.implementations;
  return actionsNamedBy(machine).filter((name) => !Object.hasOwn(actions, name));
}

/** Refuses (`SYSTEM_INVALID`) an action without implementation whose name is a slip of a known one. */
export function refuseSlip(
  machine: AnyStateMachine,
  name: string,
  { outside = [], history }: Pick<System, 'outside' | 'history'>,
): void {
  const known = [...interpreted, ...outside, ...(history?.effects ?? [])];
  if (known.includes(name)) return;
  const meant = slipOf(name, known);
  if (meant === undefined) return;
  throw misshapen(
    `machine '${machine.id}'`,
    `it asks for an action '${name}', which has no implementation; did you mean ${meant}? ` +
      'Otherwise give it one (`setup({ actions })`), or another name',
  );
}

/** Returns the names of actions in the definition. */
function actionsNamedBy(machine: AnyStateMachine): readonly string[] {
  const named = nodesOf(machine)
    .flatMap(actionsOf)
    .flatMap((action) => {
      if (typeof action === 'string') return [action];
      return typeof action === 'object' && action !== null && 'type' in action ? [String(action.type)] : [];
    });
  return [...new Set(named)].filter((name) => !name.startsWith('xstate.'));
}

/** Reports whether some action of the machine enqueues others by names that only a step shows. */
function enqueues(machine: AnyStateMachine): boolean {
  const all = [...nodesOf(machine).flatMap(actionsOf), ...Object.values(machine.implementations.actions)];
  return all.some((action) => (action as { type?: unknown } | null)?.type === 'xstate.enqueueActions');
}

/** XState fires at once if the name of a delay refers to nothing. */
function refuseUnknownDelays(machine: AnyStateMachine): void {
  const delays = Object.keys(machine.implementations.delays);
  for (const node of nodesOf(machine)) {
    const armed = [
      ...node.after.map(({ delay }) => delay),
      ...actionsOf(node).map((action) => (action as { delay?: unknown } | null)?.delay),
    ];
    for (const delay of armed) {
      if (typeof delay !== 'string' || delays.includes(delay) || isNumber(delay)) continue;
      throw misshapen(
        `machine '${machine.id}'`,
        `state '${node.id}' has a delay '${delay}', which stands for nothing and fires at once; ${hint(delay, delays)}`,
      );
    }
  }
}

const isNumber = (text: string) => text.trim() !== '' && !Number.isNaN(Number(text));
