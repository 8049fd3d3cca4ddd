import type { NamedAction, SiteId } from '../../machines/actor.ts';
import type { Send } from '../checker/model.ts';
import type { Equivariance } from './equivariance.ts';
import { SystemError } from './errors.ts';
import { type Core, DOWN, NOTHING } from './locals.ts';
import { Memo } from './memo.ts';
import { refuseSlip } from './names.ts';
import { isNoted } from './refusals.ts';
import type { Stepped, Timer, TimerChange } from './stepper.ts';
import type { World } from './world.ts';

/** The outcome of an event for an actor, its inbox aside. */
export interface Outcome {
  readonly core: number;
  readonly sends: readonly Send[];
  readonly effects: readonly NamedAction[];
}

/** How one actor answers events: its machine's pure steps, with the effects that have a meaning interpreted. */
export class Reactor {
  readonly #world: World;
  readonly #process: number;
  readonly #equivariance: Equivariance | null;
  readonly #outcomes = new Memo<number, Outcome>();
  /** The names of actions that were found to be no slips. */
  readonly #known = new Set<string>();

  constructor(world: World, process: number, equivariance: Equivariance | null) {
    this.#world = world;
    this.#process = process;
    this.#equivariance = equivariance;
  }

  /** Starts or restarts the machine from `core`; only its disk and counts remain. */
  start(core: Core, input: unknown): Outcome {
    const fresh = { ...core, snapshot: DOWN, timers: [], left: false, fault: null };
    return this.#unrefused(fresh, () =>
      this.#interpret(fresh, this.#world.stepper(this.#process).start(input)),
    );
  }

  /** `from` is the core at the arrival of the event: a timer that fires has left its list already. */
  take(from: number, event: number): Outcome {
    return this.#outcomes.get(from, event, () => {
      const outcome = this.answer(from, event);
      this.#equivariance?.take(this.#process, from, event, outcome);
      return outcome;
    });
  }

  /** `take` without the memo and without the comparison under other names. */
  answer(from: number, event: number): Outcome {
    const core = this.#world.locals.core(from);
    if (this.#isDone(core)) return { core: from, sends: [], effects: [] };
    return this.#unrefused(core, () =>
      this.#interpret(core, this.#world.stepper(this.#process).take(core.snapshot, event)),
    );
  }

  /** Runs the step. While refusals are gathered, a refused step without a stand-in ends the actor. */
  #unrefused(before: Core, step: () => Outcome): Outcome {
    try {
      return step();
    } catch (error) {
      if (error instanceof SystemError && isNoted(error)) return this.#fail(before, error.message, []);
      throw error;
    }
  }

  /** Reports whether the machine is in its final state, where it takes no event. */
  isDone(core: number): boolean {
    return this.#isDone(this.#world.locals.core(core));
  }

  #isDone({ snapshot }: Core): boolean {
    return snapshot !== DOWN && this.#world.views.snapshot(snapshot).done;
  }

  #interpret(before: Core, stepped: Stepped): Outcome {
    if ('fault' in stepped) return this.#fail(before, stepped.fault, []);
    const { ids, locals, values } = this.#world;
    const after = { ...before, snapshot: stepped.snapshot, timers: timersAfter(before, stepped.timers) };
    const sends: Send[] = [];
    for (const effect of stepped.effects) {
      const { type, ...params } = effect;
      switch (type) {
        case 'send': {
          const target = ids.indexOf(params['target'] as SiteId);
          if (target < 0) {
            const [message, name] = [params['message'], params['target'] ?? null].map((it) =>
              JSON.stringify(it),
            );
            return this.#fail(before, `send of ${message} to ${name}, which is no actor`, stepped.effects);
          }
          sends.push(this.#world.post(this.#process, target, params['message'], false));
          break;
        }
        case 'broadcast':
          for (const target of ids.keys()) {
            if (target !== this.#process)
              sends.push(this.#world.post(this.#process, target, params['message'], true));
          }
          break;
        case 'left':
          after.left = true;
          break;
        case 'persist':
          after.disk = values.intern(params, `the params of persist of '${ids[this.#process]}'`);
          break;
        default:
          this.#refuseSlip(type);
      }
    }
    if (this.#isDone(after)) after.timers = [];
    const core = this.#world.merge(this.#process, locals.internCore(after));
    return { core, sends, effects: stepped.effects };
  }

  /** Refuses an action that an `enqueueActions` has asked for by a misspelt name. */
  #refuseSlip(type: string): void {
    if (this.#known.has(type)) return;
    const { specs, system } = this.#world;
    const { machine } = specs[this.#process]!;
    if (!Object.hasOwn(machine.implementations.actions, type)) refuseSlip(machine, type, system);
    this.#known.add(type);
  }

  /** The actor keeps its state and stops: a fault is its last step. */
  #fail(before: Core, fault: string, effects: readonly NamedAction[]): Outcome {
    return { core: this.#world.locals.internCore({ ...before, fault }), sends: [], effects };
  }
}

function timersAfter(before: Core, changes: readonly TimerChange[]): readonly Timer[] {
  let armed = before.timers;
  for (const change of changes) {
    if ('cancel' in change) armed = armed.filter((timer) => !isNewest(timer, change.cancel));
    else armed = [...superseded(armed, change.arm), change.arm];
  }
  return armed.toSorted(byIdAndEvent);
}

/** The timers that are left once the one at `index` has fired. */
export function timersAfterFiring(timers: readonly Timer[], index: number): readonly Timer[] {
  return superseded(timers.toSpliced(index, 1), timers[index]!).toSorted(byIdAndEvent);
}

/** The timers after `by` was armed: the newest one with its id, if it has one, cannot be cancelled any more. */
function superseded(timers: readonly Timer[], by: Timer): readonly Timer[] {
  if (by.standing === 'unnamed') return timers;
  return timers.map((timer) =>
    isNewest(timer, by.id) ? { ...timer, standing: 'superseded' as const } : timer,
  );
}

function isNewest({ id, standing }: Timer, of: string): boolean {
  return standing === 'newest' && id === of;
}

/** The order in which a core lists its timers. */
export function byIdAndEvent(left: Timer, right: Timer): number {
  if (left.id !== right.id) return left.id < right.id ? -1 : 1;
  return (
    left.event - right.event || (left.standing < right.standing ? -1 : left.standing > right.standing ? 1 : 0)
  );
}

/** An actor that has not started yet. */
export function unborn(counts: number): Core {
  const spent = new Array<number>(counts).fill(0);
  return { snapshot: DOWN, timers: [], left: false, disk: NOTHING, spent, fault: null };
}
