import type { Model } from '../model.ts';
import { Core } from './core.ts';
import { expandSpilled, mergeSpilled, startSpilling } from './disk.ts';
import { judgeUnexpanded } from './frontier.ts';
import { omissionProbability } from './hashing.ts';
import { area, regions } from './memory.ts';
import { Monitor } from './monitor.ts';
import { ancestors, keepLevel, type Recording } from './recording.ts';
import { makeRoom, moveStates } from './repack.ts';
import { Results } from './results.ts';
import { resume, save } from './saving.ts';
import { SearchError, type SearchOptions, type SearchResult, type StopReason } from './types.ts';
import { WorkerPool } from './worker-pool.ts';

/** One search, level by level. */
export class Engine {
  private readonly core: Core;
  private readonly monitor: Monitor;
  private readonly results: Results;
  private readonly recording: Recording | null;
  /** The other threads. `null` if there are none. */
  private coming: WorkerPool | null = null;
  /** Length of the journal's prefix that the other threads have replayed. */
  private followed = 0;
  private lastSavedMs = 0;

  constructor(model: Model, options: SearchOptions, recording: Recording | null = null) {
    const { predicates = [], workers = 1, source, constraint, symmetry } = options;
    if (workers > 1 && !source && (predicates.length > 0 || constraint || symmetry)) {
      throw new SearchError(
        'WORKERS_NEED_SOURCE',
        `${workers} workers must judge states, and find no code to do so: give options.source, or one worker`,
      );
    }
    this.core = new Core(model, options);
    this.monitor = new Monitor(this.core);
    this.results = new Results(this.core);
    this.recording = recording;
  }

  async run(): Promise<SearchResult> {
    const { core } = this;
    const { resumeDir, source = null } = core.options;
    try {
      if (core.workers > 1) {
        const { memory, words } = core.arena;
        this.coming = new WorkerPool(core.workers - 1, memory, words, core.model.width, source);
        if (core.options.awaitWorkers) await this.coming.arrival;
      }
      if (resumeDir === undefined) await this.begin();
      else await resume(core, this.monitor, this.results, resumeDir);
      return this.result(await this.explore());
    } finally {
      await this.coming?.dismiss();
      core.spill?.remove();
    }
  }

  /**
   * Yields, for every level of a finished recording, last first, its states on a shortest path to `target`.
   */
  ancestors(target: readonly number[]): Generator<readonly (readonly number[])[]> {
    return ancestors(this.core, this.recording!, target);
  }

  private async begin(): Promise<void> {
    const { core } = this;
    const { arena, explorer, tables } = core;
    const { chunks } = explorer;
    await core.takeUp(core.plan);
    arena.reset(core.plan);
    const [at, form] = [chunks.take(), (regions.workers + area.after) >> 2];
    for (const state of core.model.initial) {
      arena.words.set(state, form);
      // A canonical form may first need answers from the model, and the answers may need room.
      while (tables.symmetric && core.judge.canonicalize() === 0) {
        this.results.add(core.judge.report());
        await this.askModel();
        arena.words.set(state, form);
      }
      const { width, stateBytes } = core.plan;
      arena.words.copyWithin(at >> 2, form, form + width);
      const packed = at + 4 * width;
      explorer.kernel.pack(at, packed, packed);
      explorer.kernel.add(packed, packed + stateBytes);
    }
    explorer.finish();
    chunks.push('free', at, 0);
  }

  private async explore(): Promise<StopReason | null> {
    const { core, monitor } = this;
    const { checkpointDir, checkpointEveryMs = 60_000, stopAtFirst } = core.options;
    while (core.hasNext()) {
      core.explorer.chunks.move('next', 'frontier');
      core.spill?.move('next', 'frontier');
      monitor.levels.push(core.frontier());
      monitor.violated = this.results.violated();
      if (this.recording !== null) keepLevel(core, this.recording);
      const reason = await this.level();
      if (reason !== null) {
        if (judgeUnexpanded(core, this.results, monitor.depth)) monitor.depth++;
        return reason;
      }
      const broke = this.results.conclude(monitor.depth);
      if (!core.hasNext()) break;
      monitor.depth++;
      if (broke && stopAtFirst) return 'stop-at-first';
      if (monitor.depth === this.recording?.depth) return null;
      // With enough states, a key's place holds enough of it for one-word keys.
      if (core.spill === null && core.plan.restBytes > 0 && core.nextPlan().restBytes === 0) {
        await moveStates(core);
      }
      if (checkpointDir === undefined) continue;
      if (monitor.elapsedMs - this.lastSavedMs < checkpointEveryMs) continue;
      save(core, monitor, this.results, checkpointDir);
      this.lastSavedMs = monitor.elapsedMs;
    }
    return this.results.cut > 0 ? 'constraint' : null;
  }

  /** Expands one level completely. A state with an unknown step waits until the model has been asked. */
  private async level(): Promise<StopReason | null> {
    const { core } = this;
    const { chunks } = core.explorer;
    for (;;) {
      const reason = await this.round();
      if (reason !== null) return reason;
      if (core.spill !== null) mergeSpilled(core, core.spill);
      await this.askModel();
      if (chunks.peek('deferred').length === 0) return null;
      chunks.move('deferred', 'frontier');
    }
  }

  /** All threads expand chunks of the frontier until none is left. */
  private async round(): Promise<StopReason | null> {
    const { core, monitor } = this;
    for (;;) {
      const reason =
        core.spill === null
          ? await this.expandAll()
          : await expandSpilled(core, core.spill, () => monitor.pause());
      core.explorer.finish();
      this.results.add(core.judge.report());
      monitor.measure();
      if (reason !== 'max-memory' || core.options.spillDir === undefined) return reason;
      await startSpilling(core, core.options.spillDir);
    }
  }

  private async expandAll(): Promise<StopReason | null> {
    const { core, monitor } = this;
    await this.welcome();
    const { crew, explorer, judge } = core;
    const alone = crew === null || explorer.chunks.peek('frontier').length === 1;
    if (!alone) {
      const { decided, deadlockDecided } = judge;
      crew.order({ kind: 'work', journal: this.news(), decided, deadlockDecided });
    }
    let reason: StopReason | null = null;
    for (const _ of explorer.work()) {
      reason = await monitor.pause();
      if (reason !== null) break;
    }
    if (reason !== null) core.stopThreads();
    explorer.finish();
    if (alone) return reason;
    const findings = await crew.settle(async () => {
      reason ??= await monitor.pause();
      if (reason !== null) core.stopThreads();
    });
    this.results.add(...findings);
    return reason;
  }

  /** Lets the other threads join as soon as they have started. */
  private async welcome(): Promise<void> {
    const { core, coming } = this;
    if (coming === null || core.crew !== null) return;
    if (coming.failure !== null) throw coming.failure;
    if (!coming.arrived) return;
    core.crew = coming;
    await core.takeUp(core.plan);
  }

  /**
   * The part of the journal that the other threads have yet to replay, so that their numbers mean the same.
   */
  private news(): Int32Array | null {
    const { follow, tables } = this.core;
    if (!follow) return null;
    const news = tables.journal.slice(this.followed);
    this.followed = tables.journal.length;
    return news;
  }

  /**
   * Asks the model the questions that the kernels could not answer from the tables. The questions are sorted,
   * so that numbers do not depend on the thread that asked.
   */
  private async askModel(): Promise<void> {
    const { tables, explorer } = this.core;
    const questions: (readonly number[])[] = [];
    for (const { address, bytes } of explorer.chunks.drain('queries')) {
      for (let at = address >> 2; at < (address + bytes) >> 2; at += 3) {
        const [process, local, receptions] = this.core.arena.words.subarray(at, at + 3) as unknown as [
          number,
          number,
          number,
        ];
        questions.push([process, local, tables.messageAt(receptions)]);
      }
      explorer.chunks.push('free', address, 0);
    }
    for (const [process, local, message] of distinct(questions)) tables.resolve(process!, local!, message!);
    tables.forgetRenamings();
    for (const [process, local, ...to] of distinct(this.results.takeRenamings())) {
      tables.rename(process!, local!, to);
    }
    await makeRoom(this.core);
  }

  private result(reason: StopReason | null): SearchResult {
    const { core, monitor, results } = this;
    const [states, { elapsedMs }] = [core.arena.states(), monitor];
    monitor.measure();
    const { found, deadlock, deadlocks, cut, represented } = results;
    return {
      states,
      transitions: monitor.transitions(),
      depth: monitor.depth,
      ...{ found, deadlock, deadlocks, cut },
      omissionProbability: core.plan.hashBits === null ? 0 : omissionProbability(states, core.plan.hashBits),
      representedStates: BigInt(core.tables.symmetric ? represented : states),
      complete: reason === null,
      reason,
      locals: [...core.tables.known],
      workers: core.workers,
      elapsedMs,
      statesPerSecond: (states / elapsedMs) * 1000,
      peakMemoryBytes: monitor.peakBytes,
      bytesPerState: monitor.peakBytes / states,
    };
  }
}

/** Tuples of one length, in ascending order, without duplicates. */
function distinct(tuples: Iterable<readonly number[]>): (readonly number[])[] {
  const sorted = [...tuples].sort((a, b) => a[firstDifference(a, b)]! - b[firstDifference(a, b)]!);
  return sorted.filter((tuple, i) => i === 0 || firstDifference(tuple, sorted[i - 1]!) < tuple.length);
}

function firstDifference(a: readonly number[], b: readonly number[]): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return at;
}
