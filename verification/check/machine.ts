import type { AnyStateMachine } from 'xstate';
import { always, deadlockFree, every, plain, reachable, some } from '../system/properties.ts';
import { slipOf } from '../system/shape.ts';
import type { ActorSpec, ActorView, EnvironmentEvent, Property, System } from '../system/system.ts';
import { LOST } from '../system/tree/live.ts';
import { invokedBy, stubOf } from '../system/tree/outcomes.ts';
import { isMachine, nodesOf } from '../system/tree/places.ts';
import { CheckError } from './errors.ts';

/** The exports of a module beside a machine that let the machine be checked alone. */
export interface MachineModule
  extends Pick<ActorSpec, 'outcomes' | 'input' | 'time' | 'chance' | 'maxChildren'> {
  /** The inputs with which the machine may start. Each is explored. Replaces `input`. */
  readonly inputs?: readonly unknown[];
  /**
   * The events that may come from outside: as they are, or with how often and when they may come. Default: every type that
   * the machine names, and one type for each wildcard, with nothing but a type.
   */
  readonly events?: readonly ({ readonly type: string } | EnvironmentEvent)[];
  /**
   * A state in which this is false is counted and not explored further. Verdicts then hold within the
   * constraint only.
   */
  readonly within?: (actor: ActorView) => boolean;
}

/** The keys of `MachineModule`, and other words that an author might use for them. */
const exportsKnown = ['outcomes', 'input', 'inputs', 'events', 'within', 'time', 'chance', 'maxChildren'];
/** Exports that mean something in a `System` only. */
const exportsOfSystems = ['actors', 'properties', 'network', 'fairness', 'history', 'starts'];
const otherWords: Readonly<Record<string, string>> = {
  constraint: 'within',
  environment: 'events',
  starts: 'inputs',
  outcome: 'outcomes',
  event: 'events',
};

/**
 * Throws `CheckError` `SOURCE_INVALID` for an export beside the machine whose name is a slip of a known one,
 * and for a known one of the wrong type. Both would be ignored silently.
 */
function refuseUnknownExports(module: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(module)) {
    if (exportsKnown.includes(name) || isMachine(value) || name === 'default') continue;
    if (exportsOfSystems.includes(name)) {
      throw new CheckError(
        'SOURCE_INVALID',
        `The module exports '${name}' beside its machine, which only a system may have: write a System with actors, network and properties, and export it as the default.`,
      );
    }
    const meant = Object.hasOwn(otherWords, name) ? otherWords[name] : slipOf(name, exportsKnown);
    if (meant === undefined) continue;
    throw new CheckError(
      'SOURCE_INVALID',
      `The module exports '${name}' beside its machine, which has no meaning here; did you mean ${meant}?`,
    );
  }
  const kinds = [
    ['events', Array.isArray, 'an array of events'],
    ['inputs', Array.isArray, 'an array'],
    ['within', (value: unknown) => typeof value === 'function', 'a function of the actor'],
  ] as const;
  for (const [name, is, what] of kinds) {
    const value = module[name];
    if (value === undefined || is(value)) continue;
    throw new CheckError('SOURCE_INVALID', `Expected the export '${name}' of the module to be ${what}.`);
  }
}

/** Returns the machine that a module exports, as its default or as its only machine, or `null`. */
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
 * A system of one machine and all actors below it. No machine fails, as by a rejection that nothing handles; no event that
 * one of them sends is lost; every state is reached; and a run ends in a final state or not at all.
 */
export function systemOf(machine: AnyStateMachine, module: MachineModule = {}): System {
  refuseUnknownExports({ ...module });
  const { outcomes = {}, events = bareEvents(machine), within } = module;
  const { input, inputs, time, chance, maxChildren } = module;
  const environment = events.map((event) => ('event' in event ? (event as EnvironmentEvent) : { event }));
  const leaves = nodesOf(machine).filter(({ type }) => type === 'atomic' || type === 'final');
  const properties: Property[] = leaves
    .filter(({ path }) => path.length > 0)
    .map(({ path }) => {
      const state = path.join('.');
      return reachable(
        `reaches ${state}`,
        some((actor) => actor.in(state) || actor.passes!(state)),
      );
    });
  // A machine goes on if it takes an event, even one that changes nothing or has come as often as it may.
  const goesOn = (actor: ActorView) =>
    environment.some(({ event, payloads }) =>
      (payloads?.(actor) ?? [{}]).some((payload) => actor.takes!({ ...payload, ...event })),
    );
  return {
    name: machine.id,
    actors: {
      [machine.id]: {
        machine,
        outcomes,
        environment,
        ...(input !== undefined && { input }),
        ...(time !== undefined && { time }),
        ...(chance !== undefined && { chance }),
        ...(maxChildren !== undefined && { maxChildren }),
      },
    },
    ...(inputs !== undefined && { starts: inputs.map((one) => ({ [machine.id]: one })) }),
    network: { order: 'fifo' },
    history: firstLost,
    properties: [
      always(
        'no event is lost',
        plain(({ history }) => history === null),
        ({ history }) => lostText(history as Lost),
      ),
      deadlockFree(
        'ends only in final states',
        every((actor) => actor.done === true || goesOn(actor)),
      ),
      ...properties,
    ],
    ...(within !== undefined && { constraint: { kind: 'every' as const, is: within } }),
  };
}

/** An event that an actor sent to another actor or to itself, and that no actor took. */
interface Lost {
  readonly event: string;
  /** The path of the actor that did not take the event. Default: the machine under check. */
  readonly actor?: string;
}

const firstLost: NonNullable<System['history']> = {
  initial: null,
  effects: [LOST],
  after: (history, _, [first]) => {
    const { type: __, ...lost } = first!;
    return history ?? lost;
  },
};

function lostText({ event, actor = 'the machine' }: Lost): string {
  return (
    `'${event}' comes to ${actor}, which takes it in no active state. Take it there, or say that it is ignored: ` +
    `on: { ${JSON.stringify(event)}: {} }.`
  );
}

/**
 * Returns each type of event that the machine names, as an event without further keys. For `user.*` and `*` it is one type
 * that the machine does not name, `user.anything` and `anything`.
 */
export function bareEvents(machine: AnyStateMachine): readonly { readonly type: string }[] {
  const types = nodesOf(machine).flatMap((node) => [...node.transitions.keys()]);
  const own = types
    .filter((type) => !type.startsWith('xstate.'))
    .map((type) => type.replace(/\*$/, 'anything'));
  return [...new Set(own)].map((type) => ({ type }));
}

/** Returns the types of the events that come bare, since the module of a machine exports no `events`. */
export function undeclaredEvents(exports: Readonly<Record<string, unknown>>): readonly string[] {
  const { default: exported, events } = exports;
  if (events !== undefined || (exported !== undefined && !isMachine(exported))) return [];
  const machine = machineIn(exports);
  return machine === null ? [] : bareEvents(machine).map(({ type }) => type);
}

/** Returns the exports to add beside the machine, as an outline to fill in. */
export function outlineOf(machine: AnyStateMachine): string {
  const invoked = invokedBy(machine);
  const events = bareEvents(machine).map((event) => `  { type: ${JSON.stringify(event.type)} },`);
  const outcomes = [
    '// All that may come of what the machine invokes. Each may happen at any time while it is active.',
    `export const ${stubOf(invoked).replace('outcomes: {', 'outcomes = {')};`,
    '',
  ];
  const input = [
    '// What the machine starts with, where its context is made from an input.',
    '// export const input = {};',
    '',
  ];
  return [
    ...(invoked.length > 0 ? outcomes : []),
    ...(typeof machine.config.context === 'function' ? input : []),
    '// The events that may come from outside, at any time, with all that they carry.',
    `export const events = [${events.map((line) => `\n${line}`).join('')}${events.length > 0 ? '\n' : ''}];`,
    '',
  ].join('\n');
}
