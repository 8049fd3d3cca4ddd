import { BLOCKED, type Model, type Step, type Watch } from './checker/model.ts';
import type { PathStep } from './system/index.ts';

export interface SearchLimits {
  /** Stop after so many distinct states. Default: no limit. */
  readonly maxStates?: number;
  /** Stop after so long. Default: no limit. */
  readonly maxSeconds?: number;
  /** Stops the exploration; what is known so far is reported. */
  readonly signal?: AbortSignal;
  /** Called about ten times a second. */
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  /** States that are waiting to be expanded. */
  readonly frontier: number;
  readonly seconds: number;
}

/** The first state in which `watch` is judged to be `wanted`; without a watch, any state is. */
export interface Goal {
  readonly watch: Watch | null;
  readonly wanted: boolean;
  /** Only states in which nothing can happen count. */
  readonly deadlocksOnly: boolean;
}

/** What the search found. */
export interface Found {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  readonly seconds: number;
  readonly cut: number;
  /** Why the search ended early, or `null`. */
  readonly stopped: string | null;
  /** By goal: a shortest path to it, or `null`. */
  readonly paths: readonly (readonly PathStep[] | null)[];
}

/** Explores `model` breadth first, so that each path found is a shortest one, until every goal is reached. */
export async function breadthFirst(
  model: Model,
  goals: readonly Goal[],
  constraint: Watch | null,
  options: SearchLimits,
): Promise<Found> {
  const started = performance.now();
  const { width } = model;
  const states = new StateTable(width);
  const tables = new Tables(model);
  const judges = goals.map(({ watch }) => (watch === null ? null : judgeOf(watch, width)));
  const inside = constraint === null ? null : judgeOf(constraint, width);
  const reached: (number | null)[] = goals.map(() => null);
  let open = goals.length;
  const reach = (goal: number, state: number) => {
    if (reached[goal] !== null) return;
    reached[goal] = state;
    open--;
  };
  const state = new Int32Array(width);
  const after = new Int32Array(width);
  const visit = () => {
    for (const [index, { deadlocksOnly, wanted }] of goals.entries()) {
      if (deadlocksOnly || reached[index] !== null) continue;
      if (judges[index]!(after) === wanted) reach(index, states.size - 1);
    }
  };
  for (const initial of model.initial) {
    after.set(initial);
    if (states.add(after, -1, 0, 0)) visit();
  }
  let [transitions, cut, next, told] = [0, 0, 0, started];
  let stopped: string | null = null;
  for (; next < states.size && stopped === null && open > 0; next++) {
    if ((next & 1023) === 0) {
      const now = performance.now();
      const seconds = (now - started) / 1000;
      if (options.signal?.aborted) stopped = 'it was interrupted';
      else if (seconds > (options.maxSeconds ?? Number.POSITIVE_INFINITY)) {
        stopped = `the limit of ${options.maxSeconds} seconds was reached`;
      }
      if (now - told > 100) {
        told = now;
        const depth = states.depth(next);
        options.onProgress?.({
          states: states.size,
          transitions,
          depth,
          frontier: states.size - next,
          seconds,
        });
        await new Promise(setImmediate);
      }
    }
    states.read(next, state);
    if (inside !== null && !inside(state)) {
      cut++;
      continue;
    }
    let enabled = 0;
    for (let cell = 0; cell < width; cell++) {
      const steps = tables.steps(cell, state[cell]!);
      for (let index = 0; index < steps.length; index++) {
        after.set(state);
        if (!tables.apply(after, cell, steps[index]!)) continue;
        enabled++;
        if (states.add(after, next, cell, index)) visit();
      }
    }
    transitions += enabled;
    if (enabled === 0) {
      for (const [index, { deadlocksOnly, wanted }] of goals.entries()) {
        if (deadlocksOnly && (judges[index]?.(state) ?? false) === wanted) reach(index, next);
      }
    }
    if (states.size > (options.maxStates ?? Number.POSITIVE_INFINITY)) {
      stopped = `the limit of ${options.maxStates} states was reached`;
    }
  }
  if (stopped === null && next < states.size) stopped = 'every property was settled before the end';
  return {
    states: states.size,
    transitions,
    depth: states.depth(states.size - 1),
    seconds: (performance.now() - started) / 1000,
    cut,
    stopped,
    paths: reached.map((index) => (index === null ? null : states.path(index))),
  };
}

/** Remembers every answer of the model. */
class Tables {
  readonly #model: Model;
  readonly #steps: (readonly Step[])[][];
  /** By cell, letter and local. */
  readonly #received: number[][][];

  constructor(model: Model) {
    this.#model = model;
    this.#steps = Array.from({ length: model.width }, () => []);
    this.#received = Array.from({ length: model.width }, () => []);
  }

  steps(cell: number, local: number): readonly Step[] {
    const known = this.#steps[cell]!;
    known[local] ??= this.#model.steps(cell, local);
    return known[local];
  }

  /** Changes `state`; false when a receiver blocks the step. */
  apply(state: Int32Array, cell: number, { to, sends }: Step): boolean {
    state[cell] = to;
    for (const { cell: target, letter } of sends) {
      const local = state[target]!;
      const byLetter = this.#received[target]!;
      byLetter[letter] ??= [];
      const known = byLetter[letter];
      known[local] ??= this.#model.receive(target, local, letter);
      if (known[local] === BLOCKED) return false;
      state[target] = known[local];
    }
    return true;
  }
}

function judgeOf(watch: Watch, width: number): (state: Int32Array) => boolean {
  const seen: number[][] = Array.from({ length: width }, () => []);
  if (watch.kind === 'tuple') {
    const observed = new Int32Array(width);
    return (state) => {
      for (let cell = 0; cell < width; cell++) {
        const known = seen[cell]!;
        known[state[cell]!] ??= watch.observe(cell, state[cell]!);
        observed[cell] = known[state[cell]!]!;
      }
      return watch.judge(observed);
    };
  }
  const judged = new Map<number, boolean>();
  return (state) => {
    let sum = 0;
    for (let cell = 0; cell < width; cell++) {
      const known = seen[cell]!;
      known[state[cell]!] ??= watch.weigh(cell, state[cell]!);
      sum = (sum + known[state[cell]!]!) >>> 0;
    }
    let holds = judged.get(sum);
    if (holds === undefined) {
      holds = watch.judge(sum);
      judged.set(sum, holds);
    }
    return holds;
  };
}

/** States in the order of discovery, each with the step that led there. */
class StateTable {
  readonly #width: number;
  #cells: Int32Array;
  #parents = new Int32Array(1024);
  #steps = new Int32Array(1024);
  #depths = new Int32Array(1024);
  #slots = new Int32Array(2048);
  size = 0;

  constructor(width: number) {
    this.#width = width;
    this.#cells = new Int32Array(1024 * width);
  }

  /** False when it is known. */
  add(state: Int32Array, parent: number, cell: number, step: number): boolean {
    const mask = this.#slots.length - 1;
    let slot = hash(state, 0, this.#width) & mask;
    for (; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      if (this.#equals(this.#slots[slot]! - 1, state)) return false;
    }
    const index = this.size++;
    this.#slots[slot] = index + 1;
    this.#cells.set(state, index * this.#width);
    this.#parents[index] = parent;
    this.#steps[index] = step * this.#width + cell;
    this.#depths[index] = parent < 0 ? 0 : this.#depths[parent]! + 1;
    if (this.size === this.#parents.length) this.#grow();
    return true;
  }

  read(index: number, into: Int32Array): void {
    for (let cell = 0; cell < this.#width; cell++) into[cell] = this.#cells[index * this.#width + cell]!;
  }

  depth(index: number): number {
    return this.#depths[index]!;
  }

  path(index: number): readonly PathStep[] {
    const path: PathStep[] = [];
    for (let at = index; this.#parents[at]! >= 0; at = this.#parents[at]!) {
      const step = this.#steps[at]!;
      path.push({ cell: step % this.#width, step: Math.floor(step / this.#width) });
    }
    return path.reverse();
  }

  #equals(index: number, state: Int32Array): boolean {
    for (let cell = 0, at = index * this.#width; cell < this.#width; cell++, at++) {
      if (this.#cells[at] !== state[cell]) return false;
    }
    return true;
  }

  #grow(): void {
    const wider = (array: Int32Array) => {
      const longer = new Int32Array(array.length * 2);
      longer.set(array);
      return longer;
    };
    this.#cells = wider(this.#cells);
    this.#parents = wider(this.#parents);
    this.#steps = wider(this.#steps);
    this.#depths = wider(this.#depths);
    this.#slots = new Int32Array(this.#slots.length * 2);
    const mask = this.#slots.length - 1;
    for (let index = 0; index < this.size; index++) {
      let slot = hash(this.#cells, index * this.#width, this.#width) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = index + 1;
    }
  }
}

function hash(cells: Int32Array, from: number, width: number): number {
  let mixed = 0;
  for (let at = from; at < from + width; at++) {
    mixed = Math.imul(mixed ^ cells[at]!, 0x9e3779b1);
    mixed ^= mixed >>> 15;
  }
  return mixed >>> 1;
}
