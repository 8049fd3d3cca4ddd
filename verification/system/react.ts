import type { NamedAction, SiteId } from '../../machines/actor.ts';
import type { Send } from '../checker/model.ts';
import { type Core, DOWN, type Locals, NOTHING } from './locals.ts';
import type { Stepped, Stepper, Timer, TimerChange } from './stepper.ts';

/** What an event makes of an actor, its inbox aside. */
export interface Outcome {
  readonly core: number;
  readonly sends: readonly Send[];
  readonly effects: readonly NamedAction[];
}

/** Puts `message` of `source` on its way to the actor in `target`. `toAll`: part of a broadcast. */
export type Post = (source: number, target: number, message: unknown, toAll: boolean) => Send;

/** How one actor answers events: its machine's pure steps, with the effects that have a meaning interpreted. */
export class Reactor {
  readonly stepper: Stepper;
  readonly #cell: number;
  readonly #ids: readonly SiteId[];
  readonly #locals: Locals;
  readonly #post: Post;
  /** Cores whose snapshots look alike are one: see `System.view`. */
  readonly #merge: (core: number) => number;
  readonly #outcomes = new Map<number, Map<number, Outcome>>();

  constructor(
    cell: number,
    ids: readonly SiteId[],
    locals: Locals,
    stepper: Stepper,
    post: Post,
    merge: (core: number) => number,
  ) {
    this.stepper = stepper;
    this.#cell = cell;
    this.#ids = ids;
    this.#locals = locals;
    this.#post = post;
    this.#merge = merge;
  }

  /** The machine starts, or starts again, from `core`, of which only the disk and the counts stay. */
  start(core: Core, input: unknown): Outcome {
    const fresh = { ...core, snapshot: DOWN, timers: [], left: false, fault: null };
    return this.#interpret(fresh, this.stepper.start(input));
  }

  /** `from` is what holds when the event arrives: a timer that fires is already off its list. */
  take(from: number, event: number): Outcome {
    let ofCore = this.#outcomes.get(from);
    if (ofCore === undefined) {
      ofCore = new Map();
      this.#outcomes.set(from, ofCore);
    }
    let outcome = ofCore.get(event);
    if (outcome === undefined) {
      const core = this.#locals.core(from);
      outcome = this.#isDone(core)
        ? { core: from, sends: [], effects: [] }
        : this.#interpret(core, this.stepper.take(core.snapshot, event));
      ofCore.set(event, outcome);
    }
    return outcome;
  }

  /** A machine in its final state takes no event any more. */
  isDone(core: number): boolean {
    return this.#isDone(this.#locals.core(core));
  }

  #isDone({ snapshot }: Core): boolean {
    return snapshot !== DOWN && this.stepper.snapshot(snapshot).status !== 'active';
  }

  #interpret(before: Core, stepped: Stepped): Outcome {
    if ('fault' in stepped) return this.#fail(before, stepped.fault, []);
    const core = { ...before, snapshot: stepped.snapshot, timers: this.#timers(before, stepped.timers) };
    const sends: Send[] = [];
    for (const effect of stepped.effects) {
      switch (effect.type) {
        case 'send': {
          const target = this.#ids.indexOf(effect['target'] as SiteId);
          if (target < 0) {
            const fault = `send of ${JSON.stringify(effect['message'])} to ${JSON.stringify(effect['target'] ?? null)}, who is no actor`;
            return this.#fail(before, fault, stepped.effects);
          }
          sends.push(this.#post(this.#cell, target, effect['message'], false));
          break;
        }
        case 'broadcast':
          for (const target of this.#ids.keys()) {
            if (target !== this.#cell) sends.push(this.#post(this.#cell, target, effect['message'], true));
          }
          break;
        case 'left':
          core.left = true;
          break;
        case 'persist': {
          const { type: _, ...disk } = effect;
          core.disk = this.#locals.values.intern(disk, `the params of persist of '${this.#ids[this.#cell]}'`);
        }
      }
    }
    if (this.#isDone(core)) core.timers = [];
    return { core: this.#merge(this.#locals.internCore(core)), sends, effects: stepped.effects };
  }

  #timers(before: Core, changes: readonly TimerChange[]): readonly Timer[] {
    let armed = [...before.timers];
    for (const change of changes) {
      if ('disarm' in change) armed = armed.filter(({ id }) => id !== change.disarm);
      else {
        if (change.named) armed = armed.filter(({ id }) => id !== change.arm.id);
        armed.push(change.arm);
      }
    }
    return armed.sort((left, right) => compare(left.id, right.id) || left.event - right.event);
  }

  /** The actor stays as it was and stops: a fault is the last thing that happens to it. */
  #fail(before: Core, fault: string, effects: readonly NamedAction[]): Outcome {
    return { core: this.#locals.internCore({ ...before, fault }), sends: [], effects };
  }
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

export const blank = (bounds: number): Core => ({
  snapshot: DOWN,
  timers: [],
  left: false,
  disk: NOTHING,
  spent: new Array<number>(bounds).fill(0),
  fault: null,
});
