import type { Message, NamedAction, SiteId } from '../../machines/actor.ts';
import type { Send } from '../checker/model.ts';
import type { Budget } from './budget.ts';
import { ANYONE, type Core, DOWN, type Locals, NOTHING } from './locals.ts';
import type { Outcome, Reactor } from './react.ts';
import type { Action, ActorSpec, System } from './system.ts';
import type { Views } from './view.ts';

/** A step of one actor, with what a trace tells about it. */
export interface Move {
  readonly action: Action;
  readonly to: number;
  readonly sends: readonly Send[];
  readonly effects: readonly NamedAction[];
}

const nothing: readonly never[] = [];

/** Everything that can happen to the actor in `cell`: deliveries first, then the faults of the network, then the rest. */
export class Moves {
  readonly #cell: number;
  readonly #spec: ActorSpec;
  readonly #ids: readonly SiteId[];
  readonly #network: System['network'];
  readonly #budget: Budget;
  readonly #locals: Locals;
  readonly #reactor: Reactor;
  readonly #views: Views;
  /** The place of each environment event's count in `Core.spent`, or -1. */
  readonly #counters: readonly number[];

  constructor(cell: number, system: System, budget: Budget, locals: Locals, reactor: Reactor, views: Views) {
    this.#cell = cell;
    this.#ids = Object.keys(system.actors);
    this.#spec = system.actors[this.#ids[cell]!]!;
    this.#network = system.network;
    this.#budget = budget;
    this.#locals = locals;
    this.#reactor = reactor;
    this.#views = views;
    let counters = 0;
    this.#counters = environmentOf(this.#spec).map(({ times }) => (isBounded(times) ? counters++ : -1));
  }

  *of(local: number): Generator<Move> {
    const coreId = this.#locals.coreOf(this.#cell, local);
    const core = this.#locals.core(coreId);
    const inbox = this.#locals.inboxOf(this.#cell, local);
    if (core.fault !== null) return;
    if (core.snapshot === DOWN) {
      yield* this.#restart(core);
      return;
    }
    const letters = this.#locals.inbox(inbox);
    yield* this.#deliveries(coreId, letters);
    yield* this.#losses(coreId, letters);
    yield* this.#breaks(coreId, letters);
    yield* this.#environment(coreId, core, inbox);
    yield* this.#timers(core, inbox);
    yield* this.#crash(core);
  }

  *#deliveries(core: number, letters: readonly number[]): Generator<Move> {
    const persistent = this.#network.duplication === 'persistent';
    for (const [index, letter] of letters.entries()) {
      if (!this.#isFirst(letters, index)) continue;
      const { source, message } = this.#locals.letter(letter);
      const outcome = this.#reactor.take(core, this.#eventOf(source, message));
      const about = this.#about(source, message);
      const rest = persistent ? letters : letters.toSpliced(index, 1);
      yield this.#move({ kind: 'deliver', ...about }, outcome, this.#locals.internInbox(rest));
      if (!this.#budget.allows('duplication')) continue;
      yield this.#move(
        { kind: 'duplicate', ...about },
        outcome,
        this.#locals.internInbox(letters),
        this.#budget.spend('duplication'),
      );
    }
  }

  /** May this letter arrive now? One queue for each source gives its first; a bag each of its kinds once. */
  #isFirst(letters: readonly number[], index: number): boolean {
    if (index === 0) return true;
    return this.#network.order === 'fifo'
      ? this.#locals.sourceOf(letters[index]!) !== this.#locals.sourceOf(letters[index - 1]!)
      : letters[index] !== letters[index - 1];
  }

  /** Any message of a queue may be lost; of equal neighbours it is the same loss. */
  *#losses(core: number, letters: readonly number[]): Generator<Move> {
    if (!this.#budget.allows('loss')) return;
    for (const [index, letter] of letters.entries()) {
      if (letter === letters[index - 1]) continue;
      const { source, message } = this.#locals.letter(letter);
      const action = { kind: 'lose', ...this.#about(source, message) } as const;
      yield this.#rest(action, core, letters.toSpliced(index, 1), this.#budget.spend('loss'));
    }
  }

  *#breaks(core: number, letters: readonly number[]): Generator<Move> {
    if (!this.#budget.allows('breaks')) return;
    for (const [index, letter] of letters.entries()) {
      const source = this.#locals.sourceOf(letter);
      const end = letters.findLastIndex((other) => this.#locals.sourceOf(other) === source) + 1;
      const [actor, lost] = [this.#ids[this.#cell]!, end - index];
      const action = { kind: 'break', actor, source: this.#ids[source]!, lost } as const;
      yield this.#rest(action, core, letters.toSpliced(index, lost), this.#budget.spend('breaks'));
    }
  }

  *#environment(coreId: number, core: Core, inbox: number): Generator<Move> {
    if (this.#reactor.isDone(coreId)) return;
    const view = this.#views.of(this.#cell, coreId, inbox);
    for (const [index, { event, when, times }] of environmentOf(this.#spec).entries()) {
      const counter = this.#counters[index]!;
      if (counter >= 0 && core.spent[counter]! >= Number(times)) continue;
      if (when !== undefined && !when(view)) continue;
      const from = counter < 0 ? coreId : this.#locals.internCore(spend(core, counter));
      const actor = this.#ids[this.#cell]!;
      const id = this.#locals.values.intern(event, `an environment event of '${actor}'`);
      yield this.#move({ kind: 'environment', actor, event }, this.#reactor.take(from, id), inbox);
    }
  }

  *#timers(core: Core, inbox: number): Generator<Move> {
    for (const [index, { id, event }] of core.timers.entries()) {
      const before = core.timers[index - 1];
      if (before !== undefined && before.id === id && before.event === event) continue;
      const from = this.#locals.internCore({ ...core, timers: core.timers.toSpliced(index, 1) });
      const action = { kind: 'timer', actor: this.#ids[this.#cell]!, timer: id } as const;
      yield this.#move(action, this.#reactor.take(from, event), inbox);
    }
  }

  *#crash(core: Core): Generator<Move> {
    const times = this.#spec.crash?.times ?? 0;
    const counter = core.spent.length - 1;
    if (times !== 'unbounded' && core.spent[counter]! >= times) return;
    const counted = isBounded(times) ? spend(core, counter) : core;
    const disk = this.#spec.restart === undefined ? NOTHING : core.disk;
    const down = this.#locals.internCore({ ...counted, snapshot: DOWN, timers: [], left: false, disk });
    yield this.#rest({ kind: 'crash', actor: this.#ids[this.#cell]! }, down, nothing, nothing);
  }

  *#restart(core: Core): Generator<Move> {
    if (this.#spec.restart === undefined) return;
    const disk = core.disk === NOTHING ? null : this.#locals.values.value(core.disk);
    const outcome = this.#reactor.start(core, this.#spec.restart.input(disk));
    yield this.#move({ kind: 'restart', actor: this.#ids[this.#cell]! }, outcome, 0);
  }

  #move(action: Action, outcome: Outcome, inbox: number, spent: readonly Send[] = nothing): Move {
    const { core, sends, effects } = outcome;
    const to = this.#locals.intern(this.#cell, core, inbox);
    return { action, to, sends: spent.length === 0 ? sends : [...spent, ...sends], effects };
  }

  /** A step in which the machine has no part. */
  #rest(action: Action, core: number, letters: readonly number[], spent: readonly Send[]): Move {
    return this.#move(
      action,
      { core, sends: nothing, effects: nothing },
      this.#locals.internInbox(letters),
      spent,
    );
  }

  #eventOf(source: number, message: number): number {
    const { deliver } = this.#spec;
    if (deliver === undefined) return message;
    const { values } = this.#locals;
    const from = source === ANYONE ? null : this.#ids[source]!;
    const event = deliver(values.value(message) as unknown as Message, from);
    return values.intern(
      event,
      `what deliver of '${this.#ids[this.#cell]}' makes of ${values.text(message)}`,
    );
  }

  #about(source: number, message: number) {
    return {
      actor: this.#ids[this.#cell]!,
      source: source === ANYONE ? null : this.#ids[source]!,
      message: this.#locals.values.value(message) as unknown as Message,
    };
  }
}

/** How many counts an actor carries: one for each bounded event of its environment, and its crashes. */
export function boundsOf(spec: ActorSpec): number {
  return environmentOf(spec).filter(({ times }) => isBounded(times)).length + 1;
}

function environmentOf(spec: ActorSpec) {
  return spec.environment ?? nothing;
}

function isBounded(times: number | 'unbounded' | undefined): times is number {
  return typeof times === 'number';
}

function spend(core: Core, counter: number): Core {
  return { ...core, spent: core.spent.with(counter, core.spent[counter]! + 1) };
}
