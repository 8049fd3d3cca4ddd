import { isDeepStrictEqual } from 'node:util';
import type {
  AnyActorScope,
  AnyMachineSnapshot,
  AnyStateMachine,
  AnyStateNode,
  AnyTransitionDefinition,
  EventObject,
  StateValue,
} from 'xstate';
import type { NamedAction } from '../../machines/actor.ts';
import { reasonOf } from '../../machines/errors.ts';
import { compile } from '../../statechart/compile.ts';
import { effectOf } from '../../statechart/run.ts';
import type { Stepped as Compiled, State, Statechart } from '../../statechart/statechart.ts';
import { timerChange } from '../../statechart/xstate.ts';
import { SystemError } from './errors.ts';
import type { Interner, Json } from './interner.ts';
import { Memo } from './memo.ts';
import { withoutClockAndChance } from './purity.ts';
import { isNoted } from './refusals.ts';
import { refusedMachine } from './refuse.ts';

/** An armed timer. It may fire at any time. */
export interface Timer {
  readonly id: string;
  /** The interned event that it raises. */
  readonly event: number;
  /**
   * `cancel` of an id stops the newest timer of that id alone. An older one is superseded and goes on, and when it fires
   * XState forgets the newest too, which is then superseded. One without an id of its own is never stopped.
   */
  readonly standing: 'newest' | 'superseded' | 'unnamed';
}

export type TimerChange = { readonly arm: Timer } | { readonly cancel: string };

/** The effect of one event on a snapshot, all of it as values; `fault`: the machine threw. */
export type Stepped =
  | {
      readonly snapshot: number;
      /** The named actions, in order. */
      readonly effects: readonly NamedAction[];
      /** The changes of timers, in order. */
      readonly timers: readonly TimerChange[];
    }
  | { readonly fault: string };

/** A snapshot as an interned value. Names of states are JSON as text: no name of a state is the id of an actor. */
export interface InternedSnapshot {
  readonly value: string;
  readonly history: string;
  readonly context: Readonly<Record<string, Json>>;
  /** The machine has reached its final state. */
  readonly done: boolean;
  /** In a tree of actors: its armed timers. */
  readonly armed?: readonly string[];
  /** In a tree of actors: the other actors by their path, as predicates see them. */
  readonly children?: Readonly<Record<string, Json>>;
  /** In a tree of actors: the whole tree, as text. */
  readonly tree?: string;
}

/** The pure steps of one machine over interned snapshots and events, each computed once. */
export class Stepper {
  readonly machine: AnyStateMachine;
  readonly #values: Interner;
  readonly #chart: Statechart;
  readonly #states: State[] = [];
  /** The texts for each configuration of the compiled engine. */
  readonly #texts = new WeakMap<object, Pick<InternedSnapshot, 'value' | 'history'>>();
  readonly #snapshots: AnyMachineSnapshot[] = [];
  /** Snapshots and events with their keys in reversed order. */
  readonly #turnedSnapshots: AnyMachineSnapshot[] = [];
  readonly #turnedEvents: EventObject[] = [];
  readonly #steps = new Memo<number, Stepped>();
  readonly #enabled = new Memo<number, boolean>();
  readonly #taken = new Set<AnyTransitionDefinition>();
  readonly #scope: AnyActorScope;
  /** The effects of the running step so far. */
  #effects: NamedAction[] = [];
  #timers: TimerChange[] = [];
  #microsteps = 0;

  /** `chart`: the engine of the runtime for `machine`. Each step is compared with it. */
  constructor(machine: AnyStateMachine, values: Interner, chart: Statechart = compile(machine)) {
    this.machine = machine;
    this.#values = values;
    this.#chart = chart;
    this.#scope = this.#inertScope();
  }

  start(input: unknown): Stepped {
    const turned = reversed(input);
    return this.#twice(
      () => this.machine.getInitialSnapshot(this.#scope, input),
      () => this.machine.getInitialSnapshot(this.#scope, turned),
      () => this.#chart.start(input),
      () => 'as it starts',
    );
  }

  take(snapshot: number, event: number): Stepped {
    return this.#steps.get(snapshot, event, () => {
      const [from, turnedFrom] = [this.snapshot(snapshot), this.#turnedSnapshot(snapshot)];
      const [of, turnedOf] = [this.#values.value(event) as unknown as EventObject, this.#turnedEvent(event)];
      return this.#twice(
        () => this.machine.transition(from, of, this.#scope),
        () => this.machine.transition(turnedFrom, turnedOf, this.#scope),
        () => {
          const { configuration, context } = this.#state(snapshot);
          return this.#chart.step(configuration, context, of);
        },
        (told = this.#values.text(event)) => `on ${told} in ${this.#interned(snapshot).value}`,
        of.type,
      );
    });
  }

  /**
   * Reports whether the machine has an enabled transition for this event. A guard that throws counts as one:
   * the step then fails.
   */
  enables(snapshot: number, event: number): boolean {
    const of = this.#values.value(event) as unknown as EventObject;
    return this.#enabled.get(snapshot, event, () =>
      withoutClockAndChance(
        () => {
          try {
            return this.machine.getTransitionData(this.snapshot(snapshot), of).length > 0;
          } catch {
            return true;
          }
        },
        this.#impure(() => `on ${of.type} in ${this.#interned(snapshot).value}`),
      ),
    );
  }

  /** Returns every transition that a step took. */
  taken(): ReadonlySet<AnyTransitionDefinition> {
    return this.#taken;
  }

  /** Returns XState's own snapshot, restored from the interned one. */
  snapshot(id: number): AnyMachineSnapshot {
    this.#snapshots[id] ??= restore(this.machine, this.#interned(id), same);
    return this.#snapshots[id];
  }

  #state(id: number): State {
    this.#states[id] ??= this.#chart.resume(this.snapshot(id));
    return this.#states[id];
  }

  #turnedSnapshot(id: number): AnyMachineSnapshot {
    this.#turnedSnapshots[id] ??= reordered(restore(this.machine, this.#interned(id), reversed));
    return this.#turnedSnapshots[id];
  }

  #turnedEvent(id: number): EventObject {
    this.#turnedEvents[id] ??= reversed(this.#values.value(id)) as unknown as EventObject;
    return this.#turnedEvents[id];
  }

  #interned(id: number): InternedSnapshot {
    return this.#values.value(id) as unknown as InternedSnapshot;
  }

  /**
   * Runs a step twice, the second time with everything reversed that has no order. Both results must be
   * equal. Every step is tested so: a step that depends on an order, or on an earlier step, may do so for a
   * single context only.
   */
  #twice(
    step: () => AnyMachineSnapshot,
    turned: () => AnyMachineSnapshot,
    compiled: () => Compiled,
    where: (event?: string) => string,
    type?: string,
  ): Stepped {
    const [once, again, runs] = withoutClockAndChance(
      () => [this.#run(step), this.#run(turned), this.#runCompiled(compiled)] as const,
      this.#impure(() => where(type)),
    );
    if (!isDeepStrictEqual(once, again) && outcome(once) !== outcome(again)) {
      const error = new SystemError(
        'MACHINE_IMPURE',
        `${this.#who} does not answer the same event in the same way: run again ${where(type)}, with the keys of its objects and ` +
          `the states in its regions in another order, ${this.#told(once)} became ${this.#told(again)}. A step may depend ` +
          'on the snapshot and the event only: not on a clock, chance or variables outside of the machine (let what ' +
          'they tell come in as an event), not on the order of keys, and not on which region was entered last.',
      );
      if (!isNoted(error, `${this.#who} differs ${where(type)}`)) throw error;
      return once;
    }
    this.#compare(once, runs, where);
    return once;
  }

  #impure(where: () => string): (door: string) => SystemError {
    return (door) =>
      new SystemError(
        'MACHINE_IMPURE',
        `${this.#who} reads ${door} ${where()}, so that one event has many outcomes. Pass time and random values in as an event.`,
      );
  }

  /**
   * Compares the step with the engine of the runtime, which must do the same. Two faults are equal, whatever
   * their text.
   */
  #compare(checked: Stepped, runs: Stepped, where: () => string): void {
    if ('fault' in checked && 'fault' in runs) return;
    if (isDeepStrictEqual(checked, runs)) return;
    throw new SystemError(
      'ENGINES_DIFFER',
      `The engine that runs ${this.#who} answers differently from XState ${where()}: XState ${this.#told(checked)}, the ` +
        `engine ${this.#told(runs)}. This is a fault of Baton: please report it with the machine. Until it is mended, run ` +
        "the machine on XState's own actor.",
    );
  }

  /** Describes a step in words. */
  #told(stepped: Stepped): string {
    if ('fault' in stepped) return `one that fails (${stepped.fault})`;
    const { value, context } = this.#interned(stepped.snapshot);
    const asks = [...stepped.effects, ...stepped.timers].map((one) => `, ${JSON.stringify(one)}`);
    return `${value} with ${JSON.stringify(context)}${asks.join('')}`;
  }

  #runCompiled(step: () => Compiled): Stepped {
    try {
      const { configuration, context, done, effects, timers } = step();
      let texts = this.#texts.get(configuration);
      if (texts === undefined) {
        texts = this.#stateTexts(configuration.value, configuration.history);
        this.#texts.set(configuration, texts);
      }
      const who = `the snapshot of ${this.#who}`;
      return {
        snapshot: this.#values.intern({ ...texts, context, done }, who),
        effects,
        timers: timers.map((timer) => ('arm' in timer ? this.#armed(timer.arm) : timer)),
      };
    } catch (error) {
      if (error instanceof SystemError) throw error;
      return { fault: reasonOf(error) };
    }
  }

  #armed({ id, event }: { readonly id: string | undefined; readonly event: EventObject }): TimerChange {
    const interned = this.#values.intern(event, `the event of a timer of ${this.#who}`);
    return {
      arm: { id: id ?? event.type, event: interned, standing: id === undefined ? 'unnamed' : 'newest' },
    };
  }

  #run(step: () => AnyMachineSnapshot): Stepped {
    const effects: NamedAction[] = [];
    const timers: TimerChange[] = [];
    this.#effects = effects;
    this.#timers = timers;
    this.#microsteps = 0;
    try {
      const after = step();
      if (after.status === 'error') throw after.error;
      return { snapshot: this.#intern(after), effects, timers };
    } catch (error) {
      if (error instanceof SystemError) throw error;
      const text = reasonOf(error);
      if (/^Unable to send event to actor/.test(text)) throw refusedMachine(this.machine, 'sendTo');
      return { fault: text };
    }
  }

  /** A scope that collects actions and taken transitions, and refuses every use of `self` or `system`. */
  #inertScope(): AnyActorScope {
    const trap = (name: string, own: object) =>
      new Proxy(own, {
        get: (target, key) => {
          if (key in target) return Reflect.get(target, key);
          throw refusedMachine(this.machine, `${name}.${String(key)}`);
        },
      });
    return {
      self: trap('self', {}) as AnyActorScope['self'],
      id: '',
      sessionId: '',
      logger: () => {},
      defer: () => {},
      emit: () => {},
      stopChild: () => {},
      system: trap('system', {
        // The hook by which XState reports the transitions of each microstep to inspectors.
        _sendInspectionEvent: (event: { _transitions?: readonly AnyTransitionDefinition[] }) => {
          if (++this.#microsteps > mostMicrosteps)
            throw new Error(`no rest after ${mostMicrosteps} microsteps`);
          for (const transition of event._transitions ?? []) this.#taken.add(transition);
        },
      }) as AnyActorScope['system'],
      actionExecutor: (action) => this.#collect(action),
    };
  }

  #collect({ type, params, exec }: Parameters<AnyActorScope['actionExecutor']>[0]): void {
    if (type.startsWith('xstate.')) this.#builtIn(type, params);
    else if (exec !== undefined && exec !== this.machine.implementations.actions[type]) {
      throw refusedMachine(this.machine, 'an enqueued function as an action, which no check would run');
    } else this.#effects.push(effectOf(type, params));
  }

  #builtIn(type: string, params: unknown): void {
    if (!known.has(type)) throw refusedMachine(this.machine, type);
    for (const timer of timerChange(type, params))
      this.#timers.push('arm' in timer ? this.#armed(timer.arm) : timer);
  }

  #intern(snapshot: AnyMachineSnapshot): number {
    if (Object.keys(snapshot.children).length > 0) throw refusedMachine(this.machine, 'a child actor');
    const { value, historyValue, context, status } = snapshot;
    const texts = this.#stateTexts(value, historyValue as Record<string, readonly AnyStateNode[]>);
    const interned = { ...texts, context, done: status !== 'active' };
    return this.#values.intern(interned, `the snapshot of ${this.#who}`);
  }

  #stateTexts(
    value: StateValue,
    remembered: Readonly<Record<string, readonly AnyStateNode[]>>,
  ): Pick<InternedSnapshot, 'value' | 'history'> {
    const history = Object.entries(remembered)
      .map(([id, nodes]) => [id, nodes.map((node) => node.id).sort()] as const)
      .sort(([left], [right]) => (left < right ? -1 : 1));
    return {
      value: JSON.stringify(inOrder(this.machine.root, value)),
      history: JSON.stringify(Object.fromEntries(history)),
    };
  }

  get #who(): string {
    return `machine '${this.machine.id}'`;
  }
}

/** The actions of XState that change timers, or have no effect after the step. */
const known: ReadonlySet<string> = new Set(['xstate.raise', 'xstate.cancel', 'xstate.log']);

/** Maximum number of microsteps for one event. Beyond it a machine counts as one that never comes to rest. */
const mostMicrosteps = 10_000;

type Turn = <Value>(value: Value) => Value;
const same: Turn = (value) => value;
/** Frozen, like its parts. */
const reversed: Turn = (value) => {
  if (Array.isArray(value)) return Object.freeze(value.map(reversed)) as typeof value;
  if (value === null || typeof value !== 'object') return value;
  const turned = Object.entries(value)
    .reverse()
    .map(([key, item]) => [key, reversed(item)]);
  return Object.freeze(Object.fromEntries(turned)) as typeof value;
};

function restore(machine: AnyStateMachine, interned: InternedSnapshot, turn: Turn): AnyMachineSnapshot {
  const { value, history, context, done } = interned;
  const entered = Object.entries(JSON.parse(history) as Record<string, readonly string[]>);
  return machine.resolveState({
    value: JSON.parse(value) as StateValue,
    context: turn(context) as Record<string, unknown>,
    status: done ? 'done' : 'active',
    historyValue: Object.fromEntries(
      entered.map(([id, nodes]) => [id, nodes.map((node) => machine.getStateNodeById(`#${node}`))]),
    ),
  });
}

/**
 * XState takes `always` in the order in which the active states were entered last, which the value does not
 * say. So a step must come out the same when the states in the regions were entered in another order.
 */
function reordered(snapshot: AnyMachineSnapshot): AnyMachineSnapshot {
  const nodes: readonly AnyStateNode[] = snapshot._nodes;
  const isRegion = ({ parent }: AnyStateNode) => parent === undefined || parent.type === 'parallel';
  const inside = nodes.filter((node) => !isRegion(node)).reverse();
  return { ...snapshot, _nodes: [...nodes.filter(isRegion), ...inside] };
}

/** Returns the value with its regions in the order of the definition, which is their order in SCXML. */
function inOrder(node: AnyStateNode, value: StateValue): StateValue {
  if (typeof value === 'string') return value;
  const keys = Object.keys(node.states).filter((key) => value[key] !== undefined);
  return Object.fromEntries(keys.map((key) => [key, inOrder(node.states[key]!, value[key]!)]));
}

/**
 * Returns the text by which two runs of one step are compared. Sends to one target keep their order; sends to
 * different targets need not.
 */
function outcome(stepped: Stepped): string {
  if ('fault' in stepped) return `fault ${stepped.fault}`;
  const byTarget = new Map<unknown, string[]>();
  for (const effect of stepped.effects) {
    const target = 'target' in effect ? effect['target'] : effect.type;
    byTarget.set(target, [...(byTarget.get(target) ?? []), sortedText(effect)]);
  }
  const groups = [...byTarget].map(([target, effects]) => `${String(target)}: ${effects.join()}`).sort();
  const timers = stepped.timers.map((timer) => JSON.stringify(timer)).sort();
  return `#${stepped.snapshot} ${groups.join('; ')} ${timers.join()}`;
}

function sortedText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedText).join()}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'undefined';
  const fields = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${fields.map(([key, item]) => `${key}:${sortedText(item)}`).join()}}`;
}
