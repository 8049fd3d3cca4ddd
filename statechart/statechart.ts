import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition, EventObject, StateValue } from 'xstate';
import { type Action, Actions, inOrder } from './actions.ts';
import {
  type Choice,
  Configuration,
  hasAlways,
  keyOf,
  type Microstep,
  type Option,
  type Route,
  type Select,
  stateValueOf,
} from './configuration.ts';
import { StatechartError } from './errors.ts';
import { type Guard, Guards } from './guards.ts';
import { At, BirthArgs, type Context, type Effect, OutputArgs, Run, type TimerChange } from './run.ts';
import { eventless, selected } from './select.ts';
import {
  ancestorsOf,
  type Entered,
  entrySet,
  exitSet,
  type HistoryValue,
  historyAfter,
  initialNodes,
  isFinished,
  withoutConflicts,
} from './sets.ts';
import { refuseOutside } from './subset.ts';

/** The state of one machine. The configuration is shared by all machines that are in it. */
export interface State {
  readonly configuration: Configuration;
  readonly context: Context;
}

/** The result of one event: the state after it, and the effects in the order in which they were requested. */
export interface Stepped extends State {
  readonly effects: readonly Effect[];
  /** The timer changes in order, to be made after the step. */
  readonly timers: readonly TimerChange[];
  /** The machine has reached its final state and takes no further event. */
  readonly done: boolean;
  /** The output of the whole machine, once it is done. */
  readonly output: unknown;
}

/**
 * Maximum number of microsteps on one event, unless the machine's own `maxIterations` is less. A machine that
 * makes more is considered not to come to rest.
 */
const mostMicrosteps = 10_000;

/**
 * An XState machine (5.33) compiled to a plain stepper. Event by event, it gives the same states, contexts, named
 * actions and timers as `transition` and `initialTransition`. Throws the errors of the machine's functions, `NO_REST`
 * and `EVENT_RESERVED`.
 */
export class Statechart {
  readonly id: string;
  /** The types of all effects that the machine implements or names. */
  readonly effects: ReadonlySet<string>;
  /** True if the machine arms timers, by `after` or a delayed raise. */
  readonly timed: boolean;
  readonly #machine: AnyStateMachine;
  readonly #most: number;
  readonly #guards: Guards;
  readonly #actions: Actions;
  readonly #options = new Map<AnyTransitionDefinition, Option>();
  readonly #perTransition = new Map<AnyTransitionDefinition, readonly Action[]>();
  readonly #entries = new Map<AnyStateNode, readonly Action[]>();
  readonly #initials = new Map<AnyStateNode, readonly Action[]>();
  readonly #exits = new Map<AnyStateNode, readonly Action[]>();
  readonly #outputs = new Map<AnyStateNode, (run: Run) => unknown>();
  readonly #descriptors = new Set<string>();
  /** The partial wildcards, such as `go.*`, longest first. */
  #wildcards: readonly string[] = [];
  readonly #configurations = new Map<string, Configuration>();
  /** The configuration before any state is entered. As in XState, its value is already the initial one. */
  readonly #unborn: Configuration;
  readonly #birth: Microstep;

  constructor(machine: AnyStateMachine) {
    refuseOutside(machine);
    this.id = machine.id;
    this.#machine = machine;
    this.#most = Math.min(mostMicrosteps, machine.options.maxIterations ?? mostMicrosteps);
    this.#guards = new Guards(machine);
    this.#actions = new Actions(machine, this.#guards);
    this.#compile(machine.root);
    this.#wildcards = [...this.#descriptors]
      .filter((descriptor) => descriptor.endsWith('.*'))
      .sort((one, other) => other.length - one.length);
    this.effects = this.#actions.effects;
    this.timed = this.#actions.timed;
    this.#birth = this.#begin(machine.root);
    this.#unborn = new Configuration([machine.root], this.#birth.target.value, {});
  }

  start(input: unknown): Stepped {
    const { context } = this.#machine.config as { readonly context?: unknown };
    const event = { type: 'xstate.init', input };
    const of: unknown = typeof context === 'function' ? context(new BirthArgs(input)) : context;
    const run = new Run(this.#unborn, Object.assign({}, of), event, false);
    this.#follow(run, this.#birth);
    this.#settle(run);
    return run;
  }

  /**
   * The state of a snapshot. The snapshot does not tell in which order regions were entered, so the order of
   * the definition is used.
   */
  resume(snapshot: {
    readonly value: StateValue;
    readonly context: Context;
    readonly historyValue?: HistoryValue;
  }): State {
    const { value, context, historyValue = {} } = snapshot;
    const { _nodes: nodes } = this.#machine.resolveState({ value, context });
    return { configuration: this.#intern(nodes, historyValue), context };
  }

  /** `owns`: the context is not shared, so it is changed in place instead of copied. */
  step(configuration: Configuration, context: Context, event: EventObject, owns = false): Stepped {
    const run = new Run(configuration, context, event, owns);
    this.#take(run);
    this.#settle(run);
    return run;
  }

  #take(run: Run): void {
    const { configuration, at } = run;
    const select = configuration.choices.get(at.event.type) ?? this.#selectOf(configuration, at.event.type);
    const route = select(at, configuration, configuration.start);
    if (route !== configuration.start) this.#follow(run, this.#microstep(configuration, route));
  }

  /** Takes transitions without events and raised events, until neither is left. */
  #settle(run: Run): void {
    let mayAlways = true;
    let raised = 0;
    for (let microsteps = 0; microsteps < this.#most; microsteps++) {
      if (run.done) return;
      const { configuration } = run;
      const { eventless: select, start } = configuration;
      const route = mayAlways && select ? select(run.at, configuration, start) : start;
      if (route !== start) {
        run.assigned = false;
        const microstep = this.#microstep(configuration, route);
        this.#follow(run, microstep);
        // XState checks `always` again only if the microstep changed something.
        mayAlways = run.assigned || microstep.changes;
      } else {
        const event = run.raised?.[raised++];
        if (!event) return;
        run.at = new At(run.at.context, event);
        this.#take(run);
        mayAlways = true;
      }
    }
    throw new StatechartError(
      'NO_REST',
      `machine '${this.id}' makes more than ${this.#most} microsteps on one event (the last was of ` +
        `${run.at.event.type}); let no always and no raise go round in a circle`,
    );
  }

  #follow(run: Run, { act, target }: Microstep): void {
    act(run);
    run.configuration = target;
  }

  #microstep(configuration: Configuration, route: Route): Microstep {
    route.microstep ??= this.#plan(
      configuration,
      route.taken.map(({ transition }) => transition),
    );
    return route.microstep;
  }

  #plan(configuration: Configuration, selection: readonly AnyTransitionDefinition[]): Microstep {
    const { nodes, history } = configuration;
    const transitions = withoutConflicts(selection, nodes, history);
    const left = exitSet(transitions, nodes, history);
    const remembered = historyAfter(left, nodes, history);
    const stay = new Set(nodes);
    for (const node of left) stay.delete(node);
    const { actions, after } = this.#enter(entrySet(transitions, remembered), stay);
    const isSame = after.size === nodes.length && nodes.every((node) => after.has(node));
    const changes = !isSame || remembered !== history;
    return {
      act: inOrder([
        ...left.flatMap((node) => this.#exits.get(node)!),
        ...transitions.flatMap((transition) => this.#perTransition.get(transition)!),
        ...actions,
      ]),
      target: changes ? this.#intern([...after], remembered) : configuration,
      changes,
    };
  }

  #begin(root: AnyStateNode): Microstep {
    const birth = { source: root, target: initialNodes(root), reenter: true } as AnyTransitionDefinition;
    const { nodes, byDefault } = entrySet([birth], {});
    const entered = { nodes, byDefault: new Set([...byDefault, root]) };
    const { actions, after } = this.#enter(entered, new Set([root]));
    return { act: inOrder(actions), target: this.#intern([...after], {}), changes: true };
  }

  /** The actions of entering the states, and the resulting active states. Changes `active`. */
  #enter({ nodes, byDefault }: Entered, active: Set<AnyStateNode>): Entering {
    const actions: Action[] = [];
    const finished = new Set<AnyStateNode>();
    let isDone = false;
    for (const node of nodes) {
      active.add(node);
      actions.push(...this.#entries.get(node)!);
      if (byDefault.has(node)) actions.push(...this.#initials.get(node)!);
      if (node.type !== 'final') continue;
      const { parent } = node;
      if (parent?.type === 'compound') actions.push(raiseDone(parent, this.#outputs.get(node)));
      let outer = parent?.type === 'parallel' ? parent : parent?.parent;
      let last = outer ?? node;
      while (outer?.type === 'parallel' && !finished.has(outer) && isFinished(outer, active)) {
        finished.add(outer);
        actions.push(raiseDone(outer));
        last = outer;
        outer = outer.parent;
      }
      if (outer) continue;
      isDone = true;
      actions.push(this.#finish(last));
    }
    if (isDone) {
      const innermostFirst = [...active].sort((one, other) => other.order - one.order);
      actions.push(...innermostFirst.flatMap((node) => this.#exits.get(node)!));
    }
    return { actions, after: active };
  }

  /** The action that ends the machine, because `last` is final. */
  #finish(last: AnyStateNode): Action {
    const whole = this.#outputs.get(this.#machine.root);
    const part = last.parent && this.#outputs.get(last);
    return (run) => {
      run.done = true;
      if (!whole) return;
      const { at } = run;
      const event = { type: `xstate.done.state.${last.id}`, output: part?.(run) };
      run.at = new At(at.context, event);
      run.output = whole(run);
      run.at = at;
    };
  }

  #selectOf(configuration: Configuration, type: string): Select {
    if (reserved.has(type) || type.startsWith('xstate.error.actor.')) {
      throw new StatechartError('EVENT_RESERVED', `${type} is XState's own; give the event another type`);
    }
    const key = this.#descriptors.has(type) ? type : this.#wildcards.filter(takes(type)).join(' ');
    const known = configuration.choices.get(key);
    if (known) return known;
    const made = selected(this.#choice(this.#machine.root, configuration.nodes, type), configuration);
    configuration.choices.set(key, made);
    return made;
  }

  #choice(node: AnyStateNode, nodes: readonly AnyStateNode[], type: string): Choice {
    const children = nodes.filter(({ parent }) => parent === node);
    const inner = children
      .map((child) => this.#choice(child, nodes, type))
      .filter((choice) => choice.inner.length + choice.own.length > 0);
    const descriptors = [type, ...this.#wildcards.filter((it) => it !== type && takes(type)(it)), '*'];
    const candidates = descriptors.flatMap((descriptor) => node.transitions.get(descriptor) ?? []);
    const own = candidates.map((transition) => this.#options.get(transition)!);
    const [only] = inner;
    return inner.length === 1 && own.length === 0 ? only! : { inner, own };
  }

  #intern(nodes: readonly AnyStateNode[], history: HistoryValue): Configuration {
    const key = keyOf(nodes, history);
    const known = this.#configurations.get(key);
    if (known) return known;
    const always = nodes
      .filter(hasAlways)
      .map((leaf) =>
        [leaf, ...ancestorsOf(leaf)].flatMap(({ always }) =>
          (always ?? []).map((it) => this.#options.get(it)!),
        ),
      );
    const made = new Configuration(nodes, stateValueOf(this.#machine.root, nodes), history);
    made.eventless = eventless(always, made);
    this.#configurations.set(key, made);
    return made;
  }

  #compile(node: AnyStateNode): void {
    const where = `state '${node.id}'`;
    const compiled = (actions: readonly unknown[], place: string) =>
      actions.map((action) => this.#actions.compile(action, place));
    this.#entries.set(node, compiled(node.entry, `${where} entry`));
    this.#exits.set(node, compiled(node.exit, `${where} exit`));
    this.#initials.set(node, compiled(node.initial.actions, `${where} initial`));
    if (node.output !== undefined) this.#outputs.set(node, outputOf(node.output));
    const transitions = [...node.transitions, ['always', node.always ?? []] as const];
    for (const [descriptor, list] of transitions) {
      if (list !== node.always) this.#descriptors.add(descriptor);
      for (const transition of list) {
        const place = `${where} ${list === node.always ? 'always' : `on ${descriptor}`}`;
        this.#options.set(transition, { transition, guard: this.#guard(transition, place) });
        this.#perTransition.set(transition, compiled(transition.actions, place));
      }
    }
    for (const child of Object.values(node.states)) this.#compile(child);
  }

  #guard({ guard }: AnyTransitionDefinition, where: string): Guard | null {
    return guard ? this.#guards.compile(guard, where) : null;
  }
}

interface Entering {
  readonly actions: readonly Action[];
  readonly after: ReadonlySet<AnyStateNode>;
}

/** Events that are not sent to live actors, because they have another meaning in XState. */
const reserved: ReadonlySet<string> = new Set(['xstate.init', 'xstate.stop', '*']);

/** Tells whether a wildcard takes this type: `go.*` takes `go`, `go.on` and `go.on.now`. */
function takes(type: string): (wildcard: string) => boolean {
  return (wildcard) => `${type}.`.startsWith(wildcard.slice(0, -1));
}

function raiseDone({ id }: AnyStateNode, output?: (run: Run) => unknown): Action {
  const type = `xstate.done.state.${id}`;
  return (run) => run.raise({ type, output: output?.(run) } as EventObject);
}

function outputOf(output: unknown): (run: Run) => unknown {
  if (typeof output !== 'function') return () => output;
  return ({ at: { context, event } }) =>
    (output as (args: OutputArgs) => unknown)(new OutputArgs(context, event));
}
