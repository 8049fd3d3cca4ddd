import { type Automaton, acceptsForever, reads } from './buchi.ts';
import { type Budget, Column, LimitReached } from './budget.ts';
import { type Conditions, mayStutter } from './conditions.ts';
import type { Graph } from './graph.ts';

/**
 * The letter of each state: the atoms that are true in it. Letters are numbered in the order of their first
 * use.
 */
export interface Labels {
  /** For each state: the number of its letter. */
  readonly of: Int32Array;
  readonly letters: readonly number[];
}

/**
 * The reachable pairs of a state and an automaton state, numbered breadth first. The automaton state has read
 * every state before this one.
 */
export interface Product {
  readonly nodes: number;
  /** For each node: state * (automaton states) + automaton state. */
  readonly pairs: Int32Array;
  /** For each node: the node from which it was found first, or -1. */
  readonly parents: Int32Array;
  /** The first node in which a fair run may stay for ever and be accepted, or -1. */
  readonly stutter: number;
  /** The nodes whose automaton state can be in an accepting loop, and the edges that can be in one. */
  readonly core: Core;
}

/** A separate graph. Its node `i` is node `nodes[i]` of the product, so it is numbered breadth first too. */
export interface Core {
  readonly size: number;
  readonly nodes: Int32Array;
  /** For each node: the state of the graph. */
  readonly states: Int32Array;
  readonly offsets: Int32Array;
  readonly targets: Int32Array;
  /** For each edge: the edge of the graph, and the acceptance sets of the automaton's transition. */
  readonly edges: Int32Array;
  readonly accepts: Int32Array;
}

/** For each letter and automaton state: the transitions as pairs of target and acceptance sets. */
type Moves = readonly (readonly Int32Array[])[];

/** @throws LimitReached */
export async function exploreProduct(
  graph: Graph,
  automaton: Automaton,
  labels: Labels,
  conditions: Conditions,
  budget: Budget,
): Promise<Product> {
  const size = automaton.states.length;
  if (graph.states * size >= 2 ** 31) throw new LimitReached('max-memory');
  const moves = movesOf(automaton, labels.letters);
  const stays = labels.letters.map((letter) => acceptsForever(automaton, letter));
  /** For each pair: its node, plus 1. */
  const index = new Column(budget, graph.states * size);
  const pairs = new Column(budget, 1024);
  const parents = new Column(budget, 1024);
  let nodes = 0;
  const add = (pair: number, parent: number) => {
    pairs.reserve(nodes + 1);
    parents.reserve(nodes + 1);
    pairs.array[nodes] = pair;
    parents.array[nodes] = parent;
    index.array[pair] = ++nodes;
  };
  for (let state = 0; state < graph.initial; state++) add(state * size, -1);
  let stutter = -1;
  for (let node = 0; node < nodes; node++) {
    if (budget.due()) await budget.breathe({ productStates: nodes });
    const pair = pairs.array[node]!;
    const q = pair % size;
    const state = (pair - q) / size;
    const letter = labels.of[state]!;
    if (stutter < 0 && stays[letter]![q] && mayStutter(conditions, graph, state)) stutter = node;
    const list = moves[letter]![q]!;
    for (let edge = graph.offsets[state]!, end = graph.offsets[state + 1]!; edge < end; edge++) {
      const base = graph.targets[edge]! * size;
      for (let i = 0; i < list.length; i += 2) {
        if (index.array[base + list[i]!] === 0) add(base + list[i]!, node);
      }
    }
  }
  const found = { size, nodes, pairs: pairs.array, index: index.array };
  const core = await coreOf(graph, automaton, labels, moves, found, budget);
  index.free();
  return { nodes, pairs: pairs.array, parents: parents.array, stutter, core };
}

async function coreOf(
  graph: Graph,
  { component }: Automaton,
  labels: Labels,
  moves: Moves,
  { size, nodes, pairs, index }: { size: number; nodes: number; pairs: Int32Array; index: Int32Array },
  budget: Budget,
): Promise<Core> {
  const members = new Column(budget, 1024);
  const states = new Column(budget, 1024);
  let count = 0;
  // From here on the index leads to the core's nodes only.
  for (let node = 0; node < nodes; node++) {
    if (budget.due()) await budget.breathe({});
    const pair = pairs[node]!;
    const q = pair % size;
    if (component[q]! < 0) {
      index[pair] = 0;
      continue;
    }
    members.reserve(count + 1);
    states.reserve(count + 1);
    members.array[count] = node;
    states.array[count] = (pair - q) / size;
    index[pair] = ++count;
  }
  const offsets = new Column(budget, count + 1);
  const targets = new Column(budget, 1024);
  const edges = new Column(budget, 1024);
  const accepts = new Column(budget, 1024);
  let edgeCount = 0;
  for (let node = 0; node < count; node++) {
    if (budget.due()) await budget.breathe({});
    const state = states.array[node]!;
    const q = pairs[members.array[node]!]! % size;
    const list = moves[labels.of[state]!]![q]!;
    for (let edge = graph.offsets[state]!, end = graph.offsets[state + 1]!; edge < end; edge++) {
      for (let i = 0; i < list.length; i += 2) {
        if (component[list[i]!] !== component[q]) continue;
        targets.reserve(edgeCount + 1);
        edges.reserve(edgeCount + 1);
        accepts.reserve(edgeCount + 1);
        targets.array[edgeCount] = index[graph.targets[edge]! * size + list[i]!]! - 1;
        edges.array[edgeCount] = edge;
        accepts.array[edgeCount++] = list[i + 1]!;
      }
    }
    offsets.array[node + 1] = edgeCount;
  }
  return {
    size: count,
    nodes: members.array,
    states: states.array,
    offsets: offsets.array,
    targets: targets.array,
    edges: edges.array,
    accepts: accepts.array,
  };
}

function movesOf(automaton: Automaton, letters: readonly number[]): Moves {
  return letters.map((letter) =>
    automaton.states.map((list) =>
      Int32Array.from(list.filter((t) => reads(t, letter)).flatMap((t) => [t.to, t.accepts])),
    ),
  );
}

/**
 * The edges of the graph on a shortest path to `node` of the product, and the state in which the path starts.
 */
export function wayTo(
  graph: Graph,
  automaton: Automaton,
  product: Product,
  node: number,
): { readonly from: number; readonly edges: readonly number[] } {
  const size = automaton.states.length;
  const edges: number[] = [];
  let at = node;
  for (let parent = product.parents[at]!; parent >= 0; at = parent, parent = product.parents[at]!) {
    const state = Math.floor(product.pairs[parent]! / size);
    const target = Math.floor(product.pairs[at]! / size);
    let edge = graph.offsets[state]!;
    while (graph.targets[edge] !== target) edge++;
    edges.push(edge);
  }
  return { from: Math.floor(product.pairs[at]! / size), edges: edges.reverse() };
}
