import {
  type AnyActorLogic,
  type AnyStateMachine,
  fromPromise,
  type ObservableActorLogic,
  type PromiseActorLogic,
  type StateMachine,
} from 'xstate';
import { SystemError } from '../errors.ts';
import { hint, misshapen, slipOf } from '../shape.ts';
import { actionsOf, isMachine, machinesOf, nodesOf } from './places.ts';

/** Values that may come, listed, or made from the input of the invocation. */
export type Values = readonly unknown[] | ((input: unknown) => readonly unknown[]);

/**
 * How an invoked promise, observable or callback may behave. While it is active each of these may happen at any time,
 * and nothing need happen.
 */
export interface Outcome {
  /** A promise resolves with one of these values; an observable completes, whatever the values. */
  readonly done?: Values;
  /** A promise rejects, or an observable fails, with one of these errors. */
  readonly error?: Values;
  /** An observable gives one of these values. */
  readonly next?: Values;
  /** A callback sends one of these events to its parent, as often as it likes; an event observable emits them. */
  readonly sends?: readonly { readonly type: string }[];
  /** How many of `sends` and `next` come at most, while it is active. Default: no bound. */
  readonly times?: number;
  /** A callback sends all these events to its parent, in order, before it has started. */
  readonly atStart?: readonly { readonly type: string }[];
  /** No outcome need come. None of the other keys is needed then. */
  readonly never?: true;
}

/** The outcomes by the name of the invoked logic: its `src`, or where that is a function, the id of its `invoke`. */
export type Outcomes = Readonly<Record<string, Outcome>>;

type ValuesOf<Value, Input> = readonly Value[] | ((input: Input) => readonly Value[]);

/** The type of a callback looks like a promise of nothing. */
type OutcomeOf<Logic> =
  Logic extends PromiseActorLogic<infer Output, infer Input>
    ? [Output] extends [undefined]
      ? Outcome
      : Pick<Outcome, 'error' | 'never'> & { readonly done?: ValuesOf<Output, Input> }
    : Logic extends ObservableActorLogic<infer Value, infer Input>
      ? Omit<Outcome, 'next' | 'sends' | 'atStart'> & { readonly next?: ValuesOf<Value, Input> }
      : Outcome;

type ActorOf<Machine> =
  Machine extends StateMachine<
    infer _Context,
    infer _Event,
    infer _Children,
    infer Actor,
    infer _Action,
    infer _Guard,
    infer _Delay,
    infer _Value,
    infer _Tag,
    infer _Input,
    infer _Output,
    infer _Emitted,
    infer _Meta,
    infer _Config
  >
    ? Actor
    : never;

/**
 * The outcomes of a machine of `setup`, with the values that the types of its promises and observables allow:
 * `export const outcomes = { ... } satisfies OutcomesOf<typeof machine>`.
 */
export type OutcomesOf<Machine> = {
  readonly [Actor in ActorOf<Machine> as Actor['src']]?: OutcomeOf<Actor['logic']>;
};

export type LogicKind = 'machine' | 'promise' | 'observable' | 'event observable' | 'callback' | 'transition';

/**
 * XState marks its logic in no other way than by the functions that it is made of; the machine to check may come with a
 * copy of XState of its own.
 */
const marks: readonly (readonly [LogicKind, string])[] = [
  ['promise', 'XSTATE_PROMISE_RESOLVE'],
  ['observable', 'XSTATE_OBSERVABLE_NEXT'],
  ['event observable', 'XSTATE_OBSERVABLE_COMPLETE'],
  ['callback', 'instanceStates'],
];

/** Throws `MACHINE_REFUSED` for logic of another making that starts something. */
export function kindOf(logic: AnyActorLogic, name: string): LogicKind {
  const kind = kindOrNull(logic);
  if (kind === null) throw unknownLogic([name]);
  return kind;
}

function kindOrNull(logic: AnyActorLogic): LogicKind | null {
  if (isMachine(logic)) return 'machine';
  const text = String(logic.transition);
  for (const [kind, word] of marks) if (text.includes(word)) return kind;
  return (logic as { start?: unknown }).start === undefined ? 'transition' : null;
}

function unknownLogic(names: readonly string[]): SystemError {
  return new SystemError(
    'MACHINE_REFUSED',
    `${names.map((name) => `'${name}'`).join(', ')}: logic of its own making that starts something. No check can tell ` +
      'what it does. Use fromPromise, fromCallback, fromObservable, fromTransition or a machine.',
  );
}

/** A place that invokes logic, with the name by which its outcomes are declared. */
export interface Invoked {
  readonly name: string;
  readonly kind: Exclude<LogicKind, 'machine' | 'transition'>;
}

/**
 * The promises, observables and callbacks that the machine, or a machine that it invokes, names or invokes. Throws
 * `MACHINE_REFUSED` for all logic of another making.
 */
export function invokedBy(machine: AnyStateMachine): readonly Invoked[] {
  const invoked = new Map<string, Invoked>();
  const unknown = new Set<string>();
  const machines = new Set([machine]);
  for (const each of machines) {
    const found = (name: string, logic: unknown) => {
      if (logic === undefined) {
        // XState only warns that there is none, which is common in published machines.
        each.implementations.actors[name] = missing;
        invoked.set(name, { name, kind: 'promise' });
        return;
      }
      const kind = kindOrNull(logic as AnyActorLogic);
      if (kind === null) unknown.add(`${name} of machine ${each.id}`);
      else if (kind === 'machine') machines.add(logic as AnyStateMachine);
      else if (kind !== 'transition') invoked.set(name, { name, kind });
    };
    for (const node of nodesOf(each)) {
      for (const [index, { src, id }] of node.invoke.entries()) {
        const { invoke } = node.config;
        const config = [invoke].flat()[index] as { readonly src: unknown };
        if (typeof config.src === 'string') found(config.src, each.implementations.actors[config.src]);
        else found(id ?? src, config.src);
      }
    }
    for (const [name, logic] of Object.entries(each.implementations.actors)) {
      if (logic !== missing) found(name, logic);
    }
  }
  if (unknown.size > 0) throw unknownLogic([...unknown]);
  return [...invoked.values()];
}

const missing = fromPromise(async () => undefined);

const stubs: Readonly<Record<Invoked['kind'], string>> = {
  promise: '{ done: [undefined], error: [new Error()] }',
  observable: '{ next: [undefined], done: [undefined], error: [new Error()] }',
  'event observable': '{ sends: [], done: [undefined], error: [new Error()] }',
  callback: '{ sends: [], atStart: [] }',
};

/** Returns declarations to paste, one for each of `invoked`. */
export function stubOf(invoked: readonly Invoked[]): string {
  const lines = invoked.map(
    ({ name, kind }) =>
      `  ${JSON.stringify(name)}: ${stubs[kind]}, // ${/^[aeo]/.test(kind) ? 'an' : 'a'} ${kind}`,
  );
  return `outcomes: {\n${lines.join('\n')}\n}`;
}

/** Throws `OUTCOMES_MISSING` for all invoked logic that is not declared. */
export function refuseUndeclared(machine: AnyStateMachine, outcomes: Outcomes): void {
  const invoked = invokedBy(machine);
  const names = invoked.map(({ name }) => name);
  const strangers = Object.keys(outcomes).filter((name) => !names.includes(name));
  const lacking = invoked.filter(({ name }) => !Object.hasOwn(outcomes, name));
  if (lacking.length > 0) throw undeclared(machine.id, lacking, strangers);
  for (const name of strangers) {
    // Logic that an action spawns is known by its id, which only a step tells.
    if (spawns(machine) && slipOf(name, names) === undefined) continue;
    throw misshapen(`outcomes.${name}`, `machine '${machine.id}' invokes no '${name}'; ${hint(name, names)}`);
  }
}

/** Reports whether an action of the machine, or of one that it invokes, may spawn logic. */
function spawns(machine: AnyStateMachine): boolean {
  return [...machinesOf(machine)].some((each) => {
    const named = Object.values(each.implementations.actions) as readonly unknown[];
    return [...named, ...nodesOf(each).flatMap(actionsOf)].some((action) =>
      /^xstate\.(assign|enqueueActions|spawnChild)$/.test(
        String((action as { type?: unknown } | null)?.type),
      ),
    );
  });
}

/** `strangers`: declared names that no invoked logic has. */
export function undeclared(
  machine: string,
  lacking: readonly Invoked[],
  strangers: readonly string[] = [],
): SystemError {
  const slips = strangers.map(
    (name) =>
      [
        name,
        slipOf(
          name,
          lacking.map((one) => one.name),
        ),
      ] as const,
  );
  const meant = slips.flatMap(([name, one]) =>
    one === undefined ? [] : [` outcomes has '${name}': did you mean ${one}?`],
  );
  return new SystemError(
    'OUTCOMES_MISSING',
    `machine '${machine}' invokes ${lacking.map(({ name }) => `'${name}'`).join(', ')}, and nothing says what may come ` +
      `of it.${meant.join('')} Declare all outcomes that may come, beside the machine:\n${stubOf(lacking)}`,
  );
}
