import { Budget } from '../checker/liveness/budget.ts';
import { buildGraph, type Graph } from '../checker/liveness/graph.ts';
import type { LivenessOptions } from '../checker/liveness/index.ts';
import { PropertyMonitor } from '../checker/property-monitor.ts';
import { compile } from '../system/index.ts';
import type { StatePredicate, StateView, System } from '../system/system.ts';
import { CheckError } from './errors.ts';

export interface Possibility {
  /** Number of reachable states, and number of those that satisfy `from`. */
  readonly states: number;
  readonly from: number;
  /** The first state that satisfies `from` and cannot reach `to` any more, or `null`. */
  readonly stuck: StateView | null;
}

/**
 * Reports whether every reachable state that satisfies `from` can still reach a state that satisfies `to`: AG
 * (from -> EF to). This is stronger than `reachable` and weaker than `leadsTo`: `to` need not happen, but
 * nothing has ruled it out. Throws `RUNS_NEED_STATES` if a limit of `options` left states unexplored.
 */
export async function possible(
  system: System,
  from: StatePredicate,
  to: StatePredicate,
  options: LivenessOptions = {},
): Promise<Possibility> {
  const { model, predicateOf, decode } = compile(system);
  const graph = await buildGraph(model, options, new Budget(options));
  if (graph.cut !== null)
    throw new CheckError('RUNS_NEED_STATES', `the exploration ended at a limit (${graph.cut}): raise it`);
  const like = (predicate: StatePredicate) => {
    const judge = new PropertyMonitor(predicateOf(predicate), graph.width);
    return (state: number) => judge.holds(graph.locals, state * graph.width);
  };
  const reaches = waysTo(graph, like(to));
  const isFrom = like(from);
  let count = 0;
  let stuck: StateView | null = null;
  for (let state = 0; state < graph.states; state++) {
    if (!isFrom(state)) continue;
    count++;
    if (reaches[state] === 0) {
      stuck ??= decode(graph.locals.slice(state * graph.width, (state + 1) * graph.width));
    }
  }
  return { states: graph.states, from: count, stuck };
}

/** For each state: 1 if a state in `is` can be reached from it. */
function waysTo({ states, edges, offsets, targets }: Graph, is: (state: number) => boolean): Uint8Array {
  const starts = new Int32Array(states + 1);
  for (let edge = 0; edge < edges; edge++) starts[targets[edge]! + 1]!++;
  for (let state = 0; state < states; state++) starts[state + 1]! += starts[state]!;
  const sources = new Int32Array(edges);
  const next = starts.slice();
  for (let state = 0; state < states; state++) {
    for (let edge = offsets[state]!; edge < offsets[state + 1]!; edge++) {
      sources[next[targets[edge]!]!++] = state;
    }
  }
  const reached = new Uint8Array(states);
  const queue = new Int32Array(states);
  let found = 0;
  const reach = (state: number) => {
    if (reached[state] === 1) return;
    reached[state] = 1;
    queue[found++] = state;
  };
  for (let state = 0; state < states; state++) if (is(state)) reach(state);
  for (let head = 0; head < found; head++) {
    const state = queue[head]!;
    for (let edge = starts[state]!; edge < starts[state + 1]!; edge++) reach(sources[edge]!);
  }
  return reached;
}
