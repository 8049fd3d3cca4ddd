import type { AnyStateMachine } from 'xstate';
import type { Message, NamedAction, SiteId } from '../../machines/actor.ts';
import type { Chance } from './tree/chance.ts';
import type { Outcomes } from './tree/outcomes.ts';

/** A system is a value: actors, a network between them, the events of the environment, and the properties. */
export interface System {
  readonly name: string;
  /** In the order in which traces and states list them. */
  readonly actors: Readonly<Record<SiteId, ActorSpec>>;
  readonly network: Network;
  readonly properties: readonly Property[];
  /**
   * The initial states, if there are several: for each, the inputs of actors by id. An actor that is not
   * named starts with its own `input`. Not together with `symmetry`. Default: one initial state, in which
   * each actor has its own input.
   */
  readonly starts?: readonly Readonly<Record<SiteId, unknown>>[];
  /**
   * The ids of actors that are interchangeable: a scalar set. States that differ by a permutation of
   * them are one orbit. Their machines may compare ids for equality only, never order them. The initial
   * state may single one of them out; then the orbits stand for what is reached whichever of them it is.
   */
  readonly symmetry?: readonly SiteId[];
  /**
   * States outside the constraint are counted and not explored further. Verdicts then hold within the
   * constraint only.
   */
  readonly constraint?: StatePredicate;
  /** Snapshots of an actor whose views are equal are explored as one: the first one found. */
  readonly view?: (actor: ActorView) => unknown;
  /** A history variable, which the actors cannot read. Not together with `symmetry`. */
  readonly history?: History;
  /**
   * Declares named actions that are functions which no check runs: they act outside the system and change
   * nothing in it. Reports list all others (`Report.notRun`).
   */
  readonly outside?: readonly string[];
}

/** A history variable: the part of the past that a predicate needs and no state shows. Plain JSON. */
export interface History {
  readonly initial: unknown;
  /** The types of the effects that change it, of the first start as of every step. Default: none. */
  readonly effects?: readonly string[];
  /** The types of the messages whose arrival changes it. Default: none. */
  readonly deliveries?: readonly string[];
  /**
   * The history after a step of `actor` that asked for these of the effects, in this order; `delivered`: the message of
   * `deliveries` that the step took, or `null`.
   */
  readonly after: (
    history: unknown,
    actor: SiteId,
    effects: readonly NamedAction[],
    delivered: InFlight | null,
  ) => unknown;
}

/** One machine, its environment, and its faults. */
export interface ActorSpec {
  readonly machine: AnyStateMachine;
  readonly input?: unknown;
  /**
   * The machine is checked together with all actors that it invokes and spawns, as one process in which XState's own
   * actors make every delivery. The possible outcomes of each promise, observable and callback, by name (`src`, or the
   * id of an inline `invoke`). `{}` where there is none. Needed by every machine that uses more than named actions.
   * Without `symmetry`.
   */
  readonly outcomes?: Outcomes;
  /**
   * Maximum number of active children. States with more are counted and not explored further, as by
   * `constraint`. Default: 8.
   */
  readonly maxChildren?: number;
  /**
   * When timers fire. `'any'`: at any time while they are armed, whatever their delays. `'ordered'`: those of one process
   * run on one clock, so that one fires before another that was armed later with a delay that is as long or longer, or in
   * the same step with a longer one. A delay that is computed is any. Needs `outcomes`. Default: `'any'`.
   */
  readonly time?: 'any' | 'ordered';
  /**
   * The values that the clock and chance may give where a step decides by them, as `{ 'Math.random': [0, 0.9] }`: each
   * call gives each of the values. Default: a step that reads them is refused (`MACHINE_IMPURE`). Needs `outcomes`.
   */
  readonly chance?: Chance;
  /**
   * The events that may come to this actor from outside: from its client or its operator. Timers need no
   * entry.
   */
  readonly environment?: readonly EnvironmentEvent[];
  /** The event that a message becomes on arrival. Default: the message itself. */
  readonly deliver?: (message: Message, source: SiteId | null) => { readonly type: string };
  /**
   * Selective receive: reports whether the actor in its present state takes this message. A message that it
   * does not take stays on its way, and later ones may come first. It must not read the inbox. Not together
   * with `symmetry`. `'taken'`: the messages for which its machine has an enabled transition. Default: every
   * message.
   */
  readonly accepts?: 'taken' | ((message: Message, actor: ActorView) => boolean);
  /**
   * Reports whether this actor will never heed the message, whatever happens: its delivery does nothing. The
   * message is taken off the network at once. It must not read the inbox. Refused (`SYSTEM_INVALID`) if the
   * message would have an effect now; the author vouches for the later steps.
   */
  readonly dead?: (message: Message, actor: ActorView) => boolean;
  /** Maximum number of crashes over a whole run. */
  readonly crash?: {
    readonly times: Bound;
    /** Condition for a crash. Default: at any time. */
    readonly when?: (actor: ActorView) => boolean;
    /**
     * The fate of the messages that are under way to it, and of those that are sent while it is down. `'lost'`: they
     * are gone, as with a connection that ends. `'kept'`: they arrive once it has started again; without `restart`
     * they never do, and are gone. Default: `'lost'` on a `fifo` network, `'kept'` on the others. On a network with
     * `duplication: 'persistent'` messages are always kept.
     */
    readonly inbox?: 'kept' | 'lost';
  };
  /** A crashed actor may start again with this input; `disk` is the params of its last `persist` effect, or `null`. */
  readonly restart?: { readonly input: (disk: unknown) => unknown };
}

/** An event from outside of the system: from users, operators, clocks. */
export interface EnvironmentEvent {
  readonly event: { readonly type: string };
  /** The further keys of the event, computed from the state: it may happen with each of these. Default: none. */
  readonly payloads?: (actor: ActorView) => readonly object[];
  /** Condition for the event. Default: always. */
  readonly when?: (actor: ActorView) => boolean;
  /**
   * Events that other actors take in the same step, by id, from the event as it happens here: an atomic step of several
   * actors. It may happen only where each of them, and this actor, has an enabled transition for its event. Another actor
   * must not send in such a step. Not together with `symmetry`. Default: none.
   */
  readonly together?: (event: {
    readonly type: string;
  }) => Readonly<Record<SiteId, { readonly type: string }>>;
  /** Maximum number of occurrences at this actor over a whole run. Default: `'unbounded'`. */
  readonly times?: Bound;
}

/** Maximum number of occurrences. */
export type Bound = number | 'unbounded';

/**
 * - `fifo`: one queue for each ordered pair.
 * - `unordered`: one bag for each ordered pair.
 * - `unordered-by-target`: one bag for each target; the sender of a message is not kept, and `deliver` does not get
 *   it.
 *
 * Without further keys it is reliable. Each bound counts over a whole run and over all links.
 */
export interface Network {
  readonly order: 'fifo' | 'unordered' | 'unordered-by-target';
  /** Maximum number of messages that may be lost, one by one. */
  readonly loss?: Bound;
  /**
   * Maximum number of deliveries that leave the message where it is. `'persistent'`: no message is ever
   * consumed (a growing set).
   */
  readonly duplication?: Bound | 'persistent';
  /**
   * Maximum number of breaks of a link. Each loses any tail of the messages under way from one site to
   * another. Needs `fifo`.
   */
  readonly breaks?: Bound;
  /** Capacity of a queue or bag. A step that sends into a full one must wait. Default: `'unbounded'`. */
  readonly capacity?: Bound;
}

/** One actor as a predicate sees it. */
export interface ActorView {
  readonly id: SiteId;
  /** False for a crashed actor. */
  readonly up: boolean;
  /** Number of crashes, if it is bounded; otherwise 0. */
  readonly crashes?: number;
  /** True if the machine has reached its final state. */
  readonly done?: boolean;
  /** The state value and context of its snapshot. */
  readonly value: unknown;
  readonly context: Readonly<Record<string, unknown>>;
  /** Reports whether a state is active: `in('client.idle')`. */
  in(path: string): boolean;
  /**
   * Returns the effects of the machine if this event came next; none if it would throw. Only on actors of a
   * compiled system, where steps are remembered.
   */
  answer?(event: { readonly type: string }): readonly NamedAction[];
  /**
   * Reports whether a transition of the machine would take this event if it came next. On the same actors as
   * `answer`.
   */
  takes?(event: { readonly type: string }): boolean;
  /**
   * With `outcomes`: reports whether a possible next step, or the start, enters this state and leaves it
   * again at once, as by `always`. On the same actors as `answer`.
   */
  passes?(path: string): boolean;
  /** With `outcomes`: the actors below it by path, `checkout/pay`, including those that have ended. */
  readonly children?: Readonly<Record<string, ChildView>>;
  /** The messages on their way to it. `source` is `null` where the network does not keep it. */
  readonly inbox: readonly InFlight[];
  /** The ids of its armed timers. */
  readonly timers: readonly string[];
  /**
   * Why its machine failed: it threw, or sent to an actor that does not exist. Each such state violates
   * `no machine fails`, which every check asks. The actor stays as it was before the step that failed: it takes no
   * further step, and what is sent to it is lost. The other actors go on.
   */
  readonly fault?: string;
}

/** An actor that another one invoked or spawned. `value` is `null` where it is no machine. */
export interface ChildView {
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  readonly value: unknown;
  readonly context: unknown;
  readonly output: unknown;
}

/** A message on its way. */
export interface InFlight {
  readonly source: SiteId | null;
  readonly message: Message;
}

/** A whole state, decoded: the actors in the system's order. */
export interface StateView {
  readonly actors: readonly ActorView[];
  /** The value of the system's `history`, or `undefined`. */
  readonly history?: unknown;
  actor(id: SiteId): ActorView;
}

/**
 * A predicate over states. All but `plain` look at one actor at a time and remember what they saw for
 * every distinct actor, so that the engine judges a state by a few table look-ups.
 *
 * - `every`, `some`: of the actors.
 * - `count`: the sum of `of(actor)` (a whole number from 0) over the actors satisfies `is`.
 * - `tally`: for every actor id, the number of times that the actors name it satisfies `is`.
 *   `names(actor)` lists ids, repeats included.
 * - `relation`: `of(actor)` packs what matters about an actor in one 32-bit integer; `holds` sees those
 *   of all actors in order, and the history, and must not keep or change the array.
 * - `plain`: anything over the whole state. The values that it reads are remembered, so that it runs once for each
 *   combination of them: reading a few keys is fast, reading whole contexts is slow.
 */
export type StatePredicate =
  | { readonly kind: 'every'; readonly is: (actor: ActorView) => boolean }
  | { readonly kind: 'some'; readonly is: (actor: ActorView) => boolean }
  | {
      readonly kind: 'count';
      readonly of: (actor: ActorView) => number;
      readonly is: (sum: number) => boolean;
    }
  | {
      readonly kind: 'tally';
      readonly names: (actor: ActorView) => readonly SiteId[];
      readonly is: (times: number) => boolean;
    }
  | {
      readonly kind: 'relation';
      readonly of: (actor: ActorView, indexOf: (id: SiteId) => number) => number;
      readonly holds: (observed: Int32Array, history?: unknown) => boolean;
      /** `holds` looks at these numbers alone, and at nothing that `of` has kept: several threads are then quicker. */
      readonly pure?: boolean;
    }
  | { readonly kind: 'plain'; readonly holds: (state: StateView) => boolean }
  | { readonly kind: 'and' | 'or'; readonly of: readonly StatePredicate[] }
  | { readonly kind: 'not'; readonly of: StatePredicate };

/**
 * A property that must hold; reports call it by `name`.
 *
 * - `always`: in every reachable state. `reachable`: in at least one: the guard against vacuity.
 * - `deadlockFree`: every state that no enabled step changes satisfies `quiescent` (default: none does).
 * - `leadsTo`: whenever `from` holds, `to` holds then or later. `eventually`: on every run `is` holds at some time.
 * - `ltl`: `formula` over the names of `atoms`, with `! & | -> <-> X F G U R W`, holds on every run.
 *
 * A run is infinite: one that reaches a state where nothing need happen stays there forever.
 * `always` may say `when`: it speaks of the states in which that holds, and holds vacuously if there are none; and
 * `because`: why a state breaks it, in words.
 */
export type Property =
  | {
      readonly kind: 'always';
      readonly name: string;
      readonly predicate: StatePredicate;
      readonly when?: StatePredicate;
      readonly because?: (state: StateView) => string;
    }
  | { readonly kind: 'reachable'; readonly name: string; readonly predicate: StatePredicate }
  | { readonly kind: 'deadlockFree'; readonly name: string; readonly quiescent?: StatePredicate }
  | {
      readonly kind: 'leadsTo';
      readonly name: string;
      readonly from: StatePredicate;
      readonly to: StatePredicate;
      readonly fairness?: Fairness;
    }
  | {
      readonly kind: 'eventually';
      readonly name: string;
      readonly predicate: StatePredicate;
      readonly fairness?: Fairness;
    }
  | {
      readonly kind: 'ltl';
      readonly name: string;
      readonly formula: string;
      readonly atoms: Readonly<Record<string, StatePredicate>>;
      readonly fairness?: Fairness;
    };

/**
 * Which actions may not be put off forever. Each function gives an action the name of its class, or
 * `null` when it is in none. Weak: a class that is enabled from some point on is taken again and again.
 * Strong: a class that is enabled again and again is taken again and again. A step that changes nothing is neither enabled
 * nor taken, as with `<A>_vars` in TLA+. Default: no fairness.
 */
export interface Fairness {
  readonly weak?: (action: Action) => string | null;
  readonly strong?: (action: Action) => string | null;
}

/** A transition, before it happens. */
export type Action =
  | {
      readonly kind: 'deliver' | 'duplicate' | 'lose';
      readonly actor: SiteId;
      readonly source: SiteId | null;
      readonly message: Message;
      /** With `chance`: the values that chance gives in the step, in order. */
      readonly chance?: readonly unknown[];
    }
  | {
      readonly kind: 'environment';
      readonly actor: SiteId;
      readonly event: { readonly type: string };
      /** The events that other actors take in the same step, by id. Absent in a step of one actor. */
      readonly together?: Readonly<Record<SiteId, { readonly type: string }>>;
      readonly chance?: readonly unknown[];
    }
  | {
      readonly kind: 'timer';
      readonly actor: SiteId;
      readonly timer: string;
      readonly chance?: readonly unknown[];
    }
  | { readonly kind: 'break'; readonly actor: SiteId; readonly source: SiteId; readonly lost: number }
  | { readonly kind: 'crash' | 'restart'; readonly actor: SiteId };

/**
 * Holds, violated with a trace, or incomplete with the reason: the three are never confused. `holds within the
 * constraint`: no state that the system's `constraint` lets the check see breaks it.
 */
export type Verdict =
  | { readonly verdict: 'holds' | 'holds within the constraint' }
  | { readonly verdict: 'violated'; readonly trace?: Trace; readonly reason: string }
  | { readonly verdict: 'incomplete'; readonly reason: string };

/** The verdict on one property. */
export type PropertyResult = Verdict & {
  readonly name: string;
  readonly kind: Property['kind'];
  /** Of `reachable` that holds: a shortest path to such a state. */
  readonly trace?: Trace;
};

/** A run from an initial state. A lasso goes back, after its last step, to the state after step `loop` (0: the initial). */
export interface Trace {
  readonly initial: StateRecord;
  /** The value of the system's `history` after the start of all actors. Absent without a history. */
  readonly history?: unknown;
  readonly steps: readonly TraceStep[];
  readonly loop?: number;
}

/** One action and its result. */
export interface TraceStep {
  readonly action: Action;
  /** The requests of the actor's machine: sends, grants, ... */
  readonly effects: readonly NamedAction[];
  /** The state after. */
  readonly state: StateRecord;
  /** The value of the system's `history`. Absent without a history. */
  readonly history?: unknown;
}

/** A state as plain JSON: an actor's snapshot and inbox by its id. */
export type StateRecord = Readonly<
  Record<
    SiteId,
    {
      readonly up: boolean;
      readonly value: unknown;
      readonly context: unknown;
      readonly inbox: readonly InFlight[];
      readonly timers: readonly string[];
      readonly fault?: string;
    }
  >
>;
