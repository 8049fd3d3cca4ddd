import type { NamedAction } from '../../machines/actor.ts';
import { apply, BLOCKED, type Model, type Predicate, type Step, type Symmetry } from '../checker/model.ts';
import { guarded } from './callbacks.ts';
import { coverageOf, type MachineCoverage, type NotRun, notRun } from './coverage.ts';
import { Equivariance } from './equivariance.ts';
import { SystemError } from './errors.ts';
import { DOWN } from './locals.ts';
import { countsOf, type Move, Moves, type Taken } from './moves.ts';
import { compilePredicate } from './predicate.ts';
import { Reactor, unborn } from './react.ts';
import { allRefusals } from './refusals.ts';
import { refuseInvalid } from './refuse.ts';
import { Renamer } from './renamer.ts';
import type { Action, StatePredicate, StateRecord, StateView, System } from './system.ts';
import type { Absent } from './view.ts';
import { TO_ALL, TOGETHER, type Untaken, World } from './world.ts';

/** A system that the engine can explore, and the way back from its integers. */
export interface Compiled {
  readonly system: System;
  /** Its parts, for an export that writes them down one by one. */
  readonly world: World;
  readonly model: Model;
  /** Present if the system declares a symmetry. */
  readonly symmetry?: Symmetry;
  /** Number of actions that have been met. */
  readonly actions: number;
  /** The action behind `Step.action`. */
  action(index: number): Action;
  /** The effects of the machine in the step with this index in `model.steps(process, local)`. */
  effects(process: number, local: number, step: number): readonly NamedAction[];
  /** In a tree of actors: the event and the transitions of that step. */
  taken(process: number, local: number, step: number): Taken | undefined;
  predicateOf(predicate: StatePredicate, options?: PredicateOptions): Predicate;
  decode(state: ArrayLike<number>): StateView;
  record(state: ArrayLike<number>): StateRecord;
  /**
   * For each machine, the named actions that are functions which no check runs and the system does not
   * declare.
   */
  notRun(): readonly NotRun[];
  /** The messages so far that arrived at an actor which takes their type in no state. */
  untaken(): readonly Untaken[];
  /** The keys of contexts that functions of the system have read, and that no state so far has. */
  absent(): readonly Absent[];
  /** For each machine, the transitions that no step has taken so far. */
  coverage(): readonly MachineCoverage[];
}

export interface PredicateOptions {
  /** Never throw `WATCH_OVERFLOW`, at the price of judging state by state. Default: false. */
  readonly exact?: boolean;
  /** Name of the predicate in errors. Default: `a predicate`. */
  readonly name?: string;
}

export interface CompileOptions {
  /** Compare the behaviour of interchangeable actors, and return the model's symmetry. Default: `true`. */
  readonly symmetry?: boolean;
}

/** Throws `SystemError`. Refusals that only a later step shows come during the exploration. */
export function compile(given: System, options: CompileOptions = {}): Compiled {
  const telling: Telling = (step) => {
    try {
      return step();
    } catch (error) {
      throw allRefusals(error, () => build(given, { symmetry: false }).model);
    }
  };
  return telling(() => build(given, options, telling));
}

/** Calls a step and may replace the error that it throws. */
type Telling = <Result>(step: () => Result) => Result;

/** The steps of an actor. Throws all refusals of the system. */
type MovesOf = (process: number, local: number) => readonly Move[];

function build(
  given: System,
  { symmetry = true }: CompileOptions,
  telling: Telling = (step) => step(),
): Compiled {
  refuseInvalid(given);
  const system = bounded(given);
  const world = new World(system);
  const { ids, views } = world;
  const reactors: Reactor[] = [];
  const moves: Moves[] = [];
  const renamer = symmetry && world.movable.includes(true) ? new Renamer(world) : null;
  const equivariance = renamer === null ? null : new Equivariance(world, renamer, reactors, moves);
  for (const process of ids.keys()) {
    const reactor = new Reactor(world, process, equivariance);
    reactors.push(reactor);
    moves.push(new Moves(world, process, reactor, equivariance));
  }
  const movesOf: MovesOf = (process, local) => telling(() => [...moves[process]!.of(local)]);
  views.foresee = function* (process, core, inbox) {
    for (const { effects } of movesOf(process, world.locals.intern(process, core, inbox))) yield effects;
  };
  const model = modelOf(world, reactors, moves, movesOf);
  return {
    system,
    world,
    model,
    ...(renamer === null ? {} : { symmetry: symmetryOf(world, renamer) }),
    get actions() {
      return world.actions.size;
    },
    action: (index) => world.actions.at(index),
    effects: (process, local, step) => {
      const move = movesOf(process, local)[step];
      if (move === undefined) throw new RangeError(`Process ${process} has no step ${step} there.`);
      return move.effects;
    },
    taken: (process, local, step) => movesOf(process, local)[step]?.taken,
    predicateOf: (predicate, { exact = false, name = 'a predicate' } = {}) =>
      compilePredicate(guarded(predicate, name), { ids, views, width: model.width, exact }),
    decode: (state) => views.state(state),
    record: (state) => views.record(state),
    notRun: () => notRun(system),
    absent: () => views.absent(),
    untaken: () => [...world.untaken.values()],
    coverage: () => coverageOf(world),
  };
}

/** A tree of actors that grows without end is explored up to a number of children. */
function bounded(system: System): System {
  const { actors, constraint } = system;
  if (!Object.values(actors).some(({ outcomes }) => outcomes)) return system;
  const mostOf = new Map(Object.entries(actors).map(([id, { maxChildren = 8 }]) => [id, maxChildren]));
  const isWithin: StatePredicate = {
    kind: 'every',
    is: ({ id, children = {} }) =>
      Object.values(children).filter(({ status }) => status === 'active').length <= mostOf.get(id)!,
  };
  return { ...system, constraint: constraint ? { kind: 'and', of: [constraint, isWithin] } : isWithin };
}

function modelOf(
  world: World,
  reactors: readonly Reactor[],
  moves: readonly Moves[],
  movesOf: MovesOf,
): Model {
  const { ids, locals, arrivals, budget, chronicle, keepsInbox } = world;
  const historyProcess = ids.length + budget.processes;
  const step = ({ action, to, sends }: Move): Step => ({ action, to, sends });
  const model: Model = {
    width: historyProcess + chronicle.processes,
    initial: [],
    steps: (process, local) => (process < ids.length ? movesOf(process, local).map(step) : []),
    receive(process, local, envelope) {
      if (process === historyProcess) return chronicle.receive(local, envelope);
      if (process >= ids.length) return budget.receive(local, envelope);
      const core = locals.coreOf(process, local);
      const { fault, left, snapshot } = locals.core(core);
      const how = arrivals[process]!.second(envelope);
      if (how === TOGETHER) {
        const after = moves[process]!.joined(core, arrivals[process]!.first(envelope));
        return after === null ? BLOCKED : locals.intern(process, after, locals.inboxOf(process, local));
      }
      const isToAll = how === TO_ALL;
      if (fault !== null || (left && isToAll)) return local;
      if (
        snapshot === DOWN
          ? !keepsInbox[process]!
          : moves[process]!.isDead(core, arrivals[process]!.first(envelope))
      ) {
        return local;
      }
      const inbox = world.insert(locals.inboxOf(process, local), arrivals[process]!.first(envelope));
      return inbox === BLOCKED ? BLOCKED : locals.intern(process, core, inbox);
    },
  };
  const { starts = [{}] } = world.system;
  const initial = starts.map((inputs) => initialState(world, reactors, model, inputs));
  const distinct = new Map(initial.map((state) => [state.join(), state]));
  return { ...model, initial: [...distinct.values()] };
}

/**
 * Every actor starts, in the system's order. The messages that they send are under way, and the history is
 * told.
 */
function initialState(
  { ids, specs, locals, chronicle, views }: World,
  reactors: readonly Reactor[],
  model: Model,
  inputs: Readonly<Record<string, unknown>>,
): readonly number[] {
  const outcomes = reactors.map((reactor, process) => {
    const id = ids[process]!;
    const input = Object.hasOwn(inputs, id) ? inputs[id] : specs[process]!.input;
    return reactor.start(unborn(countsOf(specs[process]!)), input);
  });
  let state: readonly number[] = Array.from({ length: model.width }, (_, process) => {
    const outcome = outcomes[process];
    return outcome === undefined ? 0 : locals.intern(process, outcome.core, 0);
  });
  for (const [process, { core, sends, effects }] of outcomes.entries()) {
    if (specs[process]!.outcomes !== undefined) views.begins(process, core, effects);
    const told = chronicle.tell(ids[process]!, effects);
    const after = apply(model, state, process, {
      action: -1,
      to: state[process]!,
      sends: [...sends, ...told],
    });
    if (after === null) {
      throw new SystemError(
        'SYSTEM_INVALID',
        `What '${ids[process]}' sends when it starts must fit into network.capacity. Raise it.`,
      );
    }
    state = after;
  }
  return state;
}

function symmetryOf({ movable, ids }: World, renamer: Renamer): Symmetry {
  return {
    processes: movable.flatMap((isMovable, process) => (isMovable ? [process] : [])),
    edges: (process, local) =>
      process < ids.length ? renamer.edges(process, local) : [{ label: local, refs: [] }],
    rename: (process, local, to) => (process < ids.length ? renamer.local(process, local, to) : local),
  };
}
