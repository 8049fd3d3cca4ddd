import { type AnyStateMachine, assign, type EventObject, raise } from 'xstate';
import { outside } from './errors.ts';
import type { Guards } from './guards.ts';
import { At, type Effect, type Run } from './run.ts';

export type Action = (run: Run) => void;
/** The operation of an action, given its params. */
type Deed = (run: Run, params: unknown) => void;
type Of<Value> = (at: At, params: unknown) => Value;

/** The properties with which XState marks its built-in actions. */
interface BuiltIn {
  readonly type: string;
  readonly assignment?: Of<object> | Readonly<Record<string, unknown>>;
  readonly event?: Of<EventObject> | EventObject;
  readonly delay?: unknown;
  readonly collect?: (at: At, params: unknown) => void;
}

interface Named {
  readonly type: string;
  readonly params?: unknown;
}

/**
 * Turns a machine's actions into closures. A named action is an effect unless it is an assign, raise or
 * enqueueActions.
 */
export class Actions {
  readonly #machine: AnyStateMachine;
  readonly #guards: Guards;
  readonly #named = new Map<string, Deed>();
  readonly #effects = new Set<string>();
  /** The actions that the running collector has enqueued. `null` when none runs. */
  #enqueued: unknown[] | null = null;
  readonly #enqueue: object;

  constructor(machine: AnyStateMachine, guards: Guards) {
    this.#machine = machine;
    this.#guards = guards;
    this.#enqueue = this.#enqueuer();
    for (const name of Object.keys(machine.implementations.actions))
      this.#byName(name, `machine '${machine.id}'`);
  }

  /** The types of all effects that are implemented or named. */
  get effects(): ReadonlySet<string> {
    return this.#effects;
  }

  compile(action: unknown, where: string): Action {
    const [deed, params] = this.#resolve(action, where);
    if (typeof params !== 'function') return (run) => deed(run, params);
    const of = params as Of<unknown>;
    return (run) => deed(run, of(run.at, undefined));
  }

  #resolve(action: unknown, where: string): readonly [Deed, unknown] {
    if (typeof action === 'string') return [this.#byName(action, where), undefined];
    if (typeof action === 'function') return [this.#builtIn(action, where), undefined];
    const { type, params } = action as Named;
    return [this.#byName(type, where), params];
  }

  #byName(name: string, where: string): Deed {
    const known = this.#named.get(name);
    if (known) return known;
    const { actions } = this.#machine.implementations;
    const implementation: unknown = Object.hasOwn(actions, name) ? actions[name] : undefined;
    const isBuiltIn = typeof implementation === 'function' && 'resolve' in implementation;
    const deed = isBuiltIn ? this.#builtIn(implementation, where) : this.#effect(name);
    this.#named.set(name, deed);
    return deed;
  }

  #effect(type: string): Deed {
    this.#effects.add(type);
    const bare: Effect = Object.freeze({ type });
    return (run, params) => {
      if (params === undefined) run.ask(bare);
      // A property set behind a spread makes V8 (Node 20) copy ten times as slowly.
      else
        run.ask(
          'type' in (params as object) ? { ...(params as object), type } : { type, ...(params as object) },
        );
    };
  }

  #builtIn(action: object, where: string): Deed {
    const { type, assignment, event, delay, collect } = action as BuiltIn;
    if (!('resolve' in action)) {
      throw outside('a function as an action, which nobody could tell from what it does; name it', where);
    }
    switch (type) {
      case 'xstate.assign':
        return typeof assignment === 'function' ? assignAll(assignment) : assignEach(assignment!);
      case 'xstate.raise':
        if (delay !== undefined) throw outside('raise with a delay', where);
        if (typeof event === 'function') return (run, params) => run.raise(event(run.at, params));
        return (run) => run.raise(event!);
      case 'xstate.enqueueActions':
        return this.#collector(collect!, where);
      default:
        throw outside(type, where);
    }
  }

  #collector(collect: (at: At, params: unknown) => void, where: string): Deed {
    return (run, params) => {
      const { at, configuration } = run;
      const enqueued: unknown[] = [];
      const outer = this.#enqueued;
      this.#enqueued = enqueued;
      try {
        const check = (guard: unknown) => this.#guards.compile(guard, where)(at, configuration);
        collect(new Enqueuing(at, this.#enqueue, check), params);
      } finally {
        this.#enqueued = outer;
      }
      for (const action of enqueued) this.#perform(action, run, where);
    };
  }

  #perform(action: unknown, run: Run, where: string): void {
    const [deed, params] = this.#resolve(action, where);
    deed(run, typeof params === 'function' ? (params as Of<unknown>)(run.at, undefined) : params);
  }

  #enqueuer(): object {
    const enqueue = (action: unknown) => {
      if (!this.#enqueued)
        throw outside('an enqueue that is called when its collector is over', this.#machine.id);
      this.#enqueued.push(action);
    };
    const refused = ['cancel', 'sendTo', 'sendParent', 'spawnChild', 'stopChild', 'emit'].map((name) => [
      name,
      () => {
        throw outside(`enqueue.${name}`, `machine '${this.#machine.id}'`);
      },
    ]);
    return Object.assign(enqueue, Object.fromEntries(refused), {
      assign: (assignment: Parameters<typeof assign>[0]) => enqueue(assign(assignment)),
      raise: (...args: readonly unknown[]) =>
        enqueue((raise as (...args: readonly unknown[]) => unknown)(...args)),
    });
  }
}

class Enqueuing extends At {
  readonly enqueue: object;
  readonly check: (guard: unknown) => boolean;

  constructor({ context, event }: At, enqueue: object, check: (guard: unknown) => boolean) {
    super(context, event);
    this.enqueue = enqueue;
    this.check = check;
  }
}

function assignAll(assignment: Of<object>): Deed {
  return (run, params) => run.assign(assignment(run.at, params));
}

/** Each of the functions receives the context from before the assignment. */
function assignEach(assignment: Readonly<Record<string, unknown>>): Deed {
  const entries = Object.entries(assignment);
  if (!entries.some(([, value]) => typeof value === 'function')) {
    return (run) => run.assign(assignment);
  }
  return (run, params) => {
    const { at } = run;
    const changes: Record<string, unknown> = {};
    for (const [key, value] of entries) {
      changes[key] = typeof value === 'function' ? (value as Of<unknown>)(at, params) : value;
    }
    run.assign(changes);
  };
}
