import { Memo } from '../checker/memo.ts';
import type { Model } from '../checker/model.ts';
import { SearchError } from '../checker/packed/index.ts';
import { PropertyMonitor } from '../checker/property-monitor.ts';
import { type Compiled, compile, type PathStep, traceOf } from '../system/index.ts';
import { refuseMisshapen } from '../system/shape.ts';
import type { Property, System } from '../system/system.ts';
import { secondsSince } from './limits.ts';
import {
  isOfRuns,
  noFault,
  onlyAsked,
  questions,
  refuseOutside,
  type StateProperty,
  stateProperties,
} from './questions.ts';
import type { Judged, Progress, Report } from './report.ts';
import { withRootCause } from './root-cause.ts';
import { seeded } from './seeded.ts';
import type { SystemSource } from './source.ts';
import { swarm } from './swarm.ts';
import { reasonOf } from './traces.ts';

/** Number and length of random runs. */
export interface SimulateOptions {
  /** Number of runs. Default: 1,000. */
  readonly seeds?: number;
  /** Seed of the first run; each further run adds one. Default: 1. */
  readonly firstSeed?: number;
  /** Maximum number of steps of a run. Default: 200. */
  readonly depth?: number;
  /** The names of the properties to judge, beside `no machine fails`. Default: all. */
  readonly only?: readonly string[];
  /** Time limit in seconds. Default: none. */
  readonly maxSeconds?: number;
  /** Threads that share the runs. Default: 1. More need `source`. */
  readonly workers?: number;
  /** Where another thread finds the system again. */
  readonly source?: SystemSource;
  readonly signal?: AbortSignal;
  /** Called a few times a second. */
  readonly onProgress?: (progress: Progress) => void;
}

/**
 * Runs a system at random, if it is too large for an exploration, and judges its properties of states on the
 * way. A run prefers some actions to others, by chance, so that runs differ in kind (G. Holzmann et al.,
 * "Swarm verification techniques", 2011). A violation is shrunk by leaving out steps that it does not need.
 * Without an exploration nothing `holds`: a property that no run broke is `incomplete`.
 */
export async function simulate(given: System, options: SimulateOptions = {}): Promise<Report> {
  refuseMisshapen(given);
  const { workers = 1, source, ...each } = options;
  if (workers > 1) {
    if (source === undefined)
      throw new SearchError(
        'WORKERS_NEED_SOURCE',
        'Expected a `source` for more than one worker: say where threads find the system.',
      );
    onlyAsked(given, each.only);
    compile(given, { symmetry: false });
    return swarm(source, workers, each);
  }
  const started = performance.now();
  const { seeds = 1_000, firstSeed = 1, depth = 200, signal, maxSeconds = Infinity, onProgress } = options;
  const system = onlyAsked(given, options.only);
  const compiled = compile(system, { symmetry: false });
  refuseOutside(compiled);
  const walker = new Walker(compiled);
  let [runs, steps, farthest, toldAt] = [0, 0, 0, started];
  for (; runs < seeds && !walker.isSettled; runs++) {
    if (signal?.aborted || secondsSince(started) > maxSeconds) break;
    const length = walker.run(seeded(firstSeed + runs), depth);
    steps += length;
    farthest = Math.max(farthest, length);
    if (performance.now() - toldAt < 250) continue;
    toldAt = performance.now();
    const seconds = secondsSince(started);
    onProgress?.({
      ...{ property: null, states: steps, transitions: steps, depth: farthest, frontier: seeds - runs },
      ...{ seconds, statesPerSecond: steps / seconds, memoryBytes: process.memoryUsage().heapUsed },
    });
    await new Promise(setImmediate);
  }
  const why = `${runs} runs at random, of at most ${depth} steps, see some states only`;
  const judged = [noFault, ...system.properties].map((property) => walker.judged(property, why));
  const seconds = secondsSince(started);
  return {
    system: system.name,
    sites: Object.keys(system.actors).length,
    network: system.network.order,
    ...{ states: steps, transitions: steps, depth: farthest, seconds, statesPerSecond: steps / seconds },
    ...{ bytesPerState: 0, peakMemoryBytes: 0, workers: 1, complete: false, incomplete: why, cut: 0 },
    properties: withRootCause(compiled, judged),
    notRun: compiled.notRun(),
    untaken: compiled.untaken(),
    absent: [],
    coverage: compiled.coverage(),
  };
}

/** Takes runs, and keeps for each property of states the shortest path to its verdict. */
class Walker {
  readonly #compiled: Compiled;
  readonly #model: Model;
  readonly #memo: Memo;
  readonly #properties: readonly StateProperty[];
  readonly #holds: readonly ((state: Int32Array) => boolean)[];
  readonly #inside: (state: Int32Array) => boolean;
  readonly #paths = new Map<Property, Way>();

  constructor(compiled: Compiled) {
    this.#compiled = compiled;
    this.#model = compiled.model;
    this.#memo = new Memo(this.#model);
    this.#properties = stateProperties(compiled.system);
    const { predicates, constraint } = questions(compiled, { exact: true, symmetry: false });
    const evaluator = (predicate: (typeof predicates)[number]['predicate']) => {
      const evaluated = new PropertyMonitor(predicate, this.#model.width);
      return (state: Int32Array) => evaluated.holds(state, 0);
    };
    this.#holds = this.#properties.map((_, index) => evaluator(predicates[index]!.predicate));
    this.#inside = constraint === undefined ? () => true : evaluator(constraint);
  }

  /** Reports whether further runs can change no verdict. */
  get isSettled(): boolean {
    return this.#paths.size === this.#properties.length;
  }

  /** Takes one run and returns its number of steps. */
  run(random: () => number, depth: number): number {
    const { initial } = this.#model;
    const start = initial.length === 1 ? 0 : Math.floor(random() * initial.length);
    const state = Int32Array.from(initial[start]!);
    const path: number[] = [];
    const weights = new Map<number, number>();
    for (;;) {
      const enabled = this.#enabled(state);
      const stuck = enabled.every(({ after }) => after.every((local, process) => local === state[process]));
      this.#settle(state, stuck, start, path);
      if (path.length === depth || enabled.length === 0 || !this.#inside(state)) return path.length;
      const chosen = this.#choose(enabled, weights, random);
      state.set(chosen.after);
      path.push(chosen.step);
    }
  }

  /** Chooses an action. Each action is likely in some runs and rare in others. */
  #choose(enabled: readonly Enabled[], weights: Map<number, number>, random: () => number): Enabled {
    const weightOf = ({ step }: Enabled): number => {
      const action = this.#memo.action[step]!;
      const weight = weights.get(action) ?? (random() < 0.25 ? 0.05 : 1);
      weights.set(action, weight);
      return weight;
    };
    const each = enabled.map(weightOf);
    let left = random() * each.reduce((sum, weight) => sum + weight, 0);
    for (const [index, one] of enabled.entries()) {
      left -= each[index]!;
      if (left <= 0) return one;
    }
    return enabled.at(-1)!;
  }

  #enabled(state: Int32Array): Enabled[] {
    const found: Enabled[] = [];
    for (let process = 0; process < state.length; process++) {
      const first = this.#memo.first(process, state[process]!);
      for (let step = first; step < first + this.#memo.count(process, state[process]!); step++) {
        const after = Int32Array.from(state);
        if (this.#memo.apply(step, after)) found.push({ step, after });
      }
    }
    return found;
  }

  #settle(state: Int32Array, stuck: boolean, start: number, path: readonly number[]): void {
    for (const [index, property] of this.#properties.entries()) {
      const known = this.#paths.get(property);
      if (known !== undefined && known.path.length <= path.length) continue;
      if (this.#settles(index, state, stuck)) this.#paths.set(property, { start, path: [...path] });
    }
  }

  #settles(index: number, state: Int32Array, stuck: boolean): boolean {
    const { kind } = this.#properties[index]!;
    if (kind === 'deadlockFree' && !stuck) return false;
    return this.#holds[index]!(state) === (kind === 'reachable');
  }

  judged(property: Property, why: string): Judged {
    const { name, kind } = property;
    const found = isOfRuns(property) ? undefined : this.#paths.get(property);
    if (found === undefined) return { name, kind, verdict: 'incomplete', reason: why };
    const { start } = found;
    const { path, state } = this.#walked(this.#shrunk(property as StateProperty, found), start)!;
    const trace = traceOf(this.#compiled, path, undefined, this.#model.initial[start]);
    if (kind === 'reachable') return { name, kind, verdict: 'holds', trace };
    const reason = reasonOf(this.#compiled, property as StateProperty, [...state], path.length);
    return { name, kind, verdict: 'violated', trace, reason };
  }

  /**
   * Returns `path` without unneeded actions: first it leaves out halves, then smaller parts, finally single
   * actions.
   */
  #shrunk(property: StateProperty, { start, path }: Way): readonly Taken[] {
    let taken: readonly Taken[] = path.map((step) => this.#taken(step));
    for (let size = Math.ceil(taken.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let at = 0; at < taken.length; ) {
        const without = [...taken.slice(0, at), ...taken.slice(at + size)];
        if (this.#settledBy(property, without, start)) taken = without;
        else at += size;
      }
    }
    return taken;
  }

  #settledBy(property: StateProperty, taken: readonly Taken[], start: number): boolean {
    const walked = this.#walked(taken, start);
    if (walked === null) return false;
    const { state } = walked;
    const stuck = this.#enabled(state).every(({ after }) =>
      after.every((local, process) => local === state[process]),
    );
    return this.#settles(this.#properties.indexOf(property), state, stuck);
  }

  #taken(step: number): Taken {
    return { process: this.#memo.process[step]!, action: this.#memo.action[step]! };
  }

  /** Takes the actions one after the other from an initial state. Returns `null` if one cannot be taken. */
  #walked(
    taken: readonly Taken[],
    start: number,
  ): { readonly path: readonly PathStep[]; readonly state: Int32Array } | null {
    const state = Int32Array.from(this.#model.initial[start]!);
    const path: PathStep[] = [];
    for (const { process, action } of taken) {
      const next = this.#enabled(state).find(
        ({ step }) => this.#memo.process[step] === process && this.#memo.action[step] === action,
      );
      if (next === undefined) return null;
      path.push({ process, step: this.#memo.index[next.step]! });
      state.set(next.after);
    }
    return { path, state };
  }
}

/** A run: its initial state, and its steps by their numbers in the memo. */
interface Way {
  readonly start: number;
  readonly path: readonly number[];
}

interface Enabled {
  /** The number of the step in the memo. */
  readonly step: number;
  readonly after: Int32Array;
}

interface Taken {
  readonly process: number;
  readonly action: number;
}
