import type { Message, SiteId } from '../../machines/actor.ts';
import { BLOCKED, type Send } from '../checker/model.ts';
import { type NamedPredicate, search } from '../checker/packed/index.ts';
import { asTuple } from '../checker/packed/predicate-evaluator.ts';
import { type Compiled, compile } from '../system/index.ts';
import { ANYONE, DOWN } from '../system/locals.ts';
import type { Action, ActorView, StatePredicate, System } from '../system/system.ts';
import { messageText } from '../system/text.ts';
import { TOGETHER } from '../system/world.ts';
import { ExportError } from './errors.ts';
import { Names } from './names.ts';

/*
 * A system as a table: for each actor its local states, and the next state for each event. It is filled by exploring
 * the system once, with the statecharts' own steps; the network is left to the reader of the table. A combination that
 * is not in it must be reported by the reader, never skipped: the reader then reaches a state that the exploration did
 * not.
 */

export interface Table {
  readonly compiled: Compiled;
  readonly system: System;
  /** Distinct states and transitions that the exploration found. */
  readonly states: number;
  readonly transitions: number;
  readonly actors: readonly TableActor[];
  /** The initial states. */
  readonly starts: readonly Start[];
  /** Every message that was sent. */
  readonly messages: readonly TableMessage[];
  readonly links: readonly Link[];
  /** `null` for a system without one. */
  readonly history: TableHistory | null;
  /** The system's constraint: from a state in which it does not hold, no step leads on. `null`: none. */
  readonly within: StatePredicate | null;
  /** Number of states outside the constraint, which are among `states`. */
  readonly cut: number;
  /** Whether the actor at the end of a link, in a local state, takes a message; `null`: each takes all. */
  readonly accepts: ((link: number, local: number, message: number) => boolean) | null;
}

export interface TableActor {
  readonly id: SiteId;
  /** The id as an identifier of C and TLA+. */
  readonly name: string;
  readonly locals: readonly LocalState[];
  readonly rows: readonly Row[];
  /** The events that this actor takes in steps of other actors. */
  readonly joins: readonly Join[];
  /** For each local state, the messages (with `toAll`: sent to all) that vanish when they are sent to it. */
  readonly drops: (local: number, link: number, message: number, toAll: boolean) => boolean;
  /** For each local state, the messages that vanish from its inbox when the actor enters that state. */
  readonly purges: (local: number, link: number, message: number) => boolean;
}

/** An initial state. */
export interface Start {
  /** The index of each actor's local state. */
  readonly locals: readonly number[];
  /** The messages that the actors send when they start, in the order of each link. */
  readonly sent: readonly Pick<TableSend, 'link' | 'message'>[];
  /** The value of the history; 0 where there is none. */
  readonly history: number;
}

/** All of an actor but its inbox. */
export interface LocalState {
  /** Unique among the actor's. */
  readonly name: string;
  /** State, context, timers, counters, in words. */
  readonly says: string;
  readonly up: boolean;
  readonly view: ActorView;
  /** The core's number in the compiled system. */
  readonly core: number;
}

/** A message in flight as the table knows it. */
export interface TableMessage {
  readonly name: string;
  readonly message: Message;
}

/** A queue or bag; `source` is `null` where the network has one for each target. */
export interface Link {
  readonly name: string;
  /** Index of the actor. */
  readonly source: number | null;
  readonly target: number;
  /** The most messages that were on it at once. */
  readonly most: number;
}

/** The trigger of a step. The network's own faults (loss, breaks) are no rows. */
export type Trigger =
  | { readonly kind: 'deliver'; readonly link: number; readonly message: number }
  | {
      readonly kind: 'environment';
      readonly event: { readonly type: string };
      readonly name: string;
      /** The events that others take in the same step, by id. Absent in a step of one actor. */
      readonly together?: Together;
    }
  | { readonly kind: 'timer'; readonly timer: string }
  | { readonly kind: 'crash' | 'restart' };

type Together = NonNullable<Extract<Action, { kind: 'environment' }>['together']>;

/** An event that an actor takes in a step of another one, in which it sends nothing. */
export interface Join {
  /** Unique among the actor's. */
  readonly name: string;
  /** The event in words. */
  readonly says: string;
  /**
   * For each local state the next one; -1 where the actor does not take the event, so that the whole step is impossible; -2 where the
   * exploration never took it.
   */
  readonly to: readonly number[];
}

export interface Row {
  readonly from: number;
  readonly on: Trigger;
  readonly to: number;
  readonly sends: readonly TableSend[];
  /** The other actors that take part in the step, before it sends: indices of the actor and of its join. */
  readonly joined: readonly { readonly actor: number; readonly join: number }[];
  /** The events that the history hears of the step. */
  readonly tells: readonly number[];
}

/** The history of the system; its values are numbers. */
export interface TableHistory {
  /** In words, by number. */
  readonly values: readonly string[];
  /** The next value by number and event; -1 where the exploration met none. */
  readonly after: readonly (readonly number[])[];
}

export interface TableSend {
  readonly link: number;
  readonly message: number;
  /** Part of a broadcast, which an actor that has left does not get. */
  readonly toAll: boolean;
}

export interface TableOptions {
  readonly maxStates?: number;
  readonly signal?: AbortSignal;
}

/** Throws `ExportError` for a system that no table can express, and the errors of the exploration. */
export async function tabulate(system: System, { maxStates, signal }: TableOptions = {}): Promise<Table> {
  refuse(system);
  const compiled = compile(system, { symmetry: false });
  const { constraint } = compiled.system;
  const inside = constraint === undefined ? null : new Inside(compiled, constraint);
  const found = await search(compiled.model, {
    ...(inside === null ? {} : { constraint: compiled.predicateOf(constraint!), predicates: [inside.asked] }),
    ...(maxStates === undefined ? {} : { maxStates }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (found.reason !== null && found.reason !== 'constraint') {
    throw new ExportError(
      'TABLE_INCOMPLETE',
      `The table of '${system.name}' needs all its states, and ${found.states} were explored: raise the limit.`,
    );
  }
  const { representedStates, transitions, cut } = found;
  return new Tabulator(compiled, inside).table({ states: Number(representedStates), transitions, cut });
}

/** The locals of the states within the constraint. The steps of others are never taken. */
class Inside {
  readonly asked: NamedPredicate;
  readonly #locals: readonly Set<number>[];

  constructor(compiled: Compiled, constraint: StatePredicate) {
    const { model, world } = compiled;
    this.#locals = world.ids.map(() => new Set());
    const within = asTuple(compiled.predicateOf(constraint, { exact: true, name: 'The constraint' }));
    const observed = new Int32Array(model.width);
    const judge = (locals: Int32Array): boolean => {
      for (let process = 0; process < observed.length; process++)
        observed[process] = within.observe(process, locals[process]!);
      if (!within.judge(observed)) return false;
      for (const [process, known] of this.#locals.entries()) known.add(locals[process]!);
      return false;
    };
    const predicate = { kind: 'tuple', observe: (_: number, local: number) => local, judge } as const;
    // No state satisfies it, so that it is asked in every state.
    this.asked = { name: 'within the constraint', expect: 'reachable', predicate };
  }

  has(process: number, local: number): boolean {
    return this.#locals[process]!.has(local);
  }
}

function refuse({ name, actors, network }: System): void {
  const specs = Object.values(actors);
  const what =
    network.order === 'fifo' && specs.some(({ accepts }) => accepts !== undefined)
      ? 'an actor that accepts some messages only, on a network of queues'
      : null;
  if (what !== null) throw new ExportError('EXPORT_REFUSED', `'${name}' has ${what}: it cannot be exported.`);
}

class Tabulator {
  readonly #compiled: Compiled;
  readonly #messages = new Map<string, number>();
  readonly #messageList: TableMessage[] = [];
  readonly #messageNames = new Names();
  readonly #links: {
    readonly name: string;
    readonly source: number | null;
    readonly target: number;
    most: number;
  }[] = [];
  readonly #linkOf = new Map<string, number>();
  readonly #actorNames: readonly string[];
  readonly #inside: Inside | null;
  /** For each actor, the events that it takes in steps of others, by their numbers. */
  readonly #joins: readonly Map<number, string>[];

  constructor(compiled: Compiled, inside: Inside | null) {
    this.#compiled = compiled;
    this.#inside = inside;
    this.#joins = compiled.world.ids.map(() => new Map());
    const names = new Names();
    this.#actorNames = compiled.world.ids.map((id) => names.of(id));
    const perTarget = compiled.system.network.order === 'unordered-by-target';
    for (const target of compiled.world.ids.keys()) {
      const sources = perTarget ? [null] : [...compiled.world.ids.keys()];
      for (const source of sources) {
        const name = `${source === null ? 'to' : this.#actorNames[source]}_${this.#actorNames[target]}`;
        this.#linkOf.set(`${source} ${target}`, this.#links.length);
        this.#links.push({ name, source, target, most: 0 });
      }
    }
  }

  table(counts: Pick<Table, 'states' | 'transitions' | 'cut'>): Table {
    const { system } = this.#compiled;
    const alone = this.#compiled.world.ids.map((_, actorIndex) => this.#actor(actorIndex));
    // The joins of an actor are known when all others have told theirs.
    const actors = alone.map((actor, actorIndex) => ({ ...actor, joins: this.#joinsOf(actorIndex, actor) }));
    return {
      compiled: this.#compiled,
      system,
      ...counts,
      within: system.constraint ?? null,
      actors,
      starts: this.#compiled.model.initial.map((state) => this.#start(state, actors)),
      messages: this.#messageList,
      links: this.#links,
      history: this.#history(),
      accepts: Object.values(system.actors).some(({ accepts }) => accepts !== undefined)
        ? (link, local, message) => this.#accepts(actors, link, local, message)
        : null,
    };
  }

  #start(state: readonly number[], actors: readonly TableActor[]): Start {
    const { world } = this.#compiled;
    const { locals, values } = world;
    return {
      locals: actors.map(({ locals: list }, actorIndex) => {
        const of = locals.coreOf(actorIndex, state[actorIndex]!);
        return list.findIndex(({ core }) => core === of);
      }),
      sent: actors.flatMap((_, actorIndex) =>
        locals.inbox(locals.inboxOf(actorIndex, state[actorIndex]!)).map((envelope) => ({
          link: this.#link(locals.sourceOf(envelope), actorIndex),
          message: this.#message(values.value(locals.envelope(envelope).message) as unknown as Message),
        })),
      ),
      history: world.chronicle.processes > 0 ? state[actors.length + world.budget.processes]! : 0,
    };
  }

  #actor(actorIndex: number): Omit<TableActor, 'joins'> {
    const { world, model } = this.#compiled;
    const { locals, views } = world;
    const indexOf = new Map<number, number>();
    const list: LocalState[] = [];
    const names = new Names();
    const number = (core: number): number => {
      const known = indexOf.get(core);
      if (known !== undefined) return known;
      const { snapshot, fault, spent, timers, left } = locals.core(core);
      const view = views.of(actorIndex, core, 0);
      const up = snapshot !== DOWN;
      const says = saysOf(view, fault, [
        ...(timers.length === 0 ? [] : [`timers ${timers.map(({ id }) => id).join(', ')}`]),
        ...(left ? ['has left'] : []),
        ...(spent.some((times) => times > 0) ? [`counts ${spent.join(', ')}`] : []),
      ]);
      const index = list.length;
      indexOf.set(core, index);
      list.push({
        name: names.of(`${this.#actorNames[actorIndex]}_${slugOf(view, fault)}`),
        says,
        up: up && fault === null,
        view,
        core,
      });
      return index;
    };
    const rows = new Map<string, Row>();
    const offers = new Map<string, string>();
    const historyIndex = world.ids.length + world.budget.processes;
    const reached = locals.count(actorIndex);
    for (let local = 0; local < reached; local++) {
      const core = locals.coreOf(actorIndex, local);
      const from = number(core);
      const byLink = new Map<number, number>();
      for (const envelope of locals.inbox(locals.inboxOf(actorIndex, local))) {
        const link = this.#link(locals.sourceOf(envelope), actorIndex);
        byLink.set(link, (byLink.get(link) ?? 0) + 1);
      }
      for (const [link, length] of byLink)
        this.#links[link]!.most = Math.max(this.#links[link]!.most, length);
      if (this.#inside?.has(actorIndex, local) === false) continue;
      const offered: string[] = [];
      for (const step of model.steps(actorIndex, local)) {
        const action = this.#compiled.action(step.action);
        const on = this.#trigger(action, actorIndex);
        if (on === null) continue;
        if (on.kind === 'environment' || on.kind === 'crash') offered.push(JSON.stringify(on));
        const toActors = step.sends.filter(({ process: target }) => target < world.ids.length);
        const isJoin = ({ process: target, message: arrival }: Send) =>
          world.arrivals[target]!.second(arrival) === TOGETHER;
        const sends = toActors
          .filter((send) => !isJoin(send))
          .map(({ process: target, message: arrival }) => this.#send(actorIndex, target, arrival));
        const joined = toActors
          .filter(isJoin)
          .map(({ process: target, message: arrival }) => this.#join(target, arrival));
        const tells = step.sends.flatMap(({ process: target, message }) =>
          target === historyIndex ? [message] : [],
        );
        const row = { from, on, to: number(locals.coreOf(actorIndex, step.to)), sends, joined, tells };
        const key = JSON.stringify([from, on]);
        const known = rows.get(key);
        if (known === undefined) rows.set(key, row);
        else if (JSON.stringify(known) !== JSON.stringify(row))
          throw readsInbox(this.#actorNames[actorIndex]!, action);
      }
      const before = offers.get(String(from));
      if (before !== undefined && before !== offered.join())
        throw readsInbox(this.#actorNames[actorIndex]!, { kind: 'environment' });
      offers.set(String(from), offered.join());
    }
    const empty = (local: number) => locals.intern(actorIndex, list[local]!.core, 0);
    const vanishes = (local: number, link: number, message: number, toAll: boolean) => {
      const source = this.#links[link]!.source ?? -1;
      const envelope = locals.internEnvelope(
        source,
        world.values.intern(this.#messageList[message]!.message, 'a message'),
      );
      return (
        model.receive(
          actorIndex,
          empty(local),
          world.arrivals[actorIndex]!.intern(envelope, toAll ? 1 : 0),
        ) === empty(local)
      );
    };
    return {
      id: world.ids[actorIndex]!,
      name: this.#actorNames[actorIndex]!,
      locals: list,
      rows: [...rows.values()],
      drops: vanishes,
      purges: (local, link, message) =>
        world.specs[actorIndex]!.dead !== undefined &&
        list[local]!.up &&
        vanishes(local, link, message, false),
    };
  }

  /** Whether a message may arrive in an inbox that holds this message alone. */
  #accepts(actors: readonly TableActor[], link: number, local: number, message: number): boolean {
    const { world, model } = this.#compiled;
    const { locals } = world;
    const { source, target } = this.#links[link]!;
    const { up, core } = actors[target]!.locals[local]!;
    if (!up) return false;
    const of = world.values.intern(this.#messageList[message]!.message, 'a message');
    const inbox = locals.internInbox([locals.internEnvelope(source ?? ANYONE, of)]);
    return model
      .steps(target, locals.intern(target, core, inbox))
      .some(({ action }) => this.#compiled.action(action).kind === 'deliver');
  }

  #history(): TableHistory | null {
    const { world, model, system } = this.#compiled;
    if (system.history === undefined) return null;
    const actorIndex = world.ids.length + world.budget.processes;
    const { size, messages: events } = world.chronicle;
    const after = (value: number, event: number): number => {
      try {
        const next = model.receive(actorIndex, value, event);
        return next < size ? next : -1;
      } catch {
        // The history's own function refuses what never came together.
        return -1;
      }
    };
    const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
    const state = [...model.initial[0]!];
    return {
      values: numbers(size).map((value) =>
        JSON.stringify(world.chronicle.value(state.with(actorIndex, value))),
      ),
      after: numbers(size).map((value) => numbers(events).map((event) => after(value, event))),
    };
  }

  #trigger(action: Action, actorIndex: number): Trigger | null {
    switch (action.kind) {
      case 'deliver':
      case 'duplicate': {
        const source = action.source === null ? -1 : this.#compiled.world.ids.indexOf(action.source);
        return {
          kind: 'deliver',
          link: this.#link(source, actorIndex),
          message: this.#message(action.message),
        };
      }
      case 'environment':
        return {
          kind: 'environment',
          event: action.event,
          name: messageText(action.event),
          ...(action.together === undefined ? {} : { together: action.together }),
        };
      case 'timer':
        return { kind: 'timer', timer: action.timer };
      case 'crash':
      case 'restart':
        return { kind: action.kind };
      case 'lose':
      case 'break':
        return null;
    }
  }

  #send(source: number, target: number, arrival: number): TableSend {
    const { world } = this.#compiled;
    const arrivals = world.arrivals[target]!;
    const { message } = world.locals.envelope(arrivals.first(arrival));
    return {
      link: this.#link(source, target),
      message: this.#message(world.values.value(message) as unknown as Message),
      toAll: arrivals.second(arrival) === 1,
    };
  }

  #join(actor: number, arrival: number): { readonly actor: number; readonly join: number } {
    const { arrivals, values } = this.#compiled.world;
    const event = values.value(arrivals[actor]!.first(arrival)) as unknown as Message;
    const joins = this.#joins[actor]!;
    if (!joins.has(arrival)) joins.set(arrival, messageText(event));
    return { actor, join: [...joins.keys()].indexOf(arrival) };
  }

  #joinsOf(actorIndex: number, { locals: list }: Omit<TableActor, 'joins'>): readonly Join[] {
    const { world, model } = this.#compiled;
    const { locals } = world;
    const indexOf = new Map(list.map(({ core }, index) => [core, index]));
    const names = new Names();
    return [...this.#joins[actorIndex]!].map(([arrival, says]) => ({
      name: names.of(`${this.#actorNames[actorIndex]}_takes_${says}`),
      says,
      to: list.map(({ core }) => {
        const after = model.receive(actorIndex, locals.intern(actorIndex, core, 0), arrival);
        if (after === BLOCKED) return -1;
        return indexOf.get(locals.coreOf(actorIndex, after)) ?? -2;
      }),
    }));
  }

  #link(source: number, target: number): number {
    const perTarget = this.#compiled.system.network.order === 'unordered-by-target';
    return this.#linkOf.get(`${perTarget ? null : source} ${target}`)!;
  }

  #message(message: Message): number {
    const text = messageText(message);
    let index = this.#messages.get(text);
    if (index === undefined) {
      index = this.#messageList.length;
      this.#messages.set(text, index);
      this.#messageList.push({ name: this.#messageNames.of(text), message });
    }
    return index;
  }
}

function readsInbox(actor: string, { kind }: Pick<Action, 'kind'>): ExportError {
  return new ExportError(
    'EXPORT_REFUSED',
    `What may happen to '${actor}' (${kind}) depends on what is on its way to it, which cannot be exported. Let \`when\` look at the state alone.`,
  );
}

/** The active atomic states, for a name; a machine without states has none, and would be called as its actor. */
function slugOf(view: ActorView, fault: string | null): string {
  if (fault !== null) return 'failed';
  return view.up ? atomic(view.value).join('_') || 'local' : 'down';
}

function atomic(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return Object.values(value as Record<string, unknown>).flatMap(atomic);
}

function saysOf(view: ActorView, fault: string | null, more: readonly string[]): string {
  if (fault !== null) return `failed: ${fault}`;
  if (!view.up) return ['down', ...more].join('; ');
  const context = Object.entries(view.context)
    .filter(([key]) => key !== 'self')
    .map(
      ([key, value]) =>
        `${key} ${value === null ? 'nil' : typeof value === 'string' ? value : JSON.stringify(value)}`,
    );
  return [...atomic(view.value), ...context, ...more].join('; ');
}

/** The name of an actor's own step, as an identifier may contain it. */
export function wordOf(action: Action): string {
  const { kind } = action;
  const what = kind === 'environment' ? action.event.type : kind === 'timer' ? `timer_${action.timer}` : kind;
  return what.replace(/\W+/g, '_');
}

/** A step of the actor without a message. */
export function ownAction({ id }: TableActor, on: Trigger): Action | null {
  switch (on.kind) {
    case 'deliver':
      return null;
    case 'environment': {
      const { event, together } = on;
      return { kind: 'environment', actor: id, event, ...(together === undefined ? {} : { together }) };
    }
    case 'timer':
      return { kind: 'timer', actor: id, timer: on.timer };
    case 'crash':
    case 'restart':
      return { kind: on.kind, actor: id };
  }
}
