import type { AnyStateMachine } from 'xstate';
import { InvariantError } from '../api/errors.ts';
import { type ActorOptions, EffectActor, type Snapshot } from './actor.ts';

interface Typed {
  readonly type: string;
}

/** The owner of a driver: it carries out the effects, and is the only one that does. */
export interface DriverOwner<Event, Effect, Cause> {
  /** Events that time has made due, the earliest first. They are taken before any other event. */
  due(): readonly Event[];
  /**
   * How `event`, which `cause` brought, is to be taken: `refuse`: not at all. `try`: not if `refuses` is true of its
   * effects, for which the state is tried on a copy. `take`: the same, by an owner that refuses only effects which come
   * from no change of the state.
   */
  judge(event: Event, cause: Cause): 'refuse' | 'try' | 'take';
  /** Whether `event` must not be taken, by the effects that the machine asks for. */
  refuses(event: Event, cause: Cause, effects: readonly Effect[]): boolean;
  /** The machine has taken `event`, and none of `effects` is carried out yet. An InvariantError stops the driver. */
  took(event: Event, cause: Cause | null, effects: readonly Effect[]): void;
  /** Carries out one effect. An InvariantError stops the driver. */
  execute(effect: Effect): void;
  /** The driver has stopped for good. */
  crashed(error: InvariantError): void;
}

/**
 * Runs one statechart: takes one event, then has its effects carried out in the order in which the machine asked for
 * them, with no other event in between. It decides nothing by the machine's state.
 *
 * Each lock and each link has one. There may be a million, so a driver keeps nothing that it can make when needed.
 */
export class Driver<Event extends Typed, Effect extends Typed, Cause = never> {
  readonly #owner: DriverOwner<Event, Effect, Cause>;
  readonly #actor: EffectActor<Event, Effect>;
  /** Events that arrived while another one was being taken, each with its cause. */
  #deferred: (readonly [Event, Cause | null])[] | null = null;
  #cause: Cause | null = null;
  #busy = false;
  #stopped = false;

  /**
   * `effects` names every effect that `owner` carries out. Throws `UNKNOWN_EFFECT` when the machine has another one, and
   * `MACHINE_ERROR` when the machine fails as it starts.
   */
  constructor(
    machine: AnyStateMachine,
    effects: readonly Effect['type'][],
    options: ActorOptions,
    owner: DriverOwner<Event, Effect, Cause>,
  ) {
    this.#owner = owner;
    this.#actor = new EffectActor(machine, effects, options);
  }

  /** The machine's state. It changes with the next event. */
  get state(): Snapshot {
    return this.#actor.state;
  }

  /** A copy of the machine's state. */
  get snapshot(): Snapshot {
    return this.#actor.snapshot;
  }

  /** Whether an event is being taken. An event that arrives now waits for the effects of that one. */
  get busy(): boolean {
    return this.#busy;
  }

  /** The cause of the event that is being taken. */
  get cause(): Cause | null {
    return this.#cause;
  }

  /** Carries out the effects of the machine's start. Called once, before any event. */
  start(): void {
    for (const effect of this.#actor.begun) this.#owner.execute(effect);
  }

  /**
   * Takes what is due, then `event` if there is one, and carries out their effects. `cause` is what brought the event; the
   * owner sees it in `refuses` and `took`.
   */
  take(event: Event | null, cause: Cause | null = null): void {
    if (this.#busy) {
      if (event) this.#defer(event, cause);
      return;
    }
    this.#busy = true;
    try {
      this.#takeDue();
      if (event) this.#step(event, cause);
      while (this.#deferred) {
        this.#takeDue();
        const next = this.#deferred.shift();
        if (next) this.#step(...next);
        else this.#deferred = null;
      }
    } catch (error) {
      if (!(error instanceof InvariantError)) throw error;
      this.stop();
      this.#owner.crashed(error);
    } finally {
      this.#busy = false;
    }
  }

  /** Takes no further event. Returns the events that arrived and were not taken. */
  stop(): readonly Event[] {
    this.#stopped = true;
    this.#actor.stop();
    return (this.#deferred ?? []).map(([event]) => event);
  }

  #defer(event: Event, cause: Cause | null): void {
    this.#deferred ??= [];
    this.#deferred.push([event, cause]);
  }

  /** A process that was suspended must not go on as if no time had passed. */
  #takeDue(): void {
    const due = this.#owner.due();
    for (let index = 0; index < due.length; index++) this.#step(due[index]!, null);
  }

  #step(event: Event, cause: Cause | null): void {
    if (this.#stopped) return;
    this.#cause = cause;
    const judgement = cause === null ? 'take' : this.#owner.judge(event, cause);
    if (judgement === 'refuse') return;
    const effects =
      judgement === 'take'
        ? this.#actor.take(event)
        : this.#actor.try(event, (asked) => this.#owner.refuses(event, cause!, asked));
    if (effects === null) return;
    if (cause !== null && judgement === 'take' && this.#owner.refuses(event, cause, effects)) return;
    this.#owner.took(event, cause, effects);
    // An iterator would be garbage for each event.
    for (let index = 0; index < effects.length && !this.#stopped; index++)
      this.#owner.execute(effects[index]!);
  }
}
