import type { Budget } from './budget.ts';
import type { Conditions } from './conditions.ts';
import type { Graph } from './graph.ts';
import type { Core } from './product.ts';

/** Acceptance and fairness that a set of nodes and edges gathers. */
export class Tally {
  accepts = 0;
  /** True when there is at least one edge. */
  moves = false;
  readonly #graph: Graph;
  readonly #core: Core;
  readonly #conditions: Conditions;
  readonly #taken: Uint32Array;
  /** The classes enabled in some node, and those enabled in every node. */
  readonly #sometimes: Uint32Array;
  readonly #always: Uint32Array;

  constructor(graph: Graph, core: Core, conditions: Conditions) {
    this.#graph = graph;
    this.#core = core;
    this.#conditions = conditions;
    this.#taken = new Uint32Array(conditions.words);
    this.#sometimes = new Uint32Array(conditions.words);
    this.#always = new Uint32Array(conditions.words).fill(0xffffffff);
  }

  clear(): void {
    this.accepts = 0;
    this.moves = false;
    this.#taken.fill(0);
    this.#sometimes.fill(0);
    this.#always.fill(0xffffffff);
  }

  node(node: number): void {
    const { words, enabled } = this.#conditions;
    const base = this.#core.states[node]! * words;
    for (let w = 0; w < words; w++) {
      this.#sometimes[w]! |= enabled[base + w]!;
      this.#always[w]! &= enabled[base + w]!;
    }
  }

  edge(edge: number): void {
    const { words, taken, idle } = this.#conditions;
    this.moves = true;
    this.accepts |= this.#core.accepts[edge]!;
    if (idle[this.#core.edges[edge]!] === 1) return;
    const base = this.#graph.steps[this.#core.edges[edge]!]! * words;
    for (let w = 0; w < words; w++) this.#taken[w]! |= taken[base + w]!;
  }

  /** Word `w` of the weak classes that are enabled everywhere and taken nowhere. */
  weaklyUnfair(w: number): number {
    return this.#conditions.weak[w]! & this.#always[w]! & ~this.#taken[w]!;
  }

  /** Word `w` of the strong classes that are enabled somewhere and taken nowhere. */
  stronglyUnfair(w: number): number {
    return this.#conditions.strong[w]! & this.#sometimes[w]! & ~this.#taken[w]!;
  }

  /**
   * Tells whether a fair, accepted run may visit exactly the gathered nodes and edges infinitely often.
   * `strong`: strong fairness counts too.
   */
  suffices(acceptance: number, strong: boolean): boolean {
    if (!this.moves || this.accepts !== acceptance) return false;
    for (let w = 0; w < this.#conditions.words; w++) {
      if (this.weaklyUnfair(w) !== 0 || (strong && this.stronglyUnfair(w) !== 0)) return false;
    }
    return true;
  }
}

/**
 * Finds a strongly connected subgraph of `core` in which a fair run may visit all nodes infinitely often and
 * be accepted. Returns its nodes, or `null` when there is none. If there are several, the result is the one
 * whose first node comes first. Subgraphs whose first node is not before `bound` do not count.
 *
 * Acceptance and weak fairness require that a component has something. If a component lacks it, every part
 * lacks it too. A strong class is different: it can be enabled and not taken in a component, but not enabled
 * in a part. The nodes that enable it are removed, and the rest is decomposed again (A. Emerson, C.-L. Lei,
 * "Modalities for model checking", 1987; components by R. Tarjan, "Depth-first search and linear graph
 * algorithms", 1972).
 *
 * @throws LimitReached
 */
export async function findFairComponent(
  graph: Graph,
  core: Core,
  conditions: Conditions,
  acceptance: number,
  bound: number,
  budget: Budget,
): Promise<Int32Array | null> {
  const { size, offsets, targets, states } = core;
  budget.claim(6 * 4 * size);
  /**
   * For each node: the region that contains it and is still to be decomposed. -1: none, the node is finished.
   */
  const region = new Int32Array(size);
  /** For each node: the position in which it was first reached, from 1. 0: not yet. */
  const order = new Int32Array(size);
  const low = new Int32Array(size);
  const stack = new Int32Array(size);
  const path = new Int32Array(size);
  const position = new Int32Array(size);
  const tally = new Tally(graph, core, conditions);
  let regions = 1;
  let best: Int32Array | null = null;
  const queue: Iterable<number>[] = [range(size)];

  /** Judges a component that has been found. The component is a region of its own. */
  const judge = (members: Int32Array, own: number): void => {
    tally.clear();
    let first = size;
    for (const node of members) {
      first = Math.min(first, node);
      tally.node(node);
      for (let edge = offsets[node]!; edge < offsets[node + 1]!; edge++) {
        if (region[targets[edge]!] === own) tally.edge(edge);
      }
    }
    if (first >= (best?.[0] ?? bound) || !tally.suffices(acceptance, false)) return;
    if (tally.suffices(acceptance, true)) {
      best = members.slice().sort();
      return;
    }
    const { words, enabled } = conditions;
    const rest = members.filter((node) => {
      for (let w = 0; w < words; w++) {
        if ((enabled[states[node]! * words + w]! & tally.stronglyUnfair(w)) === 0) continue;
        region[node] = -1;
        return false;
      }
      return true;
    });
    for (const node of rest) order[node] = 0;
    if (rest.length > 0) queue.push(rest);
  };

  for (let roots = queue.pop(); roots !== undefined; roots = queue.pop()) {
    let [clock, depth, top] = [0, 0, 0];
    for (const root of roots) {
      if (order[root] !== 0) continue;
      const here = region[root]!;
      const enter = (node: number) => {
        order[node] = low[node] = ++clock;
        position[node] = offsets[node]!;
        stack[top++] = node;
        path[depth++] = node;
      };
      enter(root);
      while (depth > 0) {
        if (budget.due()) await budget.breathe({});
        const node = path[depth - 1]!;
        if (position[node]! < offsets[node + 1]!) {
          const target = targets[position[node]!++]!;
          if (region[target] !== here) continue;
          if (order[target] === 0) enter(target);
          else if (order[target]! < low[node]!) low[node] = order[target]!;
          continue;
        }
        depth--;
        if (depth > 0) {
          const parent = path[depth - 1]!;
          if (low[node]! < low[parent]!) low[parent] = low[node]!;
        }
        if (low[node] !== order[node]) continue;
        const own = regions++;
        const end = top;
        do region[stack[--top]!] = own;
        while (stack[top] !== node);
        judge(stack.subarray(top, end), own);
      }
    }
  }
  budget.release(6 * 4 * size);
  return best;
}

function* range(end: number): Generator<number> {
  for (let i = 0; i < end; i++) yield i;
}
