import type { SiteId } from '../../machines/actor.ts';
import { Budget } from '../../verification/checker/liveness/budget.ts';
import { buildGraph, type Graph } from '../../verification/checker/liveness/graph.ts';
import { type Compiled, compile } from '../../verification/system/index.ts';
import type { Action, StateRecord, System } from '../../verification/system/system.ts';

/** Every state and transition of a system, by number. State 0 is the initial one. */
export class Explored {
  readonly states: number;
  readonly transitions: number;
  /** The actors' ids, in the order of the model. */
  readonly ids: readonly SiteId[];
  readonly #compiled: Compiled;
  readonly #graph: Graph;

  private constructor(compiled: Compiled, graph: Graph) {
    this.#compiled = compiled;
    this.#graph = graph;
    this.states = graph.states;
    this.transitions = graph.edges;
    this.ids = Object.keys(compiled.system.actors);
  }

  static async of(system: System): Promise<Explored> {
    const compiled = compile({ ...system, properties: [] }, { symmetry: false });
    return new Explored(compiled, await buildGraph(compiled.model, {}, new Budget({})));
  }

  /** The transitions that leave `state` are those from this number up to that of the next state. */
  first(state: number): number {
    return this.#graph.offsets[state]!;
  }

  /** The state to which `transition` leads. */
  target(transition: number): number {
    return this.#graph.targets[transition]!;
  }

  action(transition: number): Action {
    const { steps, memo } = this.#graph;
    return this.#compiled.action(memo.action[steps[transition]!]!);
  }

  /** The number of the local state of an actor, its messages among it. */
  local(state: number, actor: number): number {
    return this.#graph.locals[state * this.#graph.width + actor]!;
  }

  record(state: number): StateRecord {
    const { locals, width } = this.#graph;
    return this.#compiled.record(locals.subarray(state * width, (state + 1) * width));
  }
}

/** Maximum number of states in which a run looks for a transition that is left, before another run is begun. */
const horizon = 1_000;

/**
 * Runs from the initial state that take every transition of the graph: each goes on along transitions that no run has taken, and
 * where there are none, the shortest way to one that is near. Then the next run goes the shortest way to the first
 * state that has some left.
 */
export function* toursOf(explored: Explored): Generator<readonly number[]> {
  const { states, transitions } = explored;
  const isTaken = new Uint8Array(transitions);
  /** For each state, the transition by which a breadth-first search came to it first, and that one's source. */
  const [entry, source] = [new Int32Array(states).fill(-1), new Int32Array(states)];
  for (let state = 0; state < states; state++) {
    for (let transition = explored.first(state); transition < explored.first(state + 1); transition++) {
      const to = explored.target(transition);
      if (to === 0 || entry[to] !== -1) continue;
      entry[to] = transition;
      source[to] = state;
    }
  }
  const wayBack = (state: number): readonly number[] => {
    const way: number[] = [];
    for (let at = state; at !== 0; at = source[at]!) way.unshift(entry[at]!);
    return way;
  };
  for (let from = 0; from < states; from++) {
    while (leftOf(explored, from, isTaken) !== -1) {
      const tour = [...wayBack(from)];
      let at = from;
      for (let way = wayToLeft(explored, at, isTaken); way !== null; way = wayToLeft(explored, at, isTaken)) {
        for (const transition of way) tour.push(transition);
        isTaken[way.at(-1)!] = 1;
        at = explored.target(way.at(-1)!);
      }
      for (const transition of tour) isTaken[transition] = 1;
      yield tour;
    }
  }
}

/** Returns the first transition of a state that is not taken, or -1. */
function leftOf(explored: Explored, state: number, isTaken: Uint8Array): number {
  const end = explored.first(state + 1);
  for (let transition = explored.first(state); transition < end; transition++)
    if (isTaken[transition] === 0) return transition;
  return -1;
}

/** Returns the shortest path from a state that ends with a transition that is not taken, or `null` if none is near. */
function wayToLeft(explored: Explored, from: number, isTaken: Uint8Array): readonly number[] | null {
  const before = new Map<number, readonly [state: number, transition: number] | null>([[from, null]]);
  for (const [state] of before) {
    const left = leftOf(explored, state, isTaken);
    if (left !== -1) {
      const way = [left];
      for (let step = before.get(state)!; step !== null; step = before.get(step[0])!) way.unshift(step[1]);
      return way;
    }
    if (before.size > horizon) continue;
    for (let transition = explored.first(state); transition < explored.first(state + 1); transition++) {
      const to = explored.target(transition);
      if (!before.has(to)) before.set(to, [state, transition]);
    }
  }
  return null;
}
