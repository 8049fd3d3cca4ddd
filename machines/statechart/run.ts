import type { EventObject } from 'xstate';
import type { Configuration } from './configuration.ts';
import { outside } from './errors.ts';

export type Context = Readonly<Record<string, unknown>>;

/** What a machine's functions are given. */
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

/** A named action with its params laid flat: `{ type: 'send', params: { target } }` is `{ type: 'send', target }`. */
export interface Effect {
  readonly type: string;
  readonly [param: string]: unknown;
}

const nothing: readonly Effect[] = Object.freeze([]);

/** One event's way through a machine; once it is over, what came of it. */
export class Run {
  configuration: Configuration;
  at: At;
  /** Whether an assign was done. */
  assigned = false;
  readonly raised: EventObject[] = [];
  #effects: Effect[] | null = null;

  constructor(configuration: Configuration, context: Context, event: EventObject) {
    this.configuration = configuration;
    this.at = new At(context, event);
  }

  get context(): Context {
    return this.at.context;
  }

  /** What was asked for, in order. */
  get effects(): readonly Effect[] {
    return this.#effects ?? nothing;
  }

  ask(effect: Effect): void {
    if (this.#effects) this.#effects.push(effect);
    else this.#effects = [effect];
  }

  assign(context: Context): void {
    this.at = new At(context, this.at.event);
    this.assigned = true;
  }
}
