import type { AnyStateMachine, ContextFrom, EventFromLogic, InputFrom, StateValueFrom } from 'xstate';
import type { Message, SiteId } from '../../machines/actor.ts';
import { writtenAs } from './callbacks.ts';
import { editorOf } from './edit.ts';
import { SystemError } from './errors.ts';
import { deliveries, restarts, timers, weakly } from './properties.ts';
import { hint, misshapen } from './shape.ts';
import { isOfAny, refusingPrototype } from './strict.ts';
import type {
  ActorSpec,
  ActorView,
  Bound,
  EnvironmentEvent,
  Fairness,
  History,
  InFlight,
  Network,
  Property,
  StatePredicate,
  StateView,
  System,
} from './system.ts';

/** The paths of the states of a state value: `paying`, `client`, `client.idle`. */
export type StatePath<Value> = Value extends string
  ? Value
  : { [Key in keyof Value & string]: Key | `${Key}.${StatePath<Value[Key]>}` }[keyof Value & string];

/** An actor as a predicate sees it, with the types of its machine. */
export interface Seen<Machine extends AnyStateMachine> {
  readonly id: SiteId;
  /** False for a crashed actor; its context is then empty. */
  readonly up: boolean;
  readonly crashes: number;
  readonly context: Readonly<ContextFrom<Machine>>;
  /** The messages on their way to it. */
  readonly inbox: readonly InFlight[];
  readonly timers: readonly string[];
  /** Reports whether one of these states is active. */
  matches(...paths: readonly StatePath<StateValueFrom<Machine>>[]): boolean;
}

/** An event from outside for an actor; the type alone if it has no other key. */
export type Outside<Machine extends AnyStateMachine> =
  | EventFromLogic<Machine>['type']
  | {
      readonly event: { readonly type: EventFromLogic<Machine>['type'] };
      /** The further keys of the event: it may happen with each of these. Default: none. */
      readonly payloads?: (actor: Seen<Machine>) => readonly object[];
      /** Condition for the event. Default: always. */
      readonly when?: (actor: Seen<Machine>) => boolean;
      /** The events that other actors take in the same step, by id: an atomic step of several. Default: none. */
      readonly together?: EnvironmentEvent['together'];
      /** Maximum number of occurrences. Default: `'unbounded'`. */
      readonly times?: Bound;
    };

/** A machine, and its place in the system. Each key is explained at `ActorSpec`. */
export interface Role<Machine extends AnyStateMachine> {
  readonly machine: Machine;
  readonly input?: InputFrom<Machine>;
  readonly environment?: readonly Outside<Machine>[];
  readonly accepts?: 'taken' | ((message: Message, actor: Seen<Machine>) => boolean);
  readonly deliver?: (message: Message, source: SiteId | null) => EventFromLogic<Machine>;
  readonly crash?: ActorSpec['crash'];
  readonly restart?: { readonly input: (disk: unknown) => InputFrom<Machine> };
  /**
   * The outcomes of invoked logic. The machine is then checked together with all actors below it, as XState
   * runs them.
   */
  readonly outcomes?: ActorSpec['outcomes'];
  /** With `outcomes`: `'ordered'` keeps the order of timers on one clock. Default: `'any'`. */
  readonly time?: ActorSpec['time'];
  /** With `outcomes`: the values that the clock and chance may give. */
  readonly chance?: ActorSpec['chance'];
  /** With `outcomes`: maximum number of active children. Default: 8. */
  readonly maxChildren?: number;
  readonly dead?: (message: Message, actor: Seen<Machine>) => boolean;
}

/** A role, with the types of its machine: `{ shop: role(machine, { environment: ['buy'] }) }`. */
export const role = <Machine extends AnyStateMachine>(
  machine: Machine,
  more: Omit<Role<Machine>, 'machine'> = {},
): Role<Machine> => ({ machine, ...more });

/** Several actors, by id: `...each(ids, (id) => role(machine, { input: id }))`. */
export const each = <Part extends AnyStateMachine | Role<AnyStateMachine>>(
  ids: readonly SiteId[],
  of: (id: SiteId, index: number) => Part,
): Readonly<Record<SiteId, Part>> => Object.fromEntries(ids.map((id, index) => [id, of(id, index)]));

/** The actors of a typed system, by id. */
export type Cast = Readonly<Record<SiteId, AnyStateMachine | Role<AnyStateMachine>>>;
/** The machine of an actor of a typed system. */
export type MachineOf<Part> = Part extends AnyStateMachine
  ? Part
  : Part extends Role<infer Machine>
    ? Machine
    : never;

/** The inputs of actors, by id. */
export type Inputs<Actors extends Cast> = {
  readonly [Id in keyof Actors]?: InputFrom<MachineOf<Actors[Id]>>;
};

/** A whole state: each actor by its id. */
export type Whole<Actors extends Cast> = { readonly [Id in keyof Actors]: Seen<MachineOf<Actors[Id]>> };

/** A predicate over a whole state: the actors by id, all of them in order, and the history. */
export type Holds<Actors extends Cast> = (
  state: Whole<Actors>,
  actors: readonly Seen<MachineOf<Actors[keyof Actors]>>[],
  history: unknown,
) => boolean;

/** A condition on a state: a plain function, or a predicate as data (`some`, `count`, …). */
export type Said<Actors extends Cast> = Holds<Actors> | StatePredicate;

/**
 * A system of the actors in `cast`, which may be machines as they are, on a `fifo` network that loses nothing. Each method
 * gives the system with one thing more; it is a `System` at any point, for `check` and for `export default`.
 *
 *     export default system('shop', { checkout: role(checkout, { environment: ['buy'] }), payment })
 *       .always('nobody pays twice', ({ payment }) => payment.context.charges.length <= 1)
 *       .sometimes('somebody pays', ({ checkout }) => checkout.matches('paid'));
 *
 * Predicates are plain functions. The values that they read are remembered, so that they run once for each combination.
 */
export function system<const Actors extends Cast>(name: string, cast: Actors): TypedSystem<Actors> {
  const actors = Object.entries(cast).map(([id, part]) => [id, specOf(part)] as const);
  return new TypedSystem({
    name,
    actors: Object.fromEntries(actors),
    network: { order: 'fifo' },
    properties: [],
  });
}

export class TypedSystem<Actors extends Cast> implements System {
  readonly name!: string;
  readonly actors!: Readonly<Record<SiteId, ActorSpec>>;
  readonly network!: Network;
  readonly properties!: readonly Property[];

  constructor(system: System) {
    Object.assign(this, system);
  }

  /** The network between the actors. */
  over(network: Network): TypedSystem<Actors> {
    return this.#with({ network });
  }

  /**
   * Sets the initial states, as inputs of actors by id. An actor that is not named has the input of its role.
   */
  startingWith(...starts: readonly Inputs<Actors>[]): TypedSystem<Actors> {
    return this.#with({ starts: starts as NonNullable<System['starts']> });
  }

  /** It holds in every reachable state; `because` says of one in which it does not what is wrong. */
  always(name: string, holds: Said<Actors>, because?: (state: StateView) => string): TypedSystem<Actors> {
    const more = because === undefined ? {} : { because };
    return this.#asking({ kind: 'always', name, predicate: this.#plain(holds), ...more });
  }

  /** It holds in no reachable state. */
  never(name: string, holds: Said<Actors>): TypedSystem<Actors> {
    return this.#asking({ kind: 'always', name, predicate: { kind: 'not', of: this.#plain(holds) } });
  }

  /** In every state in which `when` holds, `then` does; vacuous where `when` never holds. */
  whenever(name: string, when: Said<Actors>, then: Said<Actors>): TypedSystem<Actors> {
    return this.#asking({ kind: 'always', name, when: this.#plain(when), predicate: this.#plain(then) });
  }

  /** It holds in some reachable state. */
  sometimes(name: string, holds: Said<Actors>): TypedSystem<Actors> {
    return this.#asking({ kind: 'reachable', name, predicate: this.#plain(holds) });
  }

  /** Some step leads on from every state in which `holds` does not. */
  endsOnlyIn(name: string, holds: Said<Actors>): TypedSystem<Actors> {
    return this.#asking({ kind: 'deadlockFree', name, quiescent: this.#plain(holds) });
  }

  /** Some step leads on from every state. */
  neverEnds(name = 'it never ends'): TypedSystem<Actors> {
    return this.#asking({ kind: 'deadlockFree', name });
  }

  /**
   * Whenever `from` holds, `to` does then or later. Default fairness, weak: each link delivers what is under way in the end,
   * timers fire, and crashed actors start again.
   */
  leadsTo(
    name: string,
    from: Said<Actors>,
    to: Said<Actors>,
    fairness: Fairness = inTheEnd,
  ): TypedSystem<Actors> {
    return this.#asking({ kind: 'leadsTo', name, from: this.#plain(from), to: this.#plain(to), fairness });
  }

  /** It holds at some time in every run. Fairness as with `leadsTo`. */
  eventually(name: string, holds: Said<Actors>, fairness: Fairness = inTheEnd): TypedSystem<Actors> {
    return this.#asking({ kind: 'eventually', name, predicate: this.#plain(holds), fairness });
  }

  /** Sets the constraint: states outside are not explored further, and verdicts hold within it. */
  within(holds: Said<Actors>): TypedSystem<Actors> {
    return this.#with({ constraint: this.#plain(holds) });
  }

  /** Adds a history variable; predicates get it as their third argument. */
  remembering(history: History): TypedSystem<Actors> {
    return this.#with({ history });
  }

  /** The ids of actors that may be exchanged; `--symmetry` explores one state of each orbit. */
  interchangeable(...symmetry: readonly SiteId[]): TypedSystem<Actors> {
    return this.#with({ symmetry });
  }

  /** Declares named actions that are functions and change nothing in the system. */
  declaring(...outside: readonly string[]): TypedSystem<Actors> {
    return this.#with({ outside });
  }

  /**
   * Returns the system with `other` in place of each machine that is `machine`: a mutant, or a repair. Throws
   * `SYSTEM_INVALID` if no actor has that machine.
   */
  replacing(machine: AnyStateMachine, other: AnyStateMachine): TypedSystem<Actors> {
    if (!Object.values(this.actors).some((spec) => spec.machine === machine)) {
      const machines = Object.entries(this.actors).map(([id, spec]) => `${id} has '${spec.machine.id}'`);
      throw misshapen(
        `\`replacing\` in '${this.name}'`,
        `no actor has this very machine '${machine.id}': ${machines.join(', ')}. Replace what \`system\` was given`,
      );
    }
    const actors = Object.entries(this.actors).map(([id, spec]) => [
      id,
      spec.machine === machine ? { ...spec, machine: other } : spec,
    ]);
    return this.#with({ actors: Object.fromEntries(actors) });
  }

  /** `replacing`, by an edit of the machine's config: `edited(machine, (edit) => edit.remove('on.buy'))`. */
  edited(
    machine: AnyStateMachine,
    edit: (editor: ReturnType<typeof editorOf>) => AnyStateMachine,
  ): TypedSystem<Actors> {
    return this.replacing(machine, edit(editorOf(machine)));
  }

  #plain(holds: Said<Actors>): StatePredicate {
    if (typeof holds !== 'function') return holds;
    const ids = Object.keys(this.actors);
    return {
      kind: 'plain',
      holds: writtenAs(holds, ({ actors, actor, history }) =>
        holds(named(ids, (id) => seenAs(actor(id))) as Whole<Actors>, actors.map(seenAs) as never, history),
      ),
    };
  }

  #asking(property: Property): TypedSystem<Actors> {
    return this.#with({ properties: [...this.properties, property] });
  }

  #with(more: Partial<System>): TypedSystem<Actors> {
    return new TypedSystem({ ...this, ...more });
  }
}

/** The default fairness: sent messages arrive, timers fire, and crashed actors restart. */
const inTheEnd: Fairness = weakly(deliveries, timers, restarts);

function specOf(part: AnyStateMachine | Role<AnyStateMachine>): ActorSpec {
  if ('root' in part) return { machine: part };
  const { environment, accepts, dead, ...rest } = part;
  const events = environment?.map((outside) => {
    if (typeof outside === 'string') return { event: { type: outside } };
    const { when, payloads, ...more } = outside;
    return {
      ...more,
      ...(when === undefined ? {} : { when: (actor: ActorView) => when(seenAs(actor)) }),
      ...(payloads === undefined ? {} : { payloads: (actor: ActorView) => payloads(seenAs(actor)) }),
    };
  });
  const selects =
    accepts === undefined
      ? {}
      : typeof accepts === 'string'
        ? { accepts }
        : { accepts: (message: Message, actor: ActorView) => accepts(message, seenAs(actor)) };
  const isDead =
    dead === undefined ? {} : { dead: (message: Message, actor: ActorView) => dead(message, seenAs(actor)) };
  return {
    ...rest,
    ...selects,
    ...isDead,
    ...(events === undefined ? {} : { environment: events }),
  } as ActorSpec;
}

/** An actor behind the names of the typed front. */
class SeenActor implements Seen<AnyStateMachine> {
  readonly id: SiteId;
  readonly #actor: ActorView;

  constructor(actor: ActorView) {
    this.id = actor.id;
    this.#actor = actor;
  }

  get up(): boolean {
    return this.#actor.up;
  }

  get crashes(): number {
    return this.#actor.crashes ?? 0;
  }

  get context(): ContextFrom<AnyStateMachine> {
    return this.#actor.context;
  }

  get inbox(): readonly InFlight[] {
    return this.#actor.inbox;
  }

  get timers(): readonly string[] {
    return this.#actor.timers;
  }

  matches(...paths: readonly string[]): boolean {
    return paths.some((path) => this.#actor.in(path));
  }

  toJSON(): object {
    const { id, up, value, crashes = 0, context, inbox, timers } = this.#actor;
    return { id, up, value, crashes, context, inbox, timers };
  }
}

const seenKeys = ['id', 'up', 'crashes', 'context', 'inbox', 'timers', 'matches'];
Object.setPrototypeOf(
  SeenActor.prototype,
  refusingPrototype('an actor', seenKeys, {
    value: "write matches('path.of.the.state')",
    in: 'did you mean matches?',
  }),
);

const seenAs = (actor: ActorView): Seen<AnyStateMachine> => new SeenActor(actor);

/** Returns the views by id. An unknown id is refused, which types alone do not catch. */
function named(ids: readonly SiteId[], seen: (id: SiteId) => Seen<AnyStateMachine>): object {
  const known = new Map<SiteId, Seen<AnyStateMachine>>();
  const of = (id: SiteId) => {
    const view = known.get(id) ?? seen(id);
    known.set(id, view);
    return view;
  };
  return new Proxy({} as object, {
    get: (target, id) => {
      if (typeof id === 'string' && ids.includes(id)) return of(id);
      if (isOfAny(id)) return Reflect.get(target, id);
      throw new SystemError(
        'PREDICATE_INVALID',
        `A predicate asks for actor '${String(id)}', and there is none; ${hint(String(id), ids)}`,
      );
    },
    has: (_, id) => ids.includes(id as SiteId),
    ownKeys: () => [...ids],
    getOwnPropertyDescriptor: (_, id) =>
      ids.includes(id as SiteId)
        ? { value: of(id as SiteId), enumerable: true, configurable: true, writable: false }
        : undefined,
  });
}
