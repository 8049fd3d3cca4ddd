import { type Actor, type AnyStateMachine, createActor, type InspectionEvent, type Observer } from 'xstate';
import { InvariantError } from './errors.ts';

export interface ActorOptions {
  /** Named in errors, and to an inspector. */
  readonly id: string;
  readonly input: unknown;
  readonly inspect?: Observer<InspectionEvent> | ((event: InspectionEvent) => void);
}

/**
 * A live actor whose named actions are not done but collected: an event in, and what the machine asks for comes out
 * as values, in order. It decides nothing by the machine's state.
 */
export class EffectActor<Event extends { readonly type: string }, Effect extends { readonly type: string }> {
  /** What the machine asked for when it began. */
  readonly begun: readonly Effect[];
  readonly #id: string;
  readonly #actor: Actor<AnyStateMachine>;
  #asked: Effect[] = [];

  /** `effects` are the named actions of `machine` that somebody carries out. Throws `UNKNOWN_EFFECT` when it has more. */
  constructor(machine: AnyStateMachine, effects: readonly Effect['type'][], options: ActorOptions) {
    this.#id = options.id;
    const collect = (type: string) => (_: unknown, params: unknown) => {
      this.#asked.push({ ...(params as object | undefined), type } as Effect);
    };
    const actions = Object.fromEntries(effects.map((type) => [type, collect(type)]));
    refuseUnknownEffects(machine, actions);
    this.#actor = createActor(machine.provide({ actions }), options);
    // Without an observer XState rethrows a machine's error on its own; `take` finds it in the snapshot.
    this.#actor.subscribe({ error: () => undefined });
    this.#actor.start();
    this.begun = this.#asked;
  }

  get snapshot(): { readonly value: unknown; readonly context: unknown } {
    const { value, context } = this.#actor.getSnapshot();
    return { value, context };
  }

  /** What `event` asks for. Throws `MACHINE_ERROR`. */
  take(event: Event): readonly Effect[] {
    this.#asked = [];
    this.#actor.send(event);
    const { status, error } = this.#actor.getSnapshot();
    if (status === 'error') {
      const message = `the machine of ${this.#id} failed on ${event.type}`;
      throw new InvariantError('MACHINE_ERROR', message, { cause: error });
    }
    return this.#asked;
  }

  stop(): void {
    this.#actor.stop();
  }
}

// An effect that nobody carries out would be a silent no-op.
function refuseUnknownEffects(machine: AnyStateMachine, known: object): void {
  for (const [name, action] of Object.entries(machine.implementations.actions)) {
    const builtIn = typeof action === 'function' && 'resolve' in action;
    if (builtIn || Object.hasOwn(known, name)) continue;
    const effects = Object.keys(known).join(', ');
    throw new InvariantError(
      'UNKNOWN_EFFECT',
      `machine ${machine.id} asks for ${name}; what is carried out: ${effects}`,
    );
  }
}
