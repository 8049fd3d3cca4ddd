import { Memo, malformed, wholeNumber } from '../memo.ts';
import type { Model } from '../model.ts';
import { PropertyMonitor } from '../property-monitor.ts';
import { type Budget, Column, LimitReached } from './budget.ts';
import type { Limit, LivenessOptions } from './property.ts';

/**
 * The reachable states, numbered in the order of a breadth-first search, and every transition between them.
 */
export interface Graph {
  readonly width: number;
  readonly states: number;
  readonly edges: number;
  /** States `0 .. initial - 1` are the initial ones. */
  readonly initial: number;
  /** State `s` holds `locals[s * width + c]` in process `c`. */
  readonly locals: Int32Array;
  /** The edges that leave state `s` are numbered `offsets[s] .. offsets[s + 1] - 1`. */
  readonly offsets: Int32Array;
  readonly targets: Int32Array;
  /** For each edge: the number of its step in `memo`. */
  readonly steps: Int32Array;
  readonly memo: Memo;
  /** For each state: 1 when the graph has all its transitions, 0 when it has none. */
  readonly expanded: Uint8Array;
  /** The limit that left some states unexpanded. `null`: all are expanded. */
  readonly cut: Limit | null;
  /** Number of states that the constraint kept from being expanded. */
  readonly cutStates: number;
}

/** The share of the memory budget that the graph may use. The rest is for the product. */
const SHARE = 0.5;

/** Builds the graph. At a limit it ends early and returns the part built so far. */
export async function buildGraph(model: Model, options: LivenessOptions, budget: Budget): Promise<Graph> {
  const { width } = model;
  const memo = new Memo(model);
  const locals = new Column(budget, width * 1024, SHARE);
  const offsets = new Column(budget, 1024, SHARE);
  const targets = new Column(budget, 4096, SHARE);
  const steps = new Column(budget, 4096, SHARE);
  const table = new Table(locals, width, budget);
  const maxStates = Math.min(options.maxStates ?? LARGEST, LARGEST);
  const inside = options.constraint && new PropertyMonitor(options.constraint, width);
  const outside: number[] = [];
  const next = new Int32Array(width);
  let [head, edges] = [0, 0];
  let cut: Limit | null = null;

  const expand = (state: number): void => {
    for (let process = 0; process < width; process++) {
      const local = locals.array[state * width + process]!;
      const first = memo.first(process, local);
      const end = first + memo.count(process, local);
      for (let step = first; step < end; step++) {
        for (let c = 0, base = state * width; c < width; c++) next[c] = locals.array[base + c]!;
        if (!memo.apply(step, next)) continue;
        if (edges === LARGEST) throw new LimitReached('max-memory');
        targets.reserve(edges + 1);
        steps.reserve(edges + 1);
        targets.array[edges] = table.add(next, maxStates);
        steps.array[edges] = step;
        edges++;
      }
    }
  };
  const counts = () => ({ states: table.size, transitions: edges, frontier: table.size - head });

  let initial = 0;
  try {
    for (const state of model.initial) {
      if (state.length !== width)
        throw malformed(`an initial state has ${state.length} processes`, `${width}`);
      state.forEach((local, process) => {
        next[process] = wholeNumber(local, `initial process ${process}`);
      });
      table.add(next, maxStates);
    }
    initial = table.size;
    for (; head < table.size; head++) {
      if (budget.due()) await budget.breathe(counts());
      offsets.reserve(head + 2);
      const before = edges;
      if (inside !== undefined && !inside.holds(locals.array, head * width)) {
        outside.push(head);
      } else {
        try {
          expand(head);
        } catch (error) {
          edges = before;
          throw error;
        }
      }
      offsets.array[head + 1] = edges;
    }
  } catch (error) {
    if (!(error instanceof LimitReached)) throw error;
    cut = error.limit;
  }
  const states = table.size;
  table.free();
  budget.claim(states);
  const expanded = new Uint8Array(states).fill(1, 0, head);
  for (const state of outside) expanded[state] = 0;
  offsets.reserve(states + 1);
  offsets.array.fill(edges, head, states + 1);
  if (outside.length > 0) cut ??= 'constraint';
  return {
    width,
    states,
    edges,
    initial: initial || states,
    locals: locals.array,
    offsets: offsets.array,
    targets: targets.array,
    steps: steps.array,
    memo,
    expanded,
    cut,
    cutStates: outside.length,
  };
}

const LARGEST = 2 ** 31 - 1;

/** The states by content. Open addressing over state numbers, at most two thirds full. */
class Table {
  size = 0;
  readonly #locals: Column;
  readonly #width: number;
  readonly #budget: Budget;
  /** For each slot: the number of a state, plus 1. 0: free. */
  #slots: Column;

  constructor(locals: Column, width: number, budget: Budget) {
    this.#locals = locals;
    this.#width = width;
    this.#budget = budget;
    this.#slots = new Column(budget, 4096, SHARE);
  }

  /**
   * Returns the number of `state`. The state is new if that number equals the previous `size`.
   *
   * @throws LimitReached
   */
  add(state: Int32Array, maxStates: number): number {
    const width = this.#width;
    const locals = this.#locals.array;
    const slots = this.#slots.array;
    const mask = slots.length - 1;
    let slot = hash(state, 0, width) & mask;
    for (let entry = slots[slot]!; entry !== 0; entry = slots[slot]!) {
      const base = (entry - 1) * width;
      let process = 0;
      while (process < width && locals[base + process] === state[process]) process++;
      if (process === width) return entry - 1;
      slot = (slot + 1) & mask;
    }
    if (this.size >= maxStates) throw new LimitReached('max-states');
    if (3 * this.size >= 2 * slots.length) {
      this.#double();
      return this.add(state, maxStates);
    }
    this.#locals.reserve((this.size + 1) * width);
    this.#locals.array.set(state, this.size * width);
    slots[slot] = this.size + 1;
    return this.size++;
  }

  free(): void {
    this.#slots.free();
  }

  #double(): void {
    const before = this.#slots;
    this.#slots = new Column(this.#budget, 2 * before.array.length, SHARE);
    const slots = this.#slots.array;
    const mask = slots.length - 1;
    for (let state = 0; state < this.size; state++) {
      let slot = hash(this.#locals.array, state * this.#width, this.#width) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = state + 1;
    }
    before.free();
  }
}

function hash(array: Int32Array, from: number, width: number): number {
  let h = 0;
  for (let i = from; i < from + width; i++) {
    h = Math.imul(h ^ array[i]!, 0x9e3779b1);
    h ^= h >>> 15;
  }
  return h;
}
