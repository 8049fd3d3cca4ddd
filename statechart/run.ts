import type { EventObject } from 'xstate';
import type { Configuration } from './configuration.ts';
import { outside } from './errors.ts';

export type Context = Readonly<Record<string, unknown>>;

/** The arguments of a guard, and of a function that makes params. */
export class At {
  readonly context: Context;
  readonly event: EventObject;

  constructor(context: Context, event: EventObject) {
    this.context = context;
    this.event = event;
  }
}

/** Replaces an actor or a system. There is none, and each use throws. */
function absent(name: 'self' | 'system'): unknown {
  return new Proxy(
    {},
    {
      get(_, key) {
        throw outside(`${name}.${String(key)}`, 'a function');
      },
    },
  );
}

const [self, system] = [absent('self'), absent('system')];
const spawn = () => {
  throw outside("'spawn'", 'an assign');
};

/** The arguments of an action that XState resolves. */
export class ActionArgs extends At {
  readonly self = self;
  readonly system = system;

  constructor({ context, event }: At) {
    super(context, event);
  }
}

/** The arguments of an assign. */
export class AssignArgs extends At {
  readonly spawn = spawn;
  readonly self = self;
  readonly system = system;

  constructor({ context, event }: At) {
    super(context, event);
  }
}

/** The arguments of a function that makes the initial context. */
export class BirthArgs {
  readonly spawn = spawn;
  readonly input: unknown;
  readonly self = self;

  constructor(input: unknown) {
    this.input = input;
  }
}

/** The arguments of a function that makes an output. */
export class OutputArgs extends At {
  readonly self = self;
}

/**
 * A named action with its params laid flat: `{ type: 'send', params: { target } }` is `{ type: 'send', target
 * }`. Params that are not an object stand under `params`.
 */
export interface Effect {
  readonly type: string;
  readonly [param: string]: unknown;
}

/** The effect of `type` with `params`. */
export function effectOf(type: string, params: unknown): Effect {
  if (params === undefined) return { type };
  if (typeof params !== 'object' || params === null || Array.isArray(params)) return { type, params };
  // A property set behind a spread makes V8 (Node 20) copy ten times as slowly.
  return 'type' in params ? { ...params, type } : { type, ...params };
}

/** A change of the machine's timers, to be made after the step. */
export type TimerChange =
  | {
      /** Delivers `event` after `delay` milliseconds. A timer without an `id` cannot be cancelled. */
      readonly arm: { readonly id: string | undefined; readonly event: EventObject; readonly delay: number };
    }
  /** Cancels the newest timer with this id. Older ones with the same id continue. */
  | { readonly cancel: string };

const noTimers: readonly TimerChange[] = Object.freeze([]);
const nothing: readonly Effect[] = Object.freeze([]);

/** The processing of one event by a machine. At its end it holds the result. */
export class Run {
  configuration: Configuration;
  at: At;
  /** True when an assign was executed. */
  assigned = false;
  /** The raised events, in order. */
  raised: EventObject[] | null = null;
  /** The machine has reached its final state. */
  done = false;
  output: unknown;
  #timers: TimerChange[] | null = null;
  #effects: Effect[] | null = null;
  readonly #owns: boolean;

  /** `owns`: the context is not shared. */
  constructor(configuration: Configuration, context: Context, event: EventObject, owns: boolean) {
    this.configuration = configuration;
    this.at = new At(context, event);
    this.#owns = owns;
  }

  get context(): Context {
    return this.at.context;
  }

  /** The requested effects, in order. */
  get effects(): readonly Effect[] {
    return this.#effects ?? nothing;
  }

  get timers(): readonly TimerChange[] {
    return this.#timers ?? noTimers;
  }

  change(timer: TimerChange): void {
    if (this.#timers) this.#timers.push(timer);
    else this.#timers = [timer];
  }

  ask(effect: Effect): void {
    if (this.#effects) this.#effects.push(effect);
    else this.#effects = [effect];
  }

  raise(event: EventObject): void {
    if (this.raised) this.raised.push(event);
    else this.raised = [event];
  }

  /*
   * Contexts are copied by `Object.assign`, as XState does. In V8 (Node 20), the copy of a copy made by
   * spread has a new hidden class each time, and reading it is slow.
   */
  assign(changes: object): void {
    const { context, event } = this.at;
    if (this.#owns) Object.assign(context, changes);
    else this.at = new At(Object.assign({}, context, changes), event);
    this.assigned = true;
  }

  /** The context, for a change of it that is made at once. */
  changing(): Record<string, unknown> {
    this.assigned = true;
    if (!this.#owns) this.at = new At(Object.assign({}, this.at.context), this.at.event);
    return this.at.context;
  }
}
