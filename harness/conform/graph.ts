import { successors } from '../../verification/checker/model.ts';
import { compile } from '../../verification/system/index.ts';
import type { Action, StateRecord, System } from '../../verification/system/system.ts';

/** A transition of an explored graph. */
export interface Transition {
  readonly action: Action;
  readonly to: State;
}

/** A state of an explored graph, with what can happen in it. */
export interface State {
  readonly record: StateRecord;
  readonly transitions: readonly Transition[];
}

export interface Graph {
  readonly initial: State;
  readonly states: number;
  readonly transitions: number;
}

/** Every state of a system, from its initial one. Small graphs only: states are kept as they are. */
export function graphOf(system: System): Graph {
  const compiled = compile({ ...system, properties: [] }, { symmetry: false });
  const { model, record } = compiled;
  type Growing = {
    readonly of: readonly number[];
    readonly record: StateRecord;
    readonly transitions: Transition[];
  };
  const known = new Map<string, Growing>();
  const queue: Growing[] = [];
  const stateOf = (of: readonly number[]): Growing => {
    const key = of.join();
    let state = known.get(key);
    if (state === undefined) {
      state = { of, record: record(of), transitions: [] };
      known.set(key, state);
      queue.push(state);
    }
    return state;
  };
  const initial = stateOf(model.initial[0]!);
  let transitions = 0;
  for (const state of queue) {
    for (const { step, after } of successors(model, state.of)) {
      state.transitions.push({ action: compiled.action(step.action), to: stateOf(after) });
      transitions += 1;
    }
  }
  return { initial, states: queue.length, transitions };
}

/**
 * Runs from the initial state that take every transition of the graph: each goes on along transitions that no run has taken, and
 * where there are none, the shortest way to one.
 */
export function* toursOf(initial: State): Generator<readonly Transition[]> {
  const left = new Map<State, Set<Transition>>();
  const seen = [initial];
  for (const state of seen) {
    left.set(state, new Set(state.transitions));
    for (const { to } of state.transitions) {
      if (left.has(to)) continue;
      left.set(to, new Set());
      seen.push(to);
    }
  }
  for (;;) {
    const tour: Transition[] = [];
    let at = initial;
    for (let way = wayToNew(at, left); way !== null; way = wayToNew(at, left)) {
      for (const transition of way) {
        left.get(at)!.delete(transition);
        at = transition.to;
      }
      tour.push(...way);
    }
    if (tour.length === 0) return;
    yield tour;
  }
}

/** Returns the shortest path from a state that ends with an untaken transition, or `null`. */
function wayToNew(
  from: State,
  left: ReadonlyMap<State, ReadonlySet<Transition>>,
): readonly Transition[] | null {
  const before = new Map<State, readonly [State, Transition] | null>([[from, null]]);
  for (const [state] of before) {
    const [next] = left.get(state)!;
    if (next !== undefined) {
      const way = [next];
      for (let step = before.get(state)!; step !== null; step = before.get(step[0])!) way.unshift(step[1]);
      return way;
    }
    for (const transition of state.transitions)
      if (!before.has(transition.to)) before.set(transition.to, [state, transition]);
  }
  return null;
}
