import type { EventObject } from 'xstate';
import type { Configuration } from './configuration.ts';
import { outside } from './errors.ts';

export type Context = Readonly<Record<string, unknown>>;

/** The argument of a machine's functions. */
export class At {
  readonly context: Context;
  readonly event: EventObject;

  constructor(context: Context, event: EventObject) {
    this.context = context;
    this.event = event;
  }

  get self(): never {
    throw outside("'self'", `what ${this.event.type} brings about`);
  }

  get system(): never {
    throw outside("'system'", `what ${this.event.type} brings about`);
  }

  get spawn(): never {
    throw outside("'spawn'", `what ${this.event.type} brings about`);
  }
}

/**
 * A named action with its params laid flat: `{ type: 'send', params: { target } }` is `{ type: 'send', target
 * }`.
 */
export interface Effect {
  readonly type: string;
  readonly [param: string]: unknown;
}

const nothing: readonly Effect[] = Object.freeze([]);

/** The processing of one event by a machine. At its end it holds the result. */
export class Run {
  configuration: Configuration;
  at: At;
  /** True when an assign was executed. */
  assigned = false;
  /** The raised events, in order. */
  raised: EventObject[] | null = null;
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
}
