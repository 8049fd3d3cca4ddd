import type { Interner } from './interner.ts';
import { Numbered } from './numbered.ts';
import { Pairs } from './pairs.ts';
import type { Timer } from './stepper.ts';

/** The state of an actor without its inbox. */
export interface Core {
  /** The interned snapshot, or `DOWN` for a crashed actor. */
  readonly snapshot: number;
  readonly timers: readonly Timer[];
  /** The actor has asked for `left`: broadcasts no longer reach it. */
  readonly left: boolean;
  /** The interned params of the last `persist`, or `NOTHING`. */
  readonly disk: number;
  /** Number of occurrences of each bounded event; the last entry counts crashes. */
  readonly spent: readonly number[];
  /** The reason why the machine failed. A failed machine takes no further step. */
  readonly fault: string | null;
}

export const DOWN = -1;
export const NOTHING = -1;
/** The source of a message on a network that does not keep it. */
export const ANYONE = -1;

export interface Message {
  readonly source: number;
  readonly message: number;
}

/**
 * Locals as integers: a core and an inbox, each interned over all processes, and their pair interned by process.
 * An inbox is a list of envelopes, sorted so that equal inboxes are equal lists.
 */
export class Locals {
  readonly #values: Interner;
  readonly #cores = new Numbered<string, Core>();
  readonly #envelopes = new Pairs();
  /** Inboxes as lists: a pair of the list before and its last envelope; list 0 is empty. */
  readonly #lists = new Pairs();
  readonly #locals: readonly Pairs[];

  constructor(processes: number, values: Interner) {
    this.#values = values;
    this.#locals = Array.from({ length: processes }, () => new Pairs());
  }

  internCore(core: Core): number {
    const timers = core.timers.map(({ id, event, standing }) => `${JSON.stringify(id)}${event}${standing}`);
    const text = `${core.snapshot} ${core.left} ${core.disk} ${core.spent} ${core.fault} ${timers}`;
    return this.#cores.numberOf(text, core);
  }

  core(id: number): Core {
    return this.#cores.at(id);
  }

  internEnvelope(source: number, message: number): number {
    return this.#envelopes.intern(source - ANYONE, message);
  }

  envelope(id: number): Message {
    return { source: this.#envelopes.first(id) + ANYONE, message: this.#envelopes.second(id) };
  }

  sourceOf(envelope: number): number {
    return this.#envelopes.first(envelope) + ANYONE;
  }

  internInbox(envelopes: readonly number[]): number {
    let list = 0;
    for (const envelope of envelopes) list = this.#lists.intern(list, envelope) + 1;
    return list;
  }

  inbox(id: number): number[] {
    const envelopes: number[] = [];
    for (let list = id; list !== 0; list = this.#lists.first(list - 1)) {
      envelopes.push(this.#lists.second(list - 1));
    }
    return envelopes.reverse();
  }

  intern(process: number, core: number, inbox: number): number {
    return this.#locals[process]!.intern(core, inbox);
  }

  /** Number of locals of this process that have been interned. */
  count(process: number): number {
    return this.#locals[process]!.size;
  }

  coreOf(process: number, local: number): number {
    return this.#locals[process]!.first(local);
  }

  inboxOf(process: number, local: number): number {
    return this.#locals[process]!.second(local);
  }

  get values(): Interner {
    return this.#values;
  }
}
