import type { AnyStateMachine } from 'xstate';
import { deadlockFree, reachable } from '../system/properties.ts';
import type { EnvironmentEvent, Property, System } from '../system/system.ts';
import { invokedBy, type Outcomes, stubOf } from '../system/tree/outcomes.ts';
import { isMachine, nodesOf } from '../system/tree/places.ts';
import { CheckError } from './errors.ts';

/** What a module may export beside a machine, so that the machine can be checked alone. */
export interface MachineModule {
  /** What may come of the promises, callbacks and observables that it invokes. */
  readonly outcomes?: Outcomes;
  /** The events that may come from outside. Default: every type that the machine names, with nothing but a type. */
  readonly events?: readonly { readonly type: string }[];
  readonly input?: unknown;
}

/** The machine that a module exports: as its default, or as its only machine. `null`: there is none. */
export function machineIn(exports: Readonly<Record<string, unknown>>): AnyStateMachine | null {
  if (isMachine(exports['default'])) return exports['default'];
  const found = Object.entries(exports).filter(([, value]) => isMachine(value));
  if (found.length > 1) {
    throw new CheckError(
      'SOURCE_INVALID',
      `The module exports ${found.length} machines: ${found.map(([name]) => name).join(', ')}. Make one of them its ` +
        'default export, or write a System that says how they meet.',
    );
  }
  return (found[0]?.[1] as AnyStateMachine | undefined) ?? null;
}

/**
 * A system of one machine and all actors below it. No machine fails, as by a rejection that nobody handles; every state
 * is reached; and a run ends in a final state or not at all.
 */
export function systemOf(machine: AnyStateMachine, module: MachineModule = {}): System {
  const { outcomes = {}, events = bareEvents(machine), input } = module;
  const environment = events.map((event): EnvironmentEvent => ({ event }));
  const leaves = nodesOf(machine).filter(({ type }) => type === 'atomic' || type === 'final');
  const properties: Property[] = leaves
    .filter(({ path }) => path.length > 0)
    .map(({ path }) => {
      const state = path.join('.');
      return reachable(`reaches ${state}`, { kind: 'some', is: (actor) => actor.in(state) });
    });
  return {
    name: machine.id,
    actors: { [machine.id]: { machine, outcomes, input, environment } },
    network: { order: 'fifo' },
    properties: [
      deadlockFree('ends only in final states', { kind: 'every', is: ({ done }) => done === true }),
      ...properties,
    ],
  };
}

function bareEvents(machine: AnyStateMachine): readonly { readonly type: string }[] {
  const types = nodesOf(machine).flatMap((node) => [...node.transitions.keys()]);
  const own = types.filter((type) => !type.startsWith('xstate.') && !type.endsWith('*'));
  return [...new Set(own)].map((type) => ({ type }));
}

/** What to export beside the machine, to be filled in. */
export function outlineOf(machine: AnyStateMachine): string {
  const invoked = invokedBy(machine);
  const events = bareEvents(machine).map((event) => `  { type: ${JSON.stringify(event.type)} },`);
  return [
    '// All that may come of what the machine invokes. Each may happen at any time while it is active.',
    `export const ${stubOf(invoked).replace('outcomes: {', 'outcomes = {')};`,
    '',
    '// The events that may come from outside, at any time, with all that they carry.',
    `export const events = [\n${events.join('\n')}\n];`,
    '',
  ].join('\n');
}
