import type { Conditions } from './conditions.ts';
import { BrokenLassoError } from './errors.ts';
import { Tally } from './fair.ts';
import type { Graph } from './graph.ts';
import type { Core } from './product.ts';

/**
 * Finds a short loop through nodes of a fair component (sorted) that meets acceptance and fairness. The walk
 * goes to the nearest missing item until none is missing, and then back. `approach` leads from the
 * component's first node to the loop's first node. All returned edges are edges of the graph.
 */
export function loopOf(
  graph: Graph,
  core: Core,
  conditions: Conditions,
  acceptance: number,
  component: Int32Array,
): { readonly approach: readonly number[]; readonly loop: readonly number[] } {
  const walker = new Walker(graph, core, conditions, acceptance, component);
  const entry = component[0]!;
  const closed = walker.close(entry);
  // A loop that starts at the first missing item need not come back to the entry.
  const lead = walker.nearest(entry, []);
  const far = lead.length === 0 ? entry : core.targets[lead.at(-1)!]!;
  const later = walker.close(far);
  const [approach, loop] = lead.length + later.length < closed.length ? [lead, later] : [[], closed];
  return {
    approach: approach.map((edge) => core.edges[edge]!),
    loop: loop.map((edge) => core.edges[edge]!),
  };
}

class Walker {
  readonly #graph: Graph;
  readonly #core: Core;
  readonly #conditions: Conditions;
  readonly #acceptance: number;
  readonly #inside: Uint8Array;
  /** Results of the last search, by node: the edge that led there, and the node it came from. */
  readonly #via: Int32Array;
  readonly #from: Int32Array;
  readonly #members: Int32Array;

  constructor(graph: Graph, core: Core, conditions: Conditions, acceptance: number, members: Int32Array) {
    this.#graph = graph;
    this.#core = core;
    this.#conditions = conditions;
    this.#acceptance = acceptance;
    this.#members = members;
    this.#inside = new Uint8Array(core.size);
    for (const node of members) this.#inside[node] = 1;
    this.#via = new Int32Array(core.size);
    this.#from = new Int32Array(core.size);
  }

  /** A loop from `entry` to `entry` that suffices. */
  close(entry: number): readonly number[] {
    const walk: number[] = [];
    for (;;) {
      const more = this.nearest(entry, walk);
      walk.push(...more);
      if (more.length > 0) continue;
      const end = walk.length === 0 ? entry : this.#core.targets[walk.at(-1)!]!;
      if (walk.length === 0 || end !== entry) {
        walk.push(...this.#search(end, (edge) => this.#core.targets[edge] === entry));
      }
      // The way back may enable strong classes that were not met before.
      if (this.#gathered(entry, walk).suffices(this.#acceptance, true)) return this.#shortened(entry, walk);
    }
  }

  /** The edges from the end of `walk`, which starts in `entry`, to the nearest item that `walk` lacks. */
  nearest(entry: number, walk: readonly number[]): readonly number[] {
    const core = this.#core;
    const { words, taken, idle, enabled } = this.#conditions;
    const tally = this.#gathered(entry, walk);
    const weaklyUnfair = Array.from({ length: words }, (_, w) => tally.weaklyUnfair(w));
    const wanted = weaklyUnfair.map((bits, w) => bits | tally.stronglyUnfair(w));
    const accepts = this.#acceptance & ~tally.accepts;
    if (accepts === 0 && wanted.every((bits) => bits === 0)) return [];
    return this.#search(walk.length === 0 ? entry : core.targets[walk.at(-1)!]!, (edge) => {
      if ((core.accepts[edge]! & accepts) !== 0) return true;
      const isTaken = idle[core.edges[edge]!] !== 1;
      const step = this.#graph.steps[core.edges[edge]!]! * words;
      const state = core.states[core.targets[edge]!]! * words;
      for (let w = 0; w < words; w++) {
        if (isTaken && (taken[step + w]! & wanted[w]!) !== 0) return true;
        if ((~enabled[state + w]! & weaklyUnfair[w]!) !== 0) return true;
      }
      return false;
    });
  }

  #gathered(entry: number, walk: readonly number[]): Tally {
    const tally = new Tally(this.#graph, this.#core, this.#conditions);
    tally.node(entry);
    for (const edge of walk) {
      tally.edge(edge);
      tally.node(this.#core.targets[edge]!);
    }
    return tally;
  }

  /** The shortest walk from `start` that has at least one edge and whose last edge is a goal. */
  #search(start: number, goal: (edge: number) => boolean): readonly number[] {
    const { offsets, targets } = this.#core;
    for (const node of this.#members) this.#via[node] = -1;
    const queue = [start];
    for (const node of queue) {
      for (let edge = offsets[node]!; edge < offsets[node + 1]!; edge++) {
        const target = targets[edge]!;
        if (this.#inside[target] === 0) continue;
        if (goal(edge)) {
          const walk = [edge];
          for (let at = node; at !== start; at = this.#from[at]!) walk.push(this.#via[at]!);
          return walk.reverse();
        }
        if (target === start || this.#via[target] !== -1) continue;
        this.#via[target] = edge;
        this.#from[target] = node;
        queue.push(target);
      }
    }
    throw new BrokenLassoError(
      'A fair component lacks what it was found to have: this is an error of the checker.',
    );
  }

  /** Removes every detour that the loop does not need. */
  #shortened(entry: number, walk: readonly number[]): readonly number[] {
    const { targets } = this.#core;
    let loop = walk;
    for (let from = 0; from < loop.length; from++) {
      const node = from === 0 ? entry : targets[loop[from - 1]!]!;
      for (let to = loop.length; to > from; to = Math.min(to - 1, loop.length)) {
        if (targets[loop[to - 1]!] !== node) continue;
        const without = [...loop.slice(0, from), ...loop.slice(to)];
        if (this.#gathered(entry, without).suffices(this.#acceptance, true)) loop = without;
      }
    }
    return loop;
  }
}
