import { type AnyStateMachine, assign, cancel, type EventObject, raise } from 'xstate';
import { outside } from './errors.ts';
import type { Guards } from './guards.ts';
import { makesCode, Source } from './inline.ts';
import { ActionArgs, AssignArgs, type At, type Effect, effectOf, type Run } from './run.ts';

export type Action = (run: Run) => void;

/** An action as a statement over `run`. */
const texts = new WeakMap<Action, (source: Source) => string>();

/** These actions in order, as one. */
export function inOrder(actions: readonly Action[]): Action {
  if (!makesCode) {
    return (run) => {
      for (const action of actions) action(run);
    };
  }
  const source = new Source();
  for (const action of actions) source.add(texts.get(action)?.(source) ?? `${source.name(action)}(run);`);
  return source.function('run') as Action;
}

/** The operation of an action, given its params. */
type Deed = (run: Run, params: unknown) => void;
type Of<Value> = (at: At, params: unknown) => Value;

/** The properties with which XState marks its built-in actions. */
interface BuiltIn {
  readonly type: string;
  readonly assignment?: Of<object> | Readonly<Record<string, unknown>>;
  readonly event?: Of<EventObject> | EventObject;
  readonly id?: string;
  readonly delay?: Of<number> | number | string;
  readonly sendId?: Of<string> | string;
  readonly value?: unknown;
  readonly collect?: (at: At, params: unknown) => void;
}

interface Named {
  readonly type: string;
  readonly params?: unknown;
}

/** Turns a machine's actions into closures. A named action is an effect unless it is one of XState's own. */
export class Actions {
  readonly #machine: AnyStateMachine;
  readonly #guards: Guards;
  readonly #named = new Map<string, Deed>();
  readonly #effects = new Set<string>();
  #timed = false;
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

  /** True if some action arms a timer. */
  get timed(): boolean {
    return this.#timed;
  }

  compile(action: unknown, where: string): Action {
    const [deed, params] = this.#resolve(action, where);
    const isMade = typeof params === 'function';
    const of = params as Of<unknown>;
    const act: Action = isMade ? (run) => deed(run, of(run.at, undefined)) : (run) => deed(run, params);
    texts.set(act, (source) => {
      const made = source.name(params);
      return `${source.name(deed)}(run, ${isMade ? `${made}(run.at, undefined)` : made});`;
    });
    return act;
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
    const effect = makesCode ? effectMaker(type) : (params: unknown) => effectOf(type, params);
    return (run, params) => run.ask(params === undefined ? bare : effect(params));
  }

  #builtIn(action: object, where: string): Deed {
    const { type, assignment, event, id, delay, collect, sendId, value } = action as BuiltIn;
    if (!('resolve' in action)) {
      throw outside('a function as an action, which nobody could tell from what it does; name it', where);
    }
    switch (type) {
      case 'xstate.assign':
        return typeof assignment === 'function' ? assignAll(assignment) : assignEach(assignment!);
      case 'xstate.raise':
        if (delay !== undefined) return this.#delayed(event!, id, delay);
        if (typeof event === 'function')
          return (run, params) => run.raise(event(new ActionArgs(run.at), params));
        return (run) => run.raise(event!);
      case 'xstate.cancel':
        if (typeof sendId === 'function')
          return (run, params) => run.change({ cancel: sendId(new ActionArgs(run.at), params) });
        return (run) => run.change({ cancel: sendId! });
      case 'xstate.log':
        // Nothing is logged, but a value that cannot be computed is an error.
        return (run, params) => {
          if (typeof value === 'function') value(new ActionArgs(run.at), params);
        };
      case 'xstate.enqueueActions':
        return this.#collector(collect!, where);
      default:
        throw outside(type, where);
    }
  }

  /** A raise whose delay evaluates to no number is a raise without a delay. */
  #delayed(
    event: NonNullable<BuiltIn['event']>,
    id: string | undefined,
    delay: NonNullable<BuiltIn['delay']>,
  ): Deed {
    this.#timed = true;
    const named: unknown = typeof delay === 'string' ? this.#machine.implementations.delays[delay] : delay;
    return (run, params) => {
      const args = new ActionArgs(run.at);
      const raised = typeof event === 'function' ? event(args, params) : event;
      const ms: unknown = typeof named === 'function' ? (named as Of<unknown>)(args, params) : named;
      if (typeof ms === 'number') run.change({ arm: { id, event: raised, delay: ms } });
      else run.raise(raised);
    };
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
    const refused = ['sendTo', 'sendParent', 'spawnChild', 'stopChild', 'emit'].map((name) => [
      name,
      () => {
        throw outside(`enqueue.${name}`, `machine '${this.#machine.id}'`);
      },
    ]);
    return Object.assign(enqueue, Object.fromEntries(refused), {
      assign: (assignment: Parameters<typeof assign>[0]) => enqueue(assign(assignment)),
      cancel: (...args: Parameters<typeof cancel>) => enqueue(cancel(...args)),
      raise: (...args: readonly unknown[]) =>
        enqueue((raise as (...args: readonly unknown[]) => unknown)(...args)),
    });
  }
}

class Enqueuing extends ActionArgs {
  readonly enqueue: object;
  readonly check: (guard: unknown) => boolean;

  constructor(at: At, enqueue: object, check: (guard: unknown) => boolean) {
    super(at);
    this.enqueue = enqueue;
    this.check = check;
  }
}

/**
 * `effectOf` of one type. Params of one action have the same keys nearly always, and a literal with these is made in a fraction of the
 * time of a spread. Other params are left to `effectOf`.
 */
function effectMaker(type: string): (params: unknown) => Effect {
  let make: ((params: unknown) => Effect) | null = null;
  return (params) => {
    if (make !== null) return make(params);
    if (typeof params !== 'object' || params === null || Array.isArray(params)) return effectOf(type, params);
    const keys = Object.keys(params);
    if (keys.length === 0 || keys.includes('type') || keys.includes('__proto__'))
      return effectOf(type, params);
    make = literalOf(type, keys);
    return make(params);
  };
}

function literalOf(type: string, keys: readonly string[]): (params: unknown) => Effect {
  const source = new Source();
  const known = source.name(keys);
  const otherwise = `return ${source.name(effectOf)}(${source.name(type)}, params);`;
  const values = keys.map((key) => `${JSON.stringify(key)}: params[${JSON.stringify(key)}]`);
  source.add('let count = 0;');
  source.add(`for (const key in params) if (key !== ${known}[count++]) ${otherwise}`);
  source.add(`if (count !== ${keys.length}) ${otherwise}`);
  source.add(`return { type: ${source.name(type)}, ${values.join(', ')} };`);
  return source.function('params') as (params: unknown) => Effect;
}

function assignAll(assignment: Of<object>): Deed {
  return (run, params) => run.assign(assignment(new AssignArgs(run.at), params));
}

/** Each of the functions receives the context from before the assignment. */
function assignEach(assignment: Readonly<Record<string, unknown>>): Deed {
  const entries = Object.entries(assignment);
  if (makesCode) return assignInline(entries);
  if (!entries.some(([, value]) => typeof value === 'function')) {
    return (run) => run.assign(assignment);
  }
  return (run, params) => {
    const args = new AssignArgs(run.at);
    const changes: Record<string, unknown> = {};
    for (const [key, value] of entries) {
      changes[key] = typeof value === 'function' ? (value as Of<unknown>)(args, params) : value;
    }
    run.assign(changes);
  };
}

/**
 * All values are computed before the first is stored. A literal with keys in brackets would be filled by a call for each, and
 * `Object.assign` looks for the keys of its sources each time.
 */
function assignInline(entries: readonly (readonly [string, unknown])[]): Deed {
  const source = new Source();
  const isFunction = ([, value]: readonly [string, unknown]) => typeof value === 'function';
  if (entries.some(isFunction)) source.add(`const args = new ${source.name(AssignArgs)}(run.at);`);
  entries.forEach(([, value], index) => {
    source.add(
      `const c${index} = ${source.name(value)}${typeof value === 'function' ? '(args, params)' : ''};`,
    );
  });
  source.add('const context = run.changing();');
  entries.forEach(([key], index) => {
    source.add(`context[${JSON.stringify(key)}] = c${index};`);
  });
  return source.function('run, params') as Deed;
}
