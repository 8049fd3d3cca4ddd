import { type Actor, type AnyStateMachine, createActor, type InspectionEvent, type Observer } from 'xstate';
import { compile } from '../../statechart/compile.ts';
import { effectOf } from '../../statechart/run.ts';
import type { State, Statechart } from '../../statechart/statechart.ts';
import { take } from '../../statechart/xstate.ts';
import { InvariantError } from '../api/errors.ts';

export interface ActorOptions {
  /** Named in errors, and to an inspector. */
  readonly id: string;
  readonly input: unknown;
  /** Called with each event and each snapshot, by either engine. */
  readonly inspect?: Observer<InspectionEvent> | ((event: InspectionEvent) => void);
  /** Default: `compiled`. */
  readonly engine?: Engine;
}

/**
 * The compiled statechart, which the checker compares with XState at every step, or XState's own actor, which takes 20 to 40 times
 * as long (`bench/statechart/run.ts`).
 */
export type Engine = 'compiled' | 'xstate';

interface Typed {
  readonly type: string;
}

export interface Snapshot {
  readonly value: unknown;
  readonly context: unknown;
}

/** Whether an event is not to be taken that asks for these effects. */
export type Refuses<Effect> = (effects: readonly Effect[]) => boolean;

const none: readonly never[] = Object.freeze([]);

/**
 * A live actor whose named actions are not done but collected: an event in, and what the machine asks for comes out
 * as values, in order. It decides nothing by the machine's state. Effects are shared: nobody is to change them.
 */
export class EffectActor<Event extends Typed, Effect extends Typed> {
  readonly #id: string;
  readonly #statechart: Statechart;
  /** `null` with the compiled engine. */
  readonly #own: XStateActor | null = null;
  /** `null` where nobody inspects the compiled engine. */
  readonly #inspected: InspectedActor | null = null;
  #configuration: State['configuration'];
  #context: State['context'];
  #begun: readonly unknown[];
  #failure: InvariantError | null = null;
  #stopped = false;

  /**
   * `effects` are the named actions of `machine` that the driver carries out. Throws `UNKNOWN_EFFECT` when it has more,
   * `MACHINE_ERROR` when it fails as it begins, and what `compile` throws.
   */
  constructor(machine: AnyStateMachine, effects: readonly Effect['type'][], options: ActorOptions) {
    this.#id = options.id;
    this.#statechart = compile(machine);
    refuseUnknownEffects(this.#statechart, effects);
    if (this.#statechart.timed) {
      throw new InvariantError(
        'UNKNOWN_EFFECT',
        `machine ${machine.id} arms timers, and nothing here fires them`,
      );
    }
    try {
      const started = this.#statechart.start(options.input);
      this.#configuration = started.configuration;
      this.#context = started.context;
      this.#begun = started.effects;
      if (options.engine === 'xstate') {
        this.#own = new XStateActor(machine, this.#statechart.effects, options);
        this.#begun = this.#own.asked();
      } else if (options.inspect !== undefined) {
        this.#inspected = new InspectedActor(machine, options, options.inspect);
        this.#inspected.tell({ type: 'xstate.init' }, this.snapshot);
      }
    } catch (error) {
      throw this.#failed('as it began', error);
    }
  }

  /** The effects of the machine's start; forgotten with the first event. */
  get begun(): readonly Effect[] {
    return this.#begun as readonly Effect[];
  }

  /** As it is now: it changes with the next event. */
  get state(): Snapshot {
    if (this.#own) return this.#own.snapshot;
    return { value: this.#configuration.value, context: this.#context };
  }

  /** As it is now, for good. */
  get snapshot(): Snapshot {
    const { value, context } = this.state;
    return { value, context: { ...(context as object) } };
  }

  /** The effects of `event`; none once the actor is stopped. Throws `MACHINE_ERROR`, then and ever after. */
  take(event: Event): readonly Effect[] {
    return this.#take(event, null)!;
  }

  /** `take`, unless `refuses` is true of the effects. Then the state stays as it was, and the result is `null`. */
  try(event: Event, refuses: Refuses<Effect>): readonly Effect[] | null {
    return this.#take(event, refuses);
  }

  #take(event: Event, refuses: Refuses<Effect> | null): readonly Effect[] | null {
    if (this.#failure) throw this.#failure;
    if (this.#stopped) return none;
    try {
      if (this.#own) {
        if (refuses?.(this.#own.wouldAsk(event) as readonly Effect[])) return null;
        this.#begun = none;
        return this.#own.take(event) as readonly Effect[];
      }
      // An event that may be refused is tried on a copy.
      const after = this.#statechart.step(this.#configuration, this.#context, event, refuses === null);
      const effects = after.effects as readonly Typed[] as readonly Effect[];
      const { configuration, context } = after;
      if (refuses?.(effects)) return null;
      this.#begun = none;
      this.#configuration = configuration;
      this.#context = context;
      this.#inspected?.tell(event, this.snapshot);
      return effects;
    } catch (error) {
      this.#failure = this.#failed(`on ${event.type}`, error);
      throw this.#failure;
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#own?.stop();
  }

  #failed(when: string, cause: unknown): InvariantError {
    return new InvariantError('MACHINE_ERROR', `the machine of ${this.#id} failed ${when}`, { cause });
  }
}

/** Tells an inspector of the compiled engine what XState tells it of an actor. */
class InspectedActor {
  readonly #machine: AnyStateMachine;
  /** Names the actor and its machine to the inspector. It is never started. */
  readonly #standIn: Actor<AnyStateMachine>;
  readonly #inspect: (event: InspectionEvent) => void;

  constructor(
    machine: AnyStateMachine,
    { id, input }: ActorOptions,
    inspect: NonNullable<ActorOptions['inspect']>,
  ) {
    this.#machine = machine;
    this.#inspect = typeof inspect === 'function' ? inspect : (event) => inspect.next?.(event);
    this.#standIn = createActor(machine, { id, input });
    this.#say({ type: '@xstate.actor' });
  }

  /** Reports that `event` led to this snapshot. */
  tell(event: Typed, { value, context }: Snapshot): void {
    const snapshot = this.#machine.resolveState({ value, context } as never) as unknown;
    this.#say({ type: '@xstate.event', event, sourceRef: undefined });
    this.#say({ type: '@xstate.snapshot', event, snapshot });
  }

  #say(told: object): void {
    const { sessionId: rootId } = this.#standIn;
    this.#inspect({ ...told, actorRef: this.#standIn, rootId } as unknown as InspectionEvent);
  }
}

/** XState's own actor. */
class XStateActor {
  readonly #actor: Actor<AnyStateMachine>;
  #asked: unknown[] = [];

  constructor(machine: AnyStateMachine, effects: ReadonlySet<string>, options: ActorOptions) {
    const collect = (type: string) => (_: unknown, params: unknown) => {
      this.#asked.push(effectOf(type, params));
    };
    const actions = Object.fromEntries([...effects].map((type) => [type, collect(type)]));
    this.#actor = createActor(machine.provide({ actions }), options);
    // Without an observer XState rethrows a machine's error on its own; here it is found in the snapshot.
    this.#actor.subscribe({ error: () => undefined });
    this.#actor.start();
  }

  get snapshot(): Snapshot {
    const { value, context } = this.#actor.getSnapshot();
    return { value, context };
  }

  /** The effects that `event` would have now. */
  wouldAsk(event: Typed): readonly unknown[] {
    return take(this.#actor.logic, this.#actor.getSnapshot(), event).effects;
  }

  take(event: Typed): readonly unknown[] {
    this.#asked = [];
    this.#actor.send(event);
    return this.asked();
  }

  /** The effects of the last event. Throws the machine's own error. */
  asked(): readonly unknown[] {
    const { status, error } = this.#actor.getSnapshot();
    if (status === 'error') throw error;
    return this.#asked;
  }

  stop(): void {
    this.#actor.stop();
  }
}

/** With which effects a machine has been found to be carried out in full. */
const carriedOut = new WeakMap<Statechart, readonly string[]>();

// An effect that nobody carries out would be a silent no-op.
function refuseUnknownEffects(statechart: Statechart, known: readonly string[]): void {
  if (carriedOut.get(statechart) === known) return;
  for (const name of statechart.effects) {
    if (known.includes(name)) continue;
    throw new InvariantError(
      'UNKNOWN_EFFECT',
      `machine ${statechart.id} has the unknown effect ${name}; known effects: ${known.join(', ')}`,
    );
  }
  carriedOut.set(statechart, known);
}
