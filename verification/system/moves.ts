import type { AnyTransitionDefinition } from 'xstate';
import type { Message, NamedAction, SiteId } from '../../machines/actor.ts';
import type { Send } from '../checker/model.ts';
import { actorText, asked, saidText, steady } from './callbacks.ts';
import type { Equivariance } from './equivariance.ts';
import { SystemError } from './errors.ts';
import { ANYONE, type Core, DOWN, type Locals, NOTHING } from './locals.ts';
import { Memo } from './memo.ts';
import { refuseUntaken } from './names.ts';
import { byIdAndEvent, type Outcome, type Reactor, timersAfterFiring } from './react.ts';
import { hint, misshapen } from './shape.ts';
import type { Action, ActorSpec, ActorView, Bound, EnvironmentEvent, InFlight } from './system.ts';
import { TreeStepper, type Way } from './tree/stepper.ts';
import { TOGETHER, type World } from './world.ts';

/** A step of one actor, with the details for a trace. */
export interface Move {
  /** The index of the action. */
  readonly action: number;
  readonly to: number;
  readonly sends: readonly Send[];
  readonly effects: readonly NamedAction[];
  /** In a tree of actors: the event from outside its network that the step takes. */
  readonly taken?: Taken;
}

/** The event that a tree of actors took, and its transitions. */
export interface Taken {
  /** True if one of the actors caused the event: an outcome of invoked logic, or a timer. */
  readonly isInside: boolean;
  readonly transitions: readonly AnyTransitionDefinition[];
}

const nothing: readonly never[] = [];

/**
 * The possible steps of the actor in `process`: deliveries first, then faults of the network, then the
 * others.
 */
export class Moves {
  readonly #world: World;
  readonly #process: number;
  readonly #id: SiteId;
  readonly #spec: ActorSpec;
  readonly #locals: Locals;
  readonly #reactor: Reactor;
  readonly #equivariance: Equivariance | null;
  readonly #environment: readonly Offer[];
  readonly #dead = new Memo<number, boolean>();
  readonly #accepted = new Memo<number, boolean>();
  readonly #mayCrash: Offer['may'];
  readonly #accepts: ((message: Message, actor: ActorView) => boolean) | null;
  readonly #saysDead: ((message: Message, actor: ActorView) => boolean) | null;
  readonly #deliver: NonNullable<ActorSpec['deliver']> | null;
  readonly #inputAgain: ((disk: unknown) => unknown) | null;
  /** The interned events that envelopes become on arrival. */
  readonly #events = new Map<number, number>();

  constructor(world: World, process: number, reactor: Reactor, equivariance: Equivariance | null) {
    this.#world = world;
    this.#process = process;
    this.#id = world.ids[process]!;
    this.#spec = world.specs[process]!;
    this.#locals = world.locals;
    this.#reactor = reactor;
    this.#equivariance = equivariance;
    const condition = (when: ((actor: ActorView) => boolean) | undefined, of: string) =>
      world.views.remembered(
        when === undefined ? always : steadyAnswer(`\`when\` of ${of} of '${this.#id}'`, actorText, when),
      );
    const { accepts, dead, deliver, restart } = this.#spec;
    const messageAndActor = (message: Message, actor: ActorView) =>
      `     ${JSON.stringify(message)}\n${actorText(this.#world.views.whole(actor))}`;
    this.#accepts =
      typeof accepts === 'function'
        ? steadyAnswer(`\`accepts\` of '${this.#id}'`, messageAndActor, accepts)
        : null;
    this.#saysDead =
      dead === undefined ? null : steadyAnswer(`\`dead\` of '${this.#id}'`, messageAndActor, dead);
    this.#deliver =
      deliver === undefined
        ? null
        : steady(`\`deliver\` of '${this.#id}'`, (message) => `     ${JSON.stringify(message)}`, deliver);
    this.#inputAgain =
      restart === undefined
        ? null
        : steady(
            `\`restart.input\` of '${this.#id}'`,
            (disk) => `     ${JSON.stringify(disk)}`,
            restart.input,
          );
    this.#mayCrash = condition(this.#spec.crash?.when, 'the crash');
    let counters = 0;
    this.#environment = (this.#spec.environment ?? []).map(
      ({ event, payloads, when, together, times = 'unbounded' }) => ({
        ids: this.#eventsOf(event, payloads),
        others: together === undefined ? null : this.#othersOf(event.type, together),
        times,
        counter: times === 'unbounded' ? -1 : counters++,
        may: condition(when, `environment event '${event.type}'`),
      }),
    );
  }

  *of(local: number): Generator<Move> {
    const coreId = this.#locals.coreOf(this.#process, local);
    const core = this.#locals.core(coreId);
    const inbox = this.#locals.inboxOf(this.#process, local);
    if (core.fault !== null) return;
    const envelopes = this.#locals.inbox(inbox);
    if (core.snapshot === DOWN) {
      yield* this.#losses(coreId, envelopes);
      yield* this.#breaks(coreId, envelopes);
      yield* this.#restart(coreId, inbox);
      return;
    }
    yield* this.#deliveries(coreId, envelopes);
    yield* this.#losses(coreId, envelopes);
    yield* this.#breaks(coreId, envelopes);
    yield* this.#offers(coreId, core, inbox);
    yield* this.#timers(core, inbox);
    yield* this.#pending(coreId, core, inbox);
    yield* this.#crash(coreId, core, inbox);
  }

  /** The interned forms of an environment event in this state of the actor. */
  #eventsOf(
    event: { readonly type: string },
    payloads: ((actor: ActorView) => readonly object[]) | undefined,
  ): Offer['ids'] {
    const { views } = this.#world;
    const intern = (offered: object) =>
      this.#world.internFor(this.#process, offered, `environment event '${event.type}' of '${this.#id}'`);
    if (payloads === undefined) {
      const ids = [intern(event)];
      return () => ids;
    }
    const what = `\`payloads\` of environment event '${event.type}' of '${this.#id}'`;
    const asked = steady(what, actorText, payloads);
    return views.remembered((actor) => {
      const all: unknown = asked(actor);
      if (!Array.isArray(all)) throw misshapen(what, `it must give an array, and gave ${saidText(all)}`);
      return all.map((payload) => intern({ ...payloadOf(what, event, payload), ...event }));
    });
  }

  /** An event from outside, as traces show it. */
  #shownOf(id: number): { readonly type: string } {
    const stepper = this.#world.stepper(this.#process);
    const event = stepper instanceof TreeStepper ? stepper.outsideOf(id) : this.#world.values.value(id);
    return event as unknown as { readonly type: string };
  }

  /** The events that other actors take in the same step, each in the form in which it reaches its process. */
  #othersOf(type: string, together: NonNullable<EnvironmentEvent['together']>): NonNullable<Offer['others']> {
    const { values, ids, arrivals } = this.#world;
    const what = `\`together\` of environment event '${type}' of '${this.#id}'`;
    const known = new Map<number, Joint>();
    const asked = steady(what, (event) => `     ${JSON.stringify(event)}`, together);
    return (id) => {
      let joint = known.get(id);
      if (joint === undefined) {
        const event = values.value(id) as unknown as { readonly type: string };
        const events = asked(event);
        if (!isRecord(events)) {
          throw misshapen(what, `it must give the events of others by id, and gave ${saidText(events)}`);
        }
        const sends = Object.entries(events).map(([other, taken]): Send => {
          const process = ids.indexOf(other);
          if (process === this.#process) {
            throw misshapen(what, `it names '${other}' itself, which takes '${type}'; name the others alone`);
          }
          if (process < 0) {
            const others = ids.filter((name) => name !== this.#id);
            throw misshapen(what, `it must name other actors, and names '${other}'; ${hint(other, others)}`);
          }
          if (typeof taken?.type !== 'string')
            throw misshapen(what, `'${other}' must get an event, { type, … }`);
          refuseUntaken(this.#world.specs[process]!.machine, taken.type, `${what}, ${other}`);
          return { process, message: arrivals[process]!.intern(values.intern(taken, what), TOGETHER) };
        });
        joint = { sends, events };
        known.set(id, joint);
      }
      return joint;
    };
  }

  /**
   * Returns the core after an event that this actor takes together with another one, or `null` if it cannot
   * take it.
   */
  joined(core: number, event: number): number | null {
    if (!this.#enables(core, event)) return null;
    const { core: after, effects } = this.#reactor.take(core, event);
    const heard = effects.find(
      ({ type }) =>
        type === 'send' || type === 'broadcast' || this.#world.system.history?.effects?.includes(type),
    );
    if (heard === undefined) return after;
    throw new SystemError(
      'SYSTEM_INVALID',
      `'${this.#id}' takes ${this.#world.values.text(event)} together with another actor, and asks for '${heard.type}'. ` +
        'In an atomic step of several actors the one at which it happens may send, and no other: let that one do it.',
    );
  }

  /** Reports whether the machine has an enabled transition for this event. */
  #enables(coreId: number, event: number): boolean {
    const { snapshot, fault } = this.#locals.core(coreId);
    if (snapshot === DOWN || fault !== null || this.#reactor.isDone(coreId)) return false;
    const stepper = this.#world.stepper(this.#process);
    if (stepper instanceof TreeStepper) {
      throw new SystemError(
        'SYSTEM_INVALID',
        `'${this.#id}' has outcomes: it takes part in no atomic step of several actors, and cannot have accepts: 'taken'.`,
      );
    }
    return stepper.enables(snapshot, event);
  }

  *#deliveries(core: number, envelopes: readonly number[]): Generator<Move> {
    const persistent = this.#world.system.network.duplication === 'persistent';
    for (const index of this.#deliverable(core, envelopes)) {
      const envelope = envelopes[index]!;
      const rest = persistent ? envelopes : envelopes.toSpliced(index, 1);
      const delivered = this.#inFlight(envelope);
      for (const { event, drawn } of this.#ways(core, this.#arrival(envelope))) {
        const outcome = this.#reactor.take(core, event);
        yield this.#move(
          this.#about('deliver', envelope, drawn),
          outcome,
          this.#locals.internInbox(rest),
          [],
          delivered,
        );
        if (!this.#world.budget.allows('duplication')) continue;
        yield this.#move(
          this.#about('duplicate', envelope, drawn),
          outcome,
          this.#locals.internInbox(envelopes),
          this.#world.budget.spend('duplication'),
          delivered,
        );
      }
    }
  }

  /** Returns the indices of the envelopes that the actor accepts and that may arrive now. */
  #deliverable(core: number, envelopes: readonly number[]): readonly number[] {
    const { accepts } = this.#spec;
    const accepted =
      accepts === undefined ? envelopes : envelopes.filter((envelope) => this.#isAccepted(core, envelope));
    const first = accepted.filter((_, index) => this.#isFirst(accepted, index));
    return first.map((envelope) => envelopes.indexOf(envelope));
  }

  #isAccepted(core: number, envelope: number): boolean {
    const { accepts } = this.#spec;
    return this.#accepted.get(core, envelope, () => {
      if (typeof accepts !== 'function') return this.#enables(core, this.eventOf(envelope));
      const actor = this.#world.views.withoutInbox(this.#process, core, `\`accepts\` of '${this.#id}'`);
      return this.#accepts!(this.#inFlight(envelope).message, actor);
    });
  }

  /**
   * Reports whether this envelope may arrive now. A queue for each source gives its first message; a bag
   * gives each distinct message once.
   */
  #isFirst(envelopes: readonly number[], index: number): boolean {
    if (index === 0) return true;
    return this.#world.system.network.order === 'fifo'
      ? this.#locals.sourceOf(envelopes[index]!) !== this.#locals.sourceOf(envelopes[index - 1]!)
      : envelopes[index] !== envelopes[index - 1];
  }

  /** Any message of a queue may be lost. The loss of equal neighbours is one step. */
  *#losses(core: number, envelopes: readonly number[]): Generator<Move> {
    if (!this.#world.budget.allows('loss')) return;
    for (const [index, envelope] of envelopes.entries()) {
      if (envelope === envelopes[index - 1]) continue;
      yield this.#rest(
        this.#about('lose', envelope),
        core,
        envelopes.toSpliced(index, 1),
        this.#world.budget.spend('loss'),
      );
    }
  }

  *#breaks(core: number, envelopes: readonly number[]): Generator<Move> {
    if (!this.#world.budget.allows('breaks')) return;
    for (const [index, envelope] of envelopes.entries()) {
      const source = this.#locals.sourceOf(envelope);
      const end = envelopes.findLastIndex((other) => this.#locals.sourceOf(other) === source) + 1;
      const lost = end - index;
      const action = this.#action('break', `${source} ${lost}`, {
        source: this.#world.ids[source]!,
        lost,
      });
      yield this.#rest(action, core, envelopes.toSpliced(index, lost), this.#world.budget.spend('breaks'));
    }
  }

  /** The interned events that the environment offers the actor with this core and inbox. */
  offered(core: number, inbox: number): readonly number[] {
    return this.#enabled(core, inbox).flatMap(({ ids }) => ids(this.#process, core, inbox));
  }

  #enabled(core: number, inbox: number): readonly Offer[] {
    const { spent } = this.#locals.core(core);
    return this.#environment.filter(
      ({ counter, times, may }) =>
        (counter < 0 || spent[counter]! < Number(times)) && may(this.#process, core, inbox),
    );
  }

  *#offers(coreId: number, core: Core, inbox: number): Generator<Move> {
    if (this.#reactor.isDone(coreId)) return;
    const enabled = this.#enabled(coreId, inbox);
    this.#equivariance?.environment(
      this.#process,
      coreId,
      inbox,
      enabled.flatMap(({ ids }) => ids(this.#process, coreId, inbox)),
    );
    for (const { ids, others, counter } of enabled) {
      const from = counter < 0 ? coreId : this.#locals.internCore(spend(core, counter));
      for (const id of ids(this.#process, coreId, inbox)) {
        const event = this.#shownOf(id);
        for (const way of this.#ways(from, id)) {
          const drawn = told(way.drawn);
          const outcome = () => this.#reactor.take(from, way.event);
          if (others === null) {
            const action = this.#action('environment', way.event, { event, ...drawn });
            yield this.#withTaken(this.#move(action, outcome(), inbox), from, way.event, false);
          } else if (this.#enables(from, id)) {
            const { sends, events } = others(id);
            const what = `${way.event} ${JSON.stringify(events)}`;
            const action = this.#action('environment', what, { event, together: events, ...drawn });
            yield this.#move(action, outcome(), inbox, sends);
          }
        }
      }
    }
  }

  *#timers(core: Core, inbox: number): Generator<Move> {
    for (const [index, timer] of core.timers.entries()) {
      const before = core.timers[index - 1];
      if (before !== undefined && byIdAndEvent(before, timer) === 0) continue;
      const { id, event } = timer;
      const from = this.#locals.internCore({ ...core, timers: timersAfterFiring(core.timers, index) });
      const action = this.#action('timer', id, { timer: id });
      yield this.#move(action, this.#reactor.take(from, event), inbox);
    }
  }

  /** The moves that may happen inside a tree of actors. */
  *#pending(coreId: number, core: Core, inbox: number): Generator<Move> {
    const stepper = this.#world.stepper(this.#process);
    if (!(stepper instanceof TreeStepper) || this.#reactor.isDone(coreId)) return;
    for (const { kind, event, timer, internal } of stepper.pending(core.snapshot)) {
      for (const way of this.#ways(coreId, internal)) {
        // A number of a timer or an actor has another meaning in another snapshot, so the event is part of
        // the key.
        const what = `pending ${JSON.stringify([event, timer, way.drawn])}`;
        const action =
          kind === 'timer'
            ? this.#action('timer', what, { timer, ...told(way.drawn) })
            : this.#action('environment', what, { event, ...told(way.drawn) });
        const move = this.#move(action, this.#reactor.take(coreId, way.event), inbox);
        yield this.#withTaken(move, coreId, way.event, true);
      }
    }
  }

  #withTaken(move: Move, core: number, event: number, isInside: boolean): Move {
    const stepper = this.#world.stepper(this.#process);
    if (!(stepper instanceof TreeStepper)) return move;
    const { snapshot } = this.#locals.core(core);
    return {
      ...move,
      get taken() {
        return { isInside, transitions: stepper.transitions(snapshot, event) };
      },
    };
  }

  /** Returns the possible ways of an event where chance decides. */
  #ways(core: number, event: number): readonly Way[] {
    const stepper = this.#world.stepper(this.#process);
    if (!(stepper instanceof TreeStepper)) return [{ event, drawn: nothing }];
    return stepper.ways(this.#locals.core(core).snapshot, event);
  }

  *#crash(coreId: number, core: Core, inbox: number): Generator<Move> {
    const times = this.#spec.crash?.times ?? 0;
    const counter = core.spent.length - 1;
    if (times !== 'unbounded' && core.spent[counter]! >= times) return;
    if (!this.#mayCrash(this.#process, coreId, inbox)) return;
    const counted = isBounded(times) ? spend(core, counter) : core;
    const disk = this.#spec.restart === undefined ? NOTHING : core.disk;
    const down = this.#locals.internCore({ ...counted, snapshot: DOWN, timers: [], left: false, disk });
    const envelopes = this.#world.keepsInbox[this.#process]! ? this.#locals.inbox(inbox) : nothing;
    yield this.#rest(this.#action('crash', 0, {}), down, envelopes, nothing);
  }

  *#restart(id: number, inbox: number): Generator<Move> {
    if (this.#spec.restart === undefined) return;
    const outcome = this.startAgain(id);
    this.#equivariance?.restart(this.#process, id, outcome);
    yield this.#move(this.#action('restart', 0, {}), outcome, inbox);
  }

  /** The outcome of the restart of a crashed actor. */
  startAgain(id: number): Outcome {
    const core = this.#locals.core(id);
    const disk = core.disk === NOTHING ? null : this.#world.values.value(core.disk);
    return this.#reactor.start(core, this.#inputAgain?.(disk));
  }

  /** `delivered`: the message that the step takes, or `null`. */
  #move(
    action: number,
    outcome: Outcome,
    inbox: number,
    spent: readonly Send[] = nothing,
    delivered: InFlight | null = null,
  ): Move {
    const { core, sends, effects } = outcome;
    const to = this.#locals.intern(this.#process, core, this.#living(core, inbox));
    const told = this.#world.chronicle.tell(this.#id, effects, delivered);
    const plain = spent.length + told.length === 0;
    return { action, to, sends: plain ? sends : [...spent, ...sends, ...told], effects };
  }

  /** A step in which the machine has no part. */
  #rest(action: number, core: number, envelopes: readonly number[], spent: readonly Send[]): Move {
    return this.#move(
      action,
      { core, sends: nothing, effects: nothing },
      this.#locals.internInbox(envelopes),
      spent,
    );
  }

  /** Reports whether the actor with this core will never heed the envelope. */
  isDead(core: number, envelope: number): boolean {
    const isSaidDead = this.#saysDead;
    if (isSaidDead === null) return false;
    return this.#dead.get(core, envelope, () => {
      const { values, views } = this.#world;
      const message = values.value(this.#locals.envelope(envelope).message) as unknown as Message;
      const isDead = isSaidDead(
        message,
        views.withoutInbox(this.#process, core, `\`dead\` of '${this.#id}'`),
      );
      if (isDead) this.#refuseHeeded(core, envelope);
      return isDead;
    });
  }

  #refuseHeeded(core: number, envelope: number): void {
    const { core: after, sends, effects } = this.#reactor.take(core, this.eventOf(envelope));
    if (after === core && sends.length + effects.length === 0) return;
    throw new SystemError(
      'SYSTEM_INVALID',
      `To '${this.#id}', ${this.#world.values.text(this.#locals.envelope(envelope).message)} is said to be dead when it ` +
        'does something. Call dead only what changes nothing.',
    );
  }

  /** Returns the inbox without the messages that are dead to this core. */
  #living(core: number, inbox: number): number {
    if (this.#spec.dead === undefined || inbox === 0) return inbox;
    const { snapshot, fault } = this.#locals.core(core);
    if (snapshot === DOWN || fault !== null) return inbox;
    return this.#locals.internInbox(
      this.#locals.inbox(inbox).filter((envelope) => !this.isDead(core, envelope)),
    );
  }

  /** The interned event that a message becomes on arrival. */
  eventOf(envelope: number): number {
    const { source, message } = this.#locals.envelope(envelope);
    const deliver = this.#deliver;
    if (deliver === null) return message;
    const known = this.#events.get(envelope);
    if (known !== undefined) return known;
    const { values, ids } = this.#world;
    const event = deliver(
      values.value(message) as unknown as Message,
      source === ANYONE ? null : ids[source]!,
    );
    const what = `\`deliver\` of '${this.#id}'`;
    if (typeof event?.type !== 'string') {
      throw new SystemError(
        'VALUE_REFUSED',
        `${what} must give an event, { type, … }, and gave ${saidText(event)} for ${values.text(message)}.`,
      );
    }
    this.#world.hears(this.#process, event.type, `${what}, for ${values.text(message)}`);
    const interned = values.intern(event, `what deliver of '${this.#id}' makes of ${values.text(message)}`);
    this.#events.set(envelope, interned);
    return interned;
  }

  #arrival(envelope: number): number {
    const event = this.eventOf(envelope);
    this.#equivariance?.deliver(this.#process, envelope, event);
    return event;
  }

  #about(kind: 'deliver' | 'duplicate' | 'lose', envelope: number, drawn: Way['drawn'] = nothing): number {
    const what = drawn.length === 0 ? envelope : `${envelope} ${JSON.stringify(drawn)}`;
    return this.#action(kind, what, { ...this.#inFlight(envelope), ...told(drawn) });
  }

  #inFlight(envelope: number): InFlight {
    const { source, message } = this.#locals.envelope(envelope);
    return {
      source: source === ANYONE ? null : this.#world.ids[source]!,
      message: this.#world.values.value(message) as unknown as Message,
    };
  }

  #action<Kind extends Action['kind']>(
    kind: Kind,
    what: number | string,
    rest: Omit<Extract<Action, { kind: Kind }>, 'kind' | 'actor'>,
  ): number {
    return this.#world.actions.intern(
      this.#process,
      kind,
      what,
      () => ({ kind, actor: this.#id, ...rest }) as Action,
    );
  }
}

/** An event of the environment. */
interface Offer {
  /** The interned forms of the event. */
  readonly ids: (process: number, core: number, inbox: number) => readonly number[];
  /**
   * Returns the events that other actors take together with the event of this number; `null` for an event of
   * this actor alone.
   */
  readonly others: ((event: number) => Joint) | null;
  readonly times: Bound;
  /** The index of its counter in `Core.spent`, or -1. */
  readonly counter: number;
  readonly may: (process: number, core: number, inbox: number) => boolean;
}

/** The events of an atomic step that other actors take, and how they reach their processes. */
interface Joint {
  readonly events: Readonly<Record<string, { readonly type: string }>>;
  readonly sends: readonly Send[];
}

const always = () => true;

const steadyAnswer = <Args extends readonly unknown[]>(
  what: string,
  about: (...args: Args) => string,
  call: (...args: Args) => boolean,
): ((...args: Args) => boolean) =>
  steady(what, about, (...args) =>
    asked(
      what,
      () => about(...args),
      () => call(...args),
    ),
  );

/**
 * Returns the further keys of an event. A key that the event has already is refused, because it would be
 * dropped silently.
 */
function payloadOf(what: string, event: object, payload: unknown): object {
  if (!isRecord(payload)) throw misshapen(what, `each must be an object, and one is ${saidText(payload)}`);
  const own = Object.entries(event).find(([key, value]) => key in payload && payload[key] !== value);
  if (own === undefined) return payload;
  const [key, value] = own;
  throw misshapen(
    what,
    `it gives ${key}: ${JSON.stringify(payload[key])}, and the event has ${key}: ${JSON.stringify(value)}. Give further keys only`,
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const told = (drawn: Way['drawn']) => (drawn.length === 0 ? {} : { chance: drawn });

/**
 * Returns the number of counters of an actor: one for each bounded event of its environment, and one for its
 * crashes.
 */
export function countsOf({ environment = [] }: ActorSpec): number {
  return environment.filter(({ times }) => isBounded(times)).length + 1;
}

function isBounded(times: Bound | undefined): times is number {
  return typeof times === 'number';
}

function spend(core: Core, counter: number): Core {
  return { ...core, spent: core.spent.with(counter, core.spent[counter]! + 1) };
}
