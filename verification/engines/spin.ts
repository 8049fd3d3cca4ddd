import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Judged } from '../check/report.ts';
import { askedOfSpin, type Promela, promela } from '../export/promela/promela.ts';
import { type Question, type Questions, questionsOf } from '../export/questions.ts';
import { type Table, tabulate } from '../export/table.ts';
import { evaluate, traceOf } from '../system/index.ts';
import type { Property, System, Trace } from '../system/system.ts';
import {
  cutText,
  EngineError,
  type EngineOptions,
  type EngineReport,
  type Matches,
  predicateOf,
  sameAction,
  taken,
} from './engine.ts';

import { EngineKilled, ran } from './program.ts';

/**
 * Checks a system with SPIN: its table is written in Promela, SPIN and a C compiler make a verifier of it, and the verifier
 * explores it on its own. A counterexample is looked for breadth first, so that it is a shortest one, and taken again through the
 * statecharts. Throws `EngineError`, and `ExportError` for a system that cannot be exported. A property that cannot be is
 * `incomplete`. With `swarm`, a property that no search violates is `incomplete` too, `states` are those of the largest search,
 * and a counterexample need not be a shortest one.
 */
export async function spin(system: System, options: EngineOptions = {}): Promise<EngineReport> {
  const started = performance.now();
  const table = await tabulate(system, options.signal === undefined ? {} : { signal: options.signal });
  const questions = askedOfSpin(await questionsOf(table, options.signal));
  const folder = await mkdtemp(join(tmpdir(), 'baton-spin-'));
  try {
    return await new Verifier(table, questions, folder, options).report(started);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The result of one run of a verifier. */
export interface SpinAnswer {
  readonly states: number;
  readonly transitions: number;
  /** Depth of its depth-first search. */
  readonly depth: number;
  readonly memoryBytes: number;
  readonly seconds: number;
  readonly errors: number;
  /** Number of states outside the constraint. */
  readonly cut: number;
  /** Why the search was not exhaustive; `null` when it was. */
  readonly incomplete: string | null;
  /** `broken NAME`, `reached NAME`, `missing`. */
  readonly told: ReadonlySet<string>;
}

class Verifier {
  readonly #table: Table;
  readonly #questions: Questions;
  readonly #written: Promela;
  readonly #folder: string;
  readonly #options: EngineOptions;
  readonly #built = new Map<Build, Promise<string>>();
  /** The first search of the swarm that told something, by what it told. */
  readonly #finders = new Map<string, number>();

  constructor(table: Table, questions: Questions, folder: string, options: EngineOptions) {
    this.#table = table;
    this.#questions = questions;
    this.#written = promela(table, questions);
    this.#folder = folder;
    this.#options = options;
  }

  async report(started: number): Promise<EngineReport> {
    const { system, compiled, actors } = this.#table;
    await writeFile(join(this.#folder, 'system.pml'), this.#written.text);
    const how = ['-E', '-c0'];
    const said =
      this.#options.swarm === undefined
        ? parseSpin(await this.#run(await this.#build('states'), [...how, ...this.#size()]))
        : this.#merged(await this.#swarm('states', how));
    if (said.told.has('missing')) {
      throw new EngineError(
        'ENGINE_DISAGREES',
        `SPIN reaches a step of '${system.name}' that Baton's exploration did not: the table is not complete.`,
      );
    }
    const results = new Map<Property, Judged>();
    for (const { property, reason } of this.#questions.refused) {
      results.set(property, { name: property.name, kind: property.kind, verdict: 'incomplete', reason });
    }
    for (const [index, question] of this.#questions.asked.entries()) {
      results.set(question.property, await this.#judged(question, index, said));
    }
    return {
      engine: (await this.#run('spin', ['-V'])).trim(),
      system: system.name,
      sites: actors.length,
      network: system.network.order,
      states: said.states,
      transitions: said.transitions,
      depth: said.depth,
      seconds: (performance.now() - started) / 1000,
      statesPerSecond: said.states / said.seconds,
      bytesPerState: said.memoryBytes / said.states,
      peakMemoryBytes: said.memoryBytes,
      workers: this.#options.swarm?.searches ?? 1,
      complete: said.incomplete === null && said.cut === 0,
      ...(said.incomplete === null ? cutText(said.cut) : { incomplete: said.incomplete }),
      cut: said.cut,
      properties: this.#questions.all.map((property) => results.get(property)!),
      notRun: compiled.notRun(),
      untaken: compiled.untaken(),
      absent: [],
      coverage: compiled.coverage(),
    };
  }

  async #judged(question: Question, index: number, said: SpinAnswer): Promise<Judged> {
    const { property, name } = question;
    const told = { name: property.name, kind: property.kind };
    const within = said.cut > 0 ? ({ ...told, verdict: 'holds within the constraint' } as const) : null;
    const reason =
      said.incomplete ?? (question.kind === 'reachable' ? cutText(said.cut).incomplete : undefined);
    const open = reason === undefined ? within : ({ ...told, verdict: 'incomplete', reason } as const);
    const isBroken = said.told.has(`broken ${name}`);
    switch (question.kind) {
      case 'always':
        if (!isBroken && this.#first(property, false) === undefined)
          return open ?? { ...told, verdict: 'holds' };
        return {
          ...told,
          verdict: 'violated',
          reason: 'SPIN reaches a state in which it does not hold',
          trace: await this.#shortest(property, index),
        };
      case 'reachable':
        if (said.told.has(`reached ${name}`) || this.#first(property, true) !== undefined)
          return { ...told, verdict: 'holds' };
        return open ?? { ...told, verdict: 'violated', reason: 'no reachable state is like that' };
      case 'deadlockFree':
        if (!isBroken) return open ?? { ...told, verdict: 'holds' };
        return {
          ...told,
          verdict: 'violated',
          reason: 'nothing can happen any more',
          trace: await this.#shortest(property, index),
        };
      case 'leadsTo':
      case 'eventually':
      case 'ltl':
        return this.#judgedRun(question);
    }
  }

  /** An initial state in which the predicate of the property is so. No step leads there, so SPIN, which judges after steps, is not asked. */
  #first(property: Property, is: boolean): readonly number[] | undefined {
    const { model, decode } = this.#table.compiled;
    return model.initial.find((state) => evaluate(predicateOf(property)!, decode(state)) === is);
  }

  async #shortest(property: Property, index: number): Promise<Trace> {
    const { compiled } = this.#table;
    const first = property.kind === 'always' ? this.#first(property, false) : undefined;
    if (first !== undefined) return traceOf(compiled, [], undefined, first);
    const env = { BATON_STOP: String(index) };
    const seed = this.#finders.get(`broken ${this.#questions.asked[index]!.name}`);
    if (seed !== undefined) {
      await this.#searched('states', ['-E'], seed, env);
      return taken(compiled, property, this.#trail(await this.#replayed('states', ['-E'], seed, env)).steps);
    }
    await this.#run(await this.#build('breadth'), ['-E', ...this.#size()], env);
    const output = await this.#run(await this.#build('states'), ['-r', '-E'], env);
    return taken(compiled, property, this.#trail(output).steps);
  }

  /** A property of runs, under weak fairness of the processes. */
  async #judgedRun({ property, name }: Question): Promise<Judged> {
    const told = { name: property.name, kind: property.kind };
    const how = ['-a', '-f', '-N', `${name}_`];
    if (this.#options.swarm !== undefined) {
      const searches = await this.#swarm('runs', how);
      const found = [...searches].find(([, { errors }]) => errors > 0);
      if (found === undefined)
        return { ...told, verdict: 'incomplete', reason: notExhaustive(searches.size) };
      return this.#refuted(property, await this.#replayed('runs', how, found[0]));
    }
    const pan = await this.#build('runs');
    // Each state is visited once for each process whose step fairness still requires.
    const said = parseSpin(await this.#run(pan, [...how, ...this.#size(100)]));
    if (said.errors === 0) {
      if (said.incomplete === null) return { ...told, verdict: 'holds' };
      return { ...told, verdict: 'incomplete', reason: said.incomplete };
    }
    return this.#refuted(property, await this.#run(pan, ['-r', ...how]));
  }

  #refuted(property: Property, output: string): Judged {
    const { steps, loop = steps.length } = this.#trail(output);
    const trace = taken(this.#table.compiled, property, steps, loop);
    const { name, kind } = property;
    return {
      name,
      kind,
      verdict: 'violated',
      reason: 'SPIN finds a fair run on which it does not hold',
      trace,
    };
  }

  // Swarms.

  /** The answers of all searches by seed, as many at once as there are processors. */
  async #swarm(kind: Build, how: readonly string[]): Promise<ReadonlyMap<number, SpinAnswer>> {
    const { searches, firstSeed = 1 } = this.#options.swarm!;
    await this.#build(kind);
    const seeds = Array.from({ length: searches }, (_, index) => firstSeed + index);
    const rest = [...seeds];
    const answers = new Map<number, SpinAnswer>();
    const work = async () => {
      for (let seed = rest.shift(); seed !== undefined; seed = rest.shift())
        answers.set(seed, parseSpin(await this.#searched(kind, how, seed)));
    };
    await Promise.all(Array.from({ length: Math.min(searches, availableParallelism()) }, work));
    return new Map(seeds.map((seed) => [seed, answers.get(seed)!]));
  }

  #merged(searches: ReadonlyMap<number, SpinAnswer>): SpinAnswer {
    for (const [seed, { told }] of searches)
      for (const what of told) if (!this.#finders.has(what)) this.#finders.set(what, seed);
    const all = [...searches.values()];
    const largest = all.reduce((most, one) => (one.states > most.states ? one : most));
    return {
      ...largest,
      memoryBytes: all.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
      incomplete: notExhaustive(searches.size),
      told: new Set(this.#finders.keys()),
    };
  }

  /**
   * One search. The seed alone decides its hashes and, in a search for states, the order of processes; SPIN's fairness misses
   * lassos if that order is random. A search whose process is killed is made again, once, and finds the same.
   */
  async #searched(
    kind: Build,
    how: readonly string[],
    seed: number,
    env: NodeJS.ProcessEnv = {},
  ): Promise<string> {
    const pan = await this.#build(kind);
    const folder = join(this.#folder, `search-${seed}`);
    await mkdir(folder, { recursive: true });
    const bits = Math.min(33, Math.max(20, Math.ceil(Math.log2(this.#table.states)) + 6));
    const depth = Math.min(10_000_000, this.#table.states * 100);
    const args = [...how, `-RS${seed}`, `-h${seed % 400}`, `-w${bits}`, `-m${depth}`];
    const onStart = (pid: number) => this.#options.swarm!.onSearch?.(seed, pid);
    try {
      return await this.#run(pan, args, env, folder, onStart);
    } catch (error) {
      if (!(error instanceof EngineKilled)) throw error;
      return this.#run(pan, args, env, folder, onStart);
    }
  }

  /** The trail that a search of the swarm has left. */
  async #replayed(
    kind: Build,
    how: readonly string[],
    seed: number,
    env: NodeJS.ProcessEnv = {},
  ): Promise<string> {
    const folder = join(this.#folder, `search-${seed}`);
    return this.#run(await this.#build(kind), ['-r', ...how], env, folder);
  }

  /** The steps that a replayed trail reports; those after `loop` come again and again. */
  #trail(output: string): { readonly steps: readonly Matches[]; readonly loop?: number } {
    const steps: Matches[] = [];
    let loop: number | undefined;
    for (const line of output.split('\n')) {
      const [, number, value] = /BATON step (\d+) (-?\d+)/.exec(line) ?? [];
      if (number !== undefined) steps.push(this.#matching(Number(number), Number(value)));
      else if (line.includes('START OF CYCLE')) loop = steps.length;
    }
    return loop === undefined ? { steps } : { steps, loop };
  }

  #matching(number: number, value: number): Matches {
    const step = this.#written.steps[number]!;
    if ('action' in step) return (action) => sameAction(action, step.action);
    const { target, source } = this.#table.links[step.link]!;
    const { ids } = this.#table.compiled.world;
    const about = { actor: ids[target]!, source: source === null ? null : ids[source]! };
    const { kind } = step;
    if (kind === 'break') {
      return (action) =>
        action.kind === 'break' &&
        action.actor === about.actor &&
        action.source === about.source &&
        action.lost === value;
    }
    const { message } = this.#table.messages[value]!;
    return (action) => sameAction(action, { kind, ...about, message });
  }

  // Programs.

  /** Room for a search through all states, each counted so often. */
  #size(times = 1): string[] {
    const states = this.#table.states * times;
    const slots = Math.min(28, Math.max(16, Math.ceil(Math.log2(states)) + 1));
    return [`-m${Math.min(50_000_000, states + 1_000)}`, `-w${slots}`];
  }

  #build(kind: Build): Promise<string> {
    const known = this.#built.get(kind) ?? this.#compiled(kind);
    this.#built.set(kind, known);
    return known;
  }

  async #compiled(kind: Build): Promise<string> {
    await this.#run('spin', [...(kind === 'runs' ? ['-DRUNS'] : []), '-a', 'system.pml']);
    const flags = { states: ['-DSAFETY'], breadth: ['-DSAFETY', '-DBFS'], runs: ['-DNFAIR=16'] }[kind];
    const optimized = this.#table.states > fewStates && this.#written.text.length < longText ? '-O2' : '-O0';
    const hashed =
      this.#options.swarm === undefined
        ? []
        : { states: ['-DBITSTATE', '-DP_RAND'], breadth: [], runs: ['-DBITSTATE'] }[kind];
    const all = [optimized, '-w', '-DNOREDUCE', '-DMEMLIM=8000', ...flags, ...hashed];
    await this.#run('gcc', [...all, '-o', kind, 'pan.c']);
    return join(this.#folder, kind);
  }

  async #run(
    file: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
    folder = this.#folder,
    onStart: (pid: number) => void = () => {},
  ): Promise<string> {
    const { said, status } = await ran(file, args, {
      ...this.#options,
      engine: 'SPIN',
      folder,
      env,
      onStart,
      progress: /^Depth=/,
      missing: `SPIN needs ${file} on the PATH. Debian: apt install spin gcc.`,
    });
    if (status !== 0 && /^(gcc|spin)$/.test(file))
      throw new EngineError('ENGINE_FAILED', `${file} ended with ${status}: ${said.slice(-500)}`);
    return said;
  }
}

const notExhaustive = (searches: number) =>
  `${searches} searches of a swarm found no violation, and none is exhaustive`;

/*
 * A compiler takes seconds to optimize the code of a small table, and minutes that of a large one. Without, 20,000 states a second
 * are visited all the same: only many states in a short text make up for it.
 */
const fewStates = 10_000;
const longText = 150_000;

/** Verifiers: of states, depth first; the same breadth first, for shortest trails; of runs. */
type Build = 'states' | 'breadth' | 'runs';

/**
 * Reads the output of a verifier of SPIN. SPIN also counts the step into the initial state, each step of the watchers of deadlocks and of
 * the constraint, and where a step chooses the initial state, the state before and each of these steps.
 */
export function parseSpin(output: string): SpinAnswer {
  const number = (pattern: RegExp) => {
    const found = pattern.exec(output)?.[1];
    if (found !== undefined) return Number(found);
    throw new EngineError(
      'ENGINE_FAILED',
      `Expected ${pattern} in SPIN's output, and got: ${output.slice(-500)}`,
    );
  };
  const told = [...output.matchAll(/^BATON (broken \w+|reached \w+|missing)$/gm)].map(([, what]) => what!);
  const last = (what: string) =>
    Number([...output.matchAll(new RegExp(`^BATON ${what} (\\d+)$`, 'gm'))].at(-1)?.[1] ?? 0);
  const [deadlocks, cut] = [last('deadlocks'), last('outside')];
  const starts = [...output.matchAll(/^BATON begins$/gm)].length;
  const stored = number(/([0-9.e+]+) states, stored/);
  const isTooDeep = output.includes('max search depth too small');
  const isTooLarge = /out of memory|reached -DMEMLIM bound/.test(output);
  return {
    states: stored - Math.min(1, starts),
    transitions: stored + number(/([0-9.e+]+) states, matched/) - 1 - starts - deadlocks - cut,
    depth: number(/depth reached (\d+)/),
    memoryBytes: number(/([0-9.]+)\s+total actual memory usage/) * 2 ** 20,
    // Its clock ticks a hundred times a second, and it says nothing of less.
    seconds: Math.max(0.01, Number(/elapsed time ([0-9.e+]+) seconds/.exec(output)?.[1] ?? 0)),
    errors: number(/errors: (\d+)/),
    cut,
    incomplete: isTooDeep
      ? "SPIN's search was deeper than its stack"
      : isTooLarge
        ? "SPIN's memory was used up"
        : null,
    told: new Set(told),
  };
}
