import type { AnyStateMachine } from 'xstate';
import type { NamedAction } from '../../machines/actor.ts';
import { apply, BLOCKED, type Model, type Step, type Watch } from '../checker/model.ts';
import { Budget, checkBound } from './budget.ts';
import { SystemError } from './errors.ts';
import { ANYONE, Locals } from './locals.ts';
import { boundsOf, type Move, Moves } from './moves.ts';
import { Pairs } from './pairs.ts';
import { compilePredicate } from './predicate.ts';
import { blank, Reactor } from './react.ts';
import { Stepper } from './stepper.ts';
import type { Action, StatePredicate, StateRecord, StateView, System } from './system.ts';
import { Values } from './values.ts';
import { Views } from './view.ts';

/** A system that the engine can explore, and the way back from its integers. */
export interface Compiled {
  readonly system: System;
  readonly model: Model;
  /** How many actions have been met. */
  readonly actions: number;
  /** What `Step.action` stands for. */
  action(index: number): Action;
  /** The effects of the machine in the step with this index in `model.steps(cell, local)`. */
  effects(cell: number, local: number, step: number): readonly NamedAction[];
  /** `exact`: never throws `WATCH_OVERFLOW`, at the price of being judged state by state. */
  watch(predicate: StatePredicate, options?: { readonly exact?: boolean }): Watch;
  decode(state: ArrayLike<number>): StateView;
  record(state: ArrayLike<number>): StateRecord;
}

/** Throws `SystemError`; what a machine does only later in its life is refused during the exploration. */
export function compile(system: System): Compiled {
  const ids = Object.keys(system.actors);
  const specs = Object.values(system.actors);
  const values = new Values(ids.map((id) => (system.symmetry?.includes(id) ? id : null)));
  const locals = new Locals(ids.length, values);
  const views = new Views(ids, locals);
  const budget = new Budget(system.network, ids.length);
  const capacity = checkBound(system.network.capacity ?? 'unbounded', 'network.capacity');
  const arrivals = ids.map(() => new Pairs());
  const keepsSource = system.network.order !== 'unordered-by-target';

  const post = (source: number, target: number, message: unknown, toAll: boolean) => {
    const id = values.intern(message, `a message from '${ids[source]}' to '${ids[target]}'`);
    const letter = locals.internLetter(keepsSource ? source : ANYONE, id);
    return { cell: target, letter: arrivals[target]!.intern(letter, toAll ? 1 : 0) };
  };
  const steppers = new Map<AnyStateMachine, Stepper>();
  for (const { machine } of specs) {
    if (!steppers.has(machine)) steppers.set(machine, new Stepper(machine, values));
  }
  const reactors = specs.map(
    ({ machine }, cell) =>
      new Reactor(cell, ids, locals, steppers.get(machine)!, post, merger(system, cell, locals, views)),
  );
  const moves = reactors.map((reactor, cell) => new Moves(cell, system, budget, locals, reactor, views));
  const actions: Action[] = [];
  const byText = new Map<string, number>();
  const indexOf = (action: Action): number => {
    const text = JSON.stringify(action);
    let index = byText.get(text);
    if (index === undefined) {
      index = actions.push(action) - 1;
      byText.set(text, index);
    }
    return index;
  };

  const model: Model = {
    width: ids.length + budget.cells,
    get initial() {
      return initial;
    },
    steps(cell, local) {
      if (cell >= ids.length) return [];
      return Array.from(moves[cell]!.of(local), ({ action, to, sends }) => ({
        action: indexOf(action),
        to,
        sends,
      }));
    },
    receive(cell, local, letter) {
      if (cell >= ids.length) return budget.receive(local, letter);
      const core = locals.coreOf(cell, local);
      const { fault, left } = locals.core(core);
      const arrival = arrivals[cell]!;
      if (fault !== null || !views.actor(cell, local).up) return local;
      if (left && arrival.second(letter) === 1) return local;
      const inbox = locals.inbox(locals.inboxOf(cell, local));
      const arriving = arrival.first(letter);
      if (capacity !== 'unbounded' && queued(inbox, arriving, locals) >= capacity) return BLOCKED;
      insert(inbox, arriving, system.network, locals);
      return locals.intern(cell, core, locals.internInbox(inbox));
    },
  };
  const initial = [start(system, reactors, locals, model)];
  return {
    system,
    model,
    get actions() {
      return actions.length;
    },
    action: (index) => actions[index]!,
    effects: (cell, local, step) => nth(moves[cell]!.of(local), step).effects,
    watch: (predicate, options) =>
      compilePredicate(predicate, { ids, width: model.width, views, exact: options?.exact ?? false }),
    decode: (state) => views.state(state),
    record: (state) => views.record(state),
  };
}

/** The initial state: every actor starts in the system's order, and what they send is under way. */
function start(system: System, reactors: readonly Reactor[], locals: Locals, model: Model): number[] {
  const specs = Object.values(system.actors);
  const outcomes = reactors.map((reactor, cell) =>
    reactor.start(blank(boundsOf(specs[cell]!)), specs[cell]!.input),
  );
  let state = Array.from({ length: model.width }, (_, cell) =>
    cell < outcomes.length ? locals.intern(cell, outcomes[cell]!.core, 0) : 0,
  );
  for (const [cell, { sends }] of outcomes.entries()) {
    const step: Step = { action: -1, to: state[cell]!, sends };
    const after = apply(model, state, cell, step);
    if (after === null) {
      const who = Object.keys(system.actors)[cell];
      throw new SystemError(
        'SYSTEM_INVALID',
        `What '${who}' sends when it starts must fit into network.capacity.`,
      );
    }
    state = after;
  }
  return state;
}

/** How many messages the queue or bag that `letter` goes into holds. */
function queued(inbox: readonly number[], letter: number, locals: Locals): number {
  return inbox.filter((other) => locals.sourceOf(other) === locals.sourceOf(letter)).length;
}

/** Puts a letter where the network has it: behind what came before it, or at its place in the sorted bag. */
function insert(
  inbox: number[],
  letter: number,
  { order, duplication }: System['network'],
  locals: Locals,
): void {
  if (duplication === 'persistent' && inbox.includes(letter)) return;
  const source = locals.sourceOf(letter);
  const behind = (other: number) => (order === 'fifo' ? locals.sourceOf(other) <= source : other <= letter);
  inbox.splice(inbox.findLastIndex(behind) + 1, 0, letter);
}

/** Cores of which the system's view sees the same are one: the first that was found. */
function merger(system: System, cell: number, locals: Locals, views: Views): (core: number) => number {
  const { view } = system;
  if (view === undefined) return (core) => core;
  const first = new Map<string, number>();
  return (id) => {
    const { snapshot: _, ...rest } = locals.core(id);
    const seen = locals.values.intern(view(views.of(cell, id, 0)), 'what the view of the system returns');
    const text = `${seen} ${JSON.stringify(rest)}`;
    const representative = first.get(text) ?? id;
    first.set(text, representative);
    return representative;
  };
}

function nth(moves: Iterable<Move>, index: number): Move {
  const move = [...moves][index];
  if (move === undefined) throw new RangeError(`There is no step ${index}.`);
  return move;
}
