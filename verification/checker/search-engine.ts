import type { Model } from './model.ts';
import { Explorer } from './search-explorer.ts';
import { Judge, noFindings, smaller, type Watched, watched } from './search-judge.ts';
import {
  area,
  chunkBytes,
  control,
  memoryPages,
  type Plan,
  partitions,
  partitionWindow,
  planFor,
  regions,
} from './search-plan.ts';
import { recordsFor, Tables } from './search-tables.ts';
import type { Found, Progress, SearchOptions, SearchResult, StopReason } from './search-types.ts';
import { webAssembly } from './search-webassembly.ts';

/** A cell's bits, to begin with. */
const fewestBits = 4;

/** One search under way. */
export class Engine {
  private readonly model: Model;
  private readonly options: SearchOptions;
  private readonly memory = new webAssembly.Memory({
    initial: memoryPages,
    maximum: memoryPages,
    shared: true,
  });
  private readonly words = new Int32Array(this.memory.buffer);
  private readonly watched: Watched;
  private readonly tables: Tables;
  private readonly judge: Judge;
  private readonly explorer: Explorer;
  private readonly found: (Found | null)[];
  private deadlock: Found | null = null;
  private deadlocks = 0;
  private cut = 0;
  private depth = 0;
  private plan: Plan;
  private peak = 0;
  private readonly started = performance.now();
  private lastProgress = this.started;
  private lastPause = this.started;
  private lastStates = 0;

  constructor(model: Model, options: SearchOptions) {
    this.model = model;
    this.options = options;
    const watches = options.watches ?? [];
    this.watched = watched(watches, options.constraint);
    this.tables = new Tables(model, this.watched.sums, this.watched.tuples);
    this.judge = new Judge({ ...options, model }, this.watched, this.words, 0);
    this.explorer = new Explorer(this.memory, 0, this.judge);
    this.found = watches.map(() => null);
    this.plan = this.nextPlan();
    this.takeUp();
  }

  async run(): Promise<SearchResult> {
    this.addInitial();
    let reason: StopReason | null = null;
    for (;;) {
      this.explorer.chunks.move('next', 'frontier');
      if (this.frontier() === 0) break;
      reason = await this.level();
      const news = this.mergeFindings();
      if (reason !== null) break;
      if (news && this.options.stopAtFirst) {
        reason = 'stop-at-first';
        if (this.explorer.chunks.peek('next').length > 0) this.depth++;
        break;
      }
      if (this.explorer.chunks.peek('next').length === 0) break;
      this.depth++;
      this.replanIfShorter();
    }
    return this.result(reason ?? (this.cut > 0 ? 'constraint' : null));
  }

  /** Expands one level whole: what meets an unknown step waits until the model has been asked. */
  private async level(): Promise<StopReason | null> {
    const { chunks } = this.explorer;
    for (;;) {
      for (const _ of this.explorer.work()) {
        const reason = await this.pause();
        if (reason !== null) {
          this.explorer.finish();
          return reason;
        }
      }
      this.explorer.finish();
      this.measure();
      this.answerQueries();
      if (chunks.peek('deferred').length === 0) return null;
      chunks.move('deferred', 'frontier');
    }
  }

  private answerQueries(): void {
    const { chunks } = this.explorer;
    const queries: (readonly [number, number, number])[] = [];
    for (let chunk = chunks.pop('queries'); chunk !== null; chunk = chunks.pop('queries')) {
      for (let at = chunk.address >> 2; at < (chunk.address + chunk.bytes) >> 2; at += 3) {
        queries.push([this.words[at]!, this.words[at + 1]!, this.tables.letterAt(this.words[at + 2]!)]);
      }
      chunks.push('free', chunk.address, 0);
    }
    queries.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
    queries.forEach(([cell, local, letter], i) => {
      const previous = queries[i - 1];
      if (previous?.[0] === cell && previous[1] === local && previous[2] === letter) return;
      this.tables.resolve(cell, local, letter);
    });
    if (this.tables.outgrows(this.plan)) this.replan();
  }

  private nextPlan(): Plan {
    const roomFor = (count: number, before: number) => {
      const needed = Math.max(fewestBits, Math.ceil(Math.log2(count)));
      return Math.max(before, count > 0.8 * 2 ** needed ? needed + 1 : needed);
    };
    return planFor(
      this.tables.known.map((count, cell) => roomFor(count, this.plan?.bits[cell] ?? 0)),
      this.tables.classCounts.map((count, cell) => roomFor(count, this.plan?.classBits[cell] ?? 0)),
      this.states(),
    );
  }

  private takeUp(): void {
    const { sums, tuples } = this.watched;
    const { records, free } = recordsFor(this.plan, sums.length, tuples.length);
    this.tables.install(this.words, this.plan, records, free);
    this.explorer.load({
      plan: this.plan,
      shared: false,
      records,
      sums: sums.length,
      tuples: tuples.length,
    });
    for (let p = 0; p < partitions; p++) {
      this.words[(control.count >> 2) + p] = 0;
      this.words[(control.capacity >> 2) + p] = this.plan.leastCapacity;
      this.words[(control.limit >> 2) + p] = 0.8 * this.plan.leastCapacity;
    }
  }

  /** Moves every state over to a plan that holds all locals. */
  private replan(): void {
    const [before, kernel] = [this.plan, this.explorer.kernel];
    const { chunks } = this.explorer;
    const dumped: { address: number; bytes: number }[] = [];
    const perChunk = Math.floor(chunkBytes / before.stateBytes);
    for (let p = 0; p < partitions; p++) {
      const capacity = this.words[(control.capacity >> 2) + p]!;
      for (let slot = 0; slot < capacity + before.tail; slot += perChunk) {
        const address = chunks.take();
        const end =
          kernel.dump(p, capacity, slot, Math.min(slot + perChunk, capacity + before.tail), address) >>> 0;
        if (end > address) dumped.push({ address, bytes: end - address });
        else chunks.push('free', address, 0);
      }
      const window = regions.partitions + p * partitionWindow;
      this.words.fill(0, window >> 2, (window + (capacity + before.tail) * before.slotBytes) >> 2);
    }
    this.words.fill(0, regions.tables >> 2, (regions.tables + this.tables.bytes) >> 2);
    this.plan = this.nextPlan();
    this.takeUp();
    const locals = chunks.take();
    const perRound = Math.floor(chunkBytes / (4 * this.plan.width + this.plan.stateBytes));
    const convert = (chunk: { address: number; bytes: number }, use: (from: number, to: number) => void) => {
      const packed = locals + perRound * 4 * this.plan.width;
      const end = chunk.address + chunk.bytes;
      for (let from = chunk.address; from < end; from += perRound * before.stateBytes) {
        const to = Math.min(end, from + perRound * before.stateBytes);
        const count = (to - from) / before.stateBytes;
        kernel.unpack(from, to, locals);
        this.explorer.kernel.pack(locals, locals + count * 4 * this.plan.width, packed);
        use(packed, packed + count * this.plan.stateBytes);
      }
    };
    // What is inserted again is not new: each state is written over the one before it.
    const outAt = (regions.workers + area.out) >> 2;
    const discard = chunks.take();
    this.words[outAt] = discard;
    this.words[outAt + 1] = discard + chunkBytes;
    this.words[(regions.workers + area.outStep) >> 2] = 0;
    for (const chunk of dumped) {
      convert(chunk, (from, to) => this.explorer.kernel.add(from, to));
      chunks.push('free', chunk.address, 0);
    }
    for (let p = 0; p < partitions; p++) this.explorer.kernel.flush(p);
    this.words[outAt] = 0;
    this.words[outAt + 1] = 0;
    this.words[(regions.workers + area.outStep) >> 2] = this.plan.stateBytes;
    chunks.push('free', discard, 0);
    for (const list of ['next', 'deferred'] as const) {
      const old = [];
      for (let chunk = chunks.pop(list); chunk !== null; chunk = chunks.pop(list)) old.push(chunk);
      let [target, used] = [chunks.take(), 0];
      for (const chunk of old) {
        convert(chunk, (from, to) => {
          if (used + to - from > chunkBytes) {
            chunks.push(list, target, used);
            [target, used] = [chunks.take(), 0];
          }
          this.words.copyWithin((target + used) >> 2, from >> 2, to >> 2);
          used += to - from;
        });
        chunks.push('free', chunk.address, 0);
      }
      chunks.push(used > 0 ? list : 'free', target, used);
    }
    chunks.push('free', locals, 0);
    this.measure();
  }

  /** Once there are enough states, their places say enough for keys of one word. */
  private replanIfShorter(): void {
    if (this.plan.restBytes > 0 && this.nextPlan().restBytes === 0) this.replan();
  }

  private addInitial(): void {
    const at = this.explorer.chunks.take();
    const { width, stateBytes } = this.plan;
    for (const state of this.model.initial) {
      this.words.set(state, at >> 2);
      const packed = at + 4 * width;
      this.explorer.kernel.pack(at, packed, packed);
      this.explorer.kernel.add(packed, packed + stateBytes);
    }
    this.explorer.finish();
    this.explorer.chunks.push('free', at, 0);
  }

  /** Folds what the level showed into the results; true when something broke. */
  private mergeFindings(): boolean {
    const { findings } = this.judge;
    let broke = false;
    findings.found.forEach((state, watch) => {
      if (state === null || this.found[watch] !== null) return;
      this.found[watch] = { state, depth: this.depth };
      this.judge.decided[watch] = true;
      if (this.options.watches![watch]!.expect === 'always') broke = true;
    });
    if (findings.deadlock !== null && this.deadlock === null) {
      this.deadlock = { state: smaller(null, findings.deadlock)!, depth: this.depth };
      this.judge.deadlockDecided = true;
      broke = true;
    }
    this.deadlocks += findings.deadlocks;
    this.cut += findings.cut;
    this.judge.findings = noFindings(findings.found.length);
    return broke;
  }

  private states(): number {
    let sum = 0;
    for (let p = 0; p < partitions; p++) sum += this.words[(control.count >> 2) + p]!;
    return sum;
  }

  private frontier(): number {
    return this.explorer.chunks
      .peek('frontier')
      .reduce((sum, { bytes }) => sum + bytes / this.plan.stateBytes, 0);
  }

  private measure(): number {
    let slots = 0;
    for (let p = 0; p < partitions; p++) slots += this.words[(control.capacity >> 2) + p]! + this.plan.tail;
    const bytes =
      slots * this.plan.slotBytes +
      this.explorer.chunks.bytesTouched +
      this.tables.bytes +
      regions.workerBytes / 4;
    this.peak = Math.max(this.peak, bytes);
    return bytes;
  }

  private async pause(): Promise<StopReason | null> {
    const { maxStates, maxMemoryBytes, timeoutMs, signal, onProgress } = this.options;
    const now = performance.now();
    if (maxStates !== undefined && this.states() >= maxStates) return 'max-states';
    if (maxMemoryBytes !== undefined && this.measure() > maxMemoryBytes) return 'max-memory';
    if (timeoutMs !== undefined && now - this.started >= timeoutMs) return 'timeout';
    if (now - this.lastPause < 50) return null;
    await new Promise((resolve) => setImmediate(resolve));
    this.lastPause = now;
    if (signal?.aborted) return 'aborted';
    if (onProgress && now - this.lastProgress >= 250) {
      onProgress(this.progress(now));
      this.lastProgress = now;
      this.lastStates = this.states();
    }
    return null;
  }

  private progress(now: number): Progress {
    const states = this.states();
    return {
      states,
      transitions: this.explorer.transitions(),
      statesPerSecond: ((states - this.lastStates) / (now - this.lastProgress)) * 1000,
      depth: this.depth,
      frontier: this.frontier(),
      memoryBytes: this.measure(),
    };
  }

  private result(reason: StopReason | null): SearchResult {
    const [states, elapsedMs] = [this.states(), performance.now() - this.started];
    this.measure();
    return {
      states,
      transitions: this.explorer.transitions(),
      depth: this.depth,
      deadlocks: this.deadlocks,
      deadlock: this.deadlock,
      cut: this.cut,
      representedStates: BigInt(states),
      found: this.found,
      complete: reason === null,
      reason,
      locals: [...this.tables.known],
      workers: 1,
      elapsedMs,
      statesPerSecond: (states / elapsedMs) * 1000,
      peakMemoryBytes: this.peak,
      bytesPerState: this.peak / states,
    };
  }
}
