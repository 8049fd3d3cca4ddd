import { matchesState, type StateValue } from 'xstate';
import type { Message, SiteId } from '../../machines/actor.ts';
import { SystemError } from './errors.ts';
import { ANYONE, DOWN, type Locals } from './locals.ts';
import type { InternedSnapshot } from './stepper.ts';
import type { ActorView, InFlight, StateRecord, StateView } from './system.ts';

/** Turns integers back into what people and predicates see. */
export class Views {
  readonly #ids: readonly SiteId[];
  readonly #locals: Locals;

  constructor(ids: readonly SiteId[], locals: Locals) {
    this.#ids = ids;
    this.#locals = locals;
  }

  actor(cell: number, local: number): ActorView {
    return this.of(cell, this.#locals.coreOf(cell, local), this.#locals.inboxOf(cell, local));
  }

  of(cell: number, core: number, inbox: number): ActorView {
    return new DecodedActor(this.#ids, this.#locals, cell, core, inbox);
  }

  state(state: ArrayLike<number>): StateView {
    const actors = this.#ids.map((_, cell) => this.actor(cell, state[cell]!));
    return {
      actors,
      actor: (id) => {
        const actor = actors[this.#ids.indexOf(id)];
        if (actor === undefined) {
          throw new SystemError(
            'PREDICATE_INVALID',
            `A predicate asks for actor '${id}'. The actors are: ${this.#ids.join(', ')}.`,
          );
        }
        return actor;
      },
    };
  }

  record(state: ArrayLike<number>): StateRecord {
    return Object.fromEntries(
      this.state(state).actors.map((actor) => {
        const { up, value, context, inbox, timers, fault } = actor;
        return [actor.id, { up, value, context, inbox, timers, ...(fault === undefined ? {} : { fault }) }];
      }),
    );
  }
}

/** Decodes what is asked for only: a predicate usually looks at little. */
class DecodedActor implements ActorView {
  readonly id: SiteId;
  readonly up: boolean;
  readonly fault?: string;
  readonly #ids: readonly SiteId[];
  readonly #locals: Locals;
  readonly #core: number;
  readonly #inbox: number;

  constructor(ids: readonly SiteId[], locals: Locals, cell: number, core: number, inbox: number) {
    this.#ids = ids;
    this.#locals = locals;
    this.#core = core;
    this.#inbox = inbox;
    this.id = ids[cell]!;
    const { snapshot, fault } = locals.core(core);
    this.up = snapshot !== DOWN;
    if (fault !== null) this.fault = fault;
  }

  get value(): unknown {
    return this.up ? JSON.parse(this.#snapshot.value) : null;
  }

  get context(): Readonly<Record<string, unknown>> {
    return this.up ? this.#snapshot.context : {};
  }

  get inbox(): readonly InFlight[] {
    return this.#locals.inbox(this.#inbox).map((id) => {
      const { source, message } = this.#locals.letter(id);
      return {
        source: source === ANYONE ? null : this.#ids[source]!,
        message: this.#locals.values.value(message) as unknown as Message,
      };
    });
  }

  get timers(): readonly string[] {
    return this.#locals.core(this.#core).timers.map(({ id }) => id);
  }

  in(path: string): boolean {
    return this.up && matchesState(path, this.value as StateValue);
  }

  get #snapshot(): InternedSnapshot {
    return this.#locals.values.value(this.#locals.core(this.#core).snapshot) as unknown as InternedSnapshot;
  }
}
