import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition, EventObject, StateValue } from 'xstate';
import { type Action, Actions } from './actions.ts';
import {
  type Choice,
  Configuration,
  hasAlways,
  keyOf,
  type Microstep,
  type Option,
  type Route,
  stateValueOf,
} from './configuration.ts';
import { StatechartError } from './errors.ts';
import { type Guard, Guards } from './guards.ts';
import { At, type Context, type Effect, Run } from './run.ts';
import { eventless, selected } from './select.ts';
import { ancestorsOf, entrySet, exitSet, withoutConflicts } from './sets.ts';
import { refuseOutside } from './subset.ts';

/** The state of one machine. The configuration is shared by all machines that are in it. */
export interface State {
  readonly configuration: Configuration;
  readonly context: Context;
}

/** The result of one event: the state after it, and the effects in the order in which they were requested. */
export interface Stepped extends State {
  readonly effects: readonly Effect[];
}

/**
 * Maximum number of microsteps on one event, unless the machine's own `maxIterations` is less. A machine that
 * makes more is considered not to come to rest.
 */
const mostMicrosteps = 10_000;

/**
 * An XState machine (5.33) compiled to a plain stepper. Event by event, it gives the same states, contexts
 * and named actions as `transition` and `initialTransition`. Throws the errors of the machine's functions,
 * `NO_REST` and `EVENT_RESERVED`.
 */
export class Statechart {
  readonly id: string;
  /** The types of all effects that the machine implements or names. */
  readonly effects: ReadonlySet<string>;
  readonly #machine: AnyStateMachine;
  readonly #most: number;
  readonly #guards: Guards;
  readonly #actions: Actions;
  readonly #options = new Map<AnyTransitionDefinition, Option>();
  readonly #perTransition = new Map<AnyTransitionDefinition, readonly Action[]>();
  readonly #entries = new Map<AnyStateNode, readonly Action[]>();
  readonly #initials = new Map<AnyStateNode, readonly Action[]>();
  readonly #exits = new Map<AnyStateNode, readonly Action[]>();
  readonly #descriptors = new Set<string>();
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
    this.effects = this.#actions.effects;
    this.#birth = this.#begin(machine.root);
    this.#unborn = new Configuration([machine.root], this.#birth.target.value, []);
  }

  start(input: unknown): Stepped {
    const { context } = this.#machine.config as { readonly context?: unknown };
    const event = { type: 'xstate.init', input };
    const of: unknown = typeof context === 'function' ? context(new Birth(input, event)) : context;
    const run = new Run(this.#unborn, Object.assign({}, of), event, false);
    this.#follow(run, this.#birth);
    this.#settle(run);
    return run;
  }

  /**
   * The state of a snapshot. The snapshot does not tell in which order regions were entered, so the order of
   * the definition is used.
   */
  resume({ value, context }: { readonly value: StateValue; readonly context: Context }): State {
    const { _nodes: nodes } = this.#machine.resolveState({ value, context });
    return { configuration: this.#intern(nodes), context };
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
    const choice = configuration.choices.get(at.event.type) ?? this.#choiceOf(configuration, at.event.type);
    const route = selected(choice, at, configuration, configuration.start);
    if (route !== configuration.start) this.#follow(run, this.#microstep(configuration, route));
  }

  /** Takes transitions without events and raised events, until neither is left. */
  #settle(run: Run): void {
    let mayAlways = true;
    let raised = 0;
    for (let microsteps = 0; microsteps < this.#most; microsteps++) {
      const { configuration } = run;
      const route = mayAlways ? eventless(run.at, configuration) : configuration.start;
      if (route !== configuration.start) {
        run.assigned = false;
        this.#follow(run, this.#microstep(configuration, route));
        // XState checks `always` again only if the microstep changed something.
        mayAlways = run.assigned || run.configuration !== configuration;
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

  #follow(run: Run, { actions, target }: Microstep): void {
    for (const action of actions) action(run);
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
    const { nodes } = configuration;
    const transitions = withoutConflicts(selection, nodes);
    const left = exitSet(transitions, nodes);
    const entered = entrySet(transitions);
    const after = new Set(nodes);
    for (const node of left) after.delete(node);
    for (const node of entered.nodes) after.add(node);
    const isSame = after.size === nodes.length && nodes.every((node) => after.has(node));
    return {
      actions: [
        ...left.flatMap((node) => this.#exits.get(node)!),
        ...transitions.flatMap((transition) => this.#perTransition.get(transition)!),
        ...entered.nodes.flatMap((node) => this.#entryOf(node, entered.byDefault.has(node))),
      ],
      target: isSame ? configuration : this.#intern([...after]),
    };
  }

  #begin(root: AnyStateNode): Microstep {
    const { nodes } = entrySet([
      { source: root, target: initialNodes(root), reenter: true } as AnyTransitionDefinition,
    ]);
    return {
      actions: nodes.flatMap((node) => this.#entryOf(node, true)),
      target: this.#intern(nodes),
    };
  }

  #entryOf(node: AnyStateNode, byDefault: boolean): readonly Action[] {
    const entry = this.#entries.get(node)!;
    return byDefault ? [...entry, ...this.#initials.get(node)!] : entry;
  }

  #choiceOf(configuration: Configuration, type: string): Choice {
    if (type.startsWith('xstate.')) {
      throw new StatechartError('EVENT_RESERVED', `${type} is XState's own; give the event another type`);
    }
    const key = this.#descriptors.has(type) ? type : '';
    const known = configuration.choices.get(key);
    if (known) return known;
    const made = this.#choice(this.#machine.root, configuration.nodes, key);
    configuration.choices.set(key, made);
    return made;
  }

  #choice(node: AnyStateNode, nodes: readonly AnyStateNode[], type: string): Choice {
    const children = nodes.filter(({ parent }) => parent === node);
    const inner = children
      .map((child) => this.#choice(child, nodes, type))
      .filter((choice) => choice.inner.length + choice.own.length > 0);
    const candidates = [type, '*'].flatMap((descriptor) => node.transitions.get(descriptor) ?? []);
    const own = candidates.map((transition) => this.#options.get(transition)!);
    const [only] = inner;
    return inner.length === 1 && own.length === 0 ? only! : { inner, own };
  }

  #intern(nodes: readonly AnyStateNode[]): Configuration {
    const key = keyOf(nodes);
    const known = this.#configurations.get(key);
    if (known) return known;
    const always = nodes
      .filter(hasAlways)
      .map((leaf) =>
        [leaf, ...ancestorsOf(leaf)].flatMap(({ always }) =>
          (always ?? []).map((it) => this.#options.get(it)!),
        ),
      );
    const made = new Configuration(nodes, stateValueOf(this.#machine.root, nodes), always);
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

class Birth extends At {
  readonly input: unknown;

  constructor(input: unknown, event: EventObject) {
    super({}, event);
    this.input = input;
  }
}

function initialNodes(node: AnyStateNode): readonly AnyStateNode[] {
  const inner =
    node.type === 'parallel' ? Object.values(node.states) : (node.initial.target as AnyStateNode[]);
  return [node, ...inner.flatMap(initialNodes)];
}
