import type { AnyStateMachine } from 'xstate';
import type { Message, SiteId } from '../../machines/actor.ts';
import { BLOCKED, type Send } from '../checker/model.ts';
import { Actions } from './actions.ts';
import { Budget } from './budget.ts';
import { actorText, saidText, steady } from './callbacks.ts';
import { SystemError } from './errors.ts';
import { HistoryVariable } from './history-variable.ts';
import { Interner } from './interner.ts';
import { ANYONE, Locals } from './locals.ts';
import { refuseMisspelt, takesSomewhere } from './names.ts';
import { Pairs } from './pairs.ts';
import { Stepper } from './stepper.ts';
import type { ActorSpec, ActorView, Network, System } from './system.ts';
import { TreeStepper } from './tree/stepper.ts';
import { type Answer, type Takes, Views } from './view.ts';

/** How an envelope reaches a process: as a message of its own, as part of a broadcast, or as an event that is taken at once. */
export const [ALONE, TO_ALL, TOGETHER] = [0, 1, 2] as const;

/** A type of messages that came to an actor which takes it in no state. */
export interface Untaken {
  readonly actor: SiteId;
  readonly event: string;
}

/** The tables that the parts of one compiled system share: the actors by process, and all that has been interned so far. */
export class World {
  readonly system: System;
  readonly ids: readonly SiteId[];
  readonly specs: readonly ActorSpec[];
  /** For each process, whether messages under way to it outlive its crash. */
  readonly keepsInbox: readonly boolean[];
  /** For each process, whether it is in the scalar set. */
  readonly movable: readonly boolean[];
  readonly values: Interner;
  readonly locals: Locals;
  readonly views: Views;
  readonly budget: Budget;
  readonly chronicle: HistoryVariable;
  readonly actions: Actions;
  /**
   * For each process, the meaning of each arriving envelope: the envelope in the inbox and `ALONE`, or `TO_ALL` if it is part
   * of a broadcast; or an interned event and `TOGETHER`.
   */
  readonly arrivals: readonly Pairs[];
  /** The messages that came to an actor which takes their type in no state. */
  readonly untaken = new Map<string, Untaken>();
  readonly #steppers = new Map<AnyStateMachine, Stepper>();
  readonly #trees = new Map<ActorSpec, TreeStepper>();
  readonly #firstSeen: readonly Map<string, number>[];
  #view: System['view'];

  constructor(system: System) {
    this.system = system;
    this.ids = Object.keys(system.actors);
    this.specs = Object.values(system.actors);
    this.keepsInbox = this.specs.map((spec) => keepsInbox(spec, system.network));
    this.movable = this.ids.map((id) => system.symmetry?.includes(id) ?? false);
    this.values = new Interner(this.ids.map((id, process) => (this.movable[process] ? id : null)));
    this.locals = new Locals(this.ids.length, this.values);
    this.budget = new Budget(system.network, this.ids.length);
    this.chronicle = new HistoryVariable(
      system.history,
      this.ids.length + this.budget.processes,
      this.values,
    );
    const asked = (process: number, event: object) =>
      this.internFor(process, event, 'an event that a predicate asks about');
    const answer: Answer = (process, at, event) => {
      const stepped = this.stepper(process).take(at, asked(process, event));
      return 'fault' in stepped ? [] : stepped.effects;
    };
    const takes: Takes = (process, at, event) => this.stepper(process).enables(at, asked(process, event));
    this.views = new Views(
      this.ids,
      this.locals,
      system.network.order,
      this.chronicle,
      { answer, takes },
      this.specs.map(({ machine }) => machine),
    );
    this.actions = new Actions(this.ids.length);
    this.arrivals = this.ids.map(() => new Pairs());
    this.#firstSeen = this.ids.map(() => new Map());
  }

  stepper(process: number): Stepper | TreeStepper {
    const spec = this.specs[process]!;
    const { machine, outcomes, time, chance } = spec;
    if (outcomes === undefined) {
      const known = this.#steppers.get(machine) ?? new Stepper(machine, this.values);
      this.#steppers.set(machine, known);
      return known;
    }
    const known = this.#trees.get(spec) ?? new TreeStepper(machine, this.values, { outcomes, time, chance });
    this.#trees.set(spec, known);
    return known;
  }

  /** Interns an event for the machine of a process. `where` names it in the error, `VALUE_REFUSED`. */
  internFor(process: number, event: object, where: string): number {
    const stepper = this.stepper(process);
    return stepper instanceof TreeStepper ? stepper.intern(event, where) : this.values.intern(event, where);
  }

  /** `message` on its way; `toAll`: as part of a broadcast. */
  post(source: number, target: number, message: unknown, toAll: boolean): Send {
    const what = `a message from '${this.ids[source]}' to '${this.ids[target]}'`;
    const id = this.values.intern(message, what);
    if (typeof (message as Partial<Message> | null)?.type !== 'string') {
      throw new SystemError(
        'VALUE_REFUSED',
        `${what} must have a type, and is ${this.values.text(id)}. Send { type: 'NAME', ... }.`,
      );
    }
    const { deliver } = this.specs[target]!;
    if (!toAll && deliver === undefined) this.hears(target, (message as Message).type, what);
    const keepsSource = this.system.network.order !== 'unordered-by-target';
    const envelope = this.locals.internEnvelope(keepsSource ? source : ANYONE, id);
    return { process: target, message: this.arrivals[target]!.intern(envelope, toAll ? TO_ALL : ALONE) };
  }

  /** Records an event that arrived at an actor which takes it in no state. `what`: its origin. */
  hears(process: number, type: string, what: string): void {
    const { machine } = this.specs[process]!;
    if (takesSomewhere(machine, type)) return;
    const machines = this.specs.map((spec) => spec.machine);
    refuseMisspelt(machine, type, what, machines);
    const id = this.ids[process]!;
    this.untaken.set(`${type} ${id}`, { actor: id, event: type });
  }

  /** Cores that the system's view does not distinguish are merged into the first one found. */
  merge(process: number, core: number): number {
    const { view } = this.system;
    if (view === undefined) return core;
    const { snapshot: _, ...rest } = this.locals.core(core);
    const seen = this.#viewOf(this.views.withoutInbox(process, core, '`view`'), view);
    const text = `${seen} ${JSON.stringify(rest)}`;
    const first = this.#firstSeen[process]!.get(text);
    if (first !== undefined) return first;
    this.#firstSeen[process]!.set(text, core);
    return core;
  }

  #viewOf(actor: ActorView, view: NonNullable<System['view']>): number {
    this.#view ??= steady('`view`', (seen) => actorText(this.views.whole(seen)), view);
    const seen = this.#view(actor);
    if (seen === undefined) {
      throw new SystemError(
        'PREDICATE_INVALID',
        `\`view\` must say what tells snapshots apart, and gave ${saidText(seen)} It was asked about\n${actorText(this.views.whole(actor))}`,
      );
    }
    return this.values.intern(seen, 'what the view of the system returns');
  }

  /**
   * Returns the inbox with one more envelope: at the end of its queue, or at its place in the sorted bag.
   * `BLOCKED`: the inbox is full.
   */
  insert(inbox: number, envelope: number): number {
    const { order, duplication, capacity = 'unbounded' } = this.system.network;
    const envelopes = this.locals.inbox(inbox);
    if (duplication === 'persistent' && envelopes.includes(envelope)) return inbox;
    const source = this.locals.sourceOf(envelope);
    if (capacity !== 'unbounded') {
      const queued = envelopes.filter((other) => this.locals.sourceOf(other) === source);
      if (queued.length >= capacity) return BLOCKED;
    }
    const isBefore = (other: number) =>
      order === 'fifo' ? this.locals.sourceOf(other) <= source : other <= envelope;
    return this.locals.internInbox(envelopes.toSpliced(envelopes.findLastIndex(isBefore) + 1, 0, envelope));
  }
}

/** A crashed actor without a restart takes nothing any more. */
function keepsInbox({ crash, restart }: ActorSpec, { order, duplication }: Network): boolean {
  if (restart === undefined) return false;
  return duplication === 'persistent' || (crash?.inbox ?? (order === 'fifo' ? 'lost' : 'kept')) === 'kept';
}
