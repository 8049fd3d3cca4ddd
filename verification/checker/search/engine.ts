import type { Model } from '../model.ts';
import { CheckpointReader, type Progressed, writeCheckpoint } from './checkpoint.ts';
import { Crew } from './crew.ts';
import { Explorer, roomIn } from './explorer.ts';
import { coded, type Findings, Judge, merge, type Watched, watched } from './judge.ts';
import type { Kernel, KernelShape } from './kernel/shape.ts';
import {
  area,
  chunkBytes,
  control,
  memoryPages,
  partitions,
  partitionWindow,
  regions,
  tupleMemoBits,
} from './memory.ts';
import { type Plan, planFor } from './plan.ts';
import { Spill } from './spill.ts';
import { layTables, Tables } from './tables.ts';
import {
  type Found,
  type Progress,
  SearchError,
  type SearchOptions,
  type SearchResult,
  type StopReason,
} from './types.ts';
import { webAssembly } from './webassembly.ts';

const { mostWorkers } = regions;
/** Hands states, converted, piece by piece to `use`. */
type Converter = (
  chunk: { readonly address: number; readonly bytes: number } | null,
  use: (from: number, to: number) => void,
) => void;

/** A cell's bits, to begin with. */
const fewestBits = 4;

/** The levels before `depth`, kept for who wants to walk them back. */
export interface Recording {
  readonly depth: number;
  readonly levels: Level[];
}

interface Level {
  readonly plan: Plan;
  /** Of the plan that it was kept under: unpacks its states. */
  readonly kernel: Kernel;
  readonly chunks: Uint8Array[];
}

/** One search under way. */
export class Engine {
  private readonly model: Model;
  private readonly options: SearchOptions;
  private readonly record: Recording | null;
  private readonly memory = new webAssembly.Memory({
    initial: memoryPages,
    maximum: memoryPages,
    shared: true,
  });
  private readonly words = new Int32Array(this.memory.buffer);
  private readonly bytes = new Uint8Array(this.memory.buffer);
  private readonly watched: Watched;
  private readonly tables: Tables;
  private readonly judge: Judge;
  private readonly explorer: Explorer;
  private readonly found: (Found | null)[];
  private deadlock: Found | null = null;
  private deadlocks = 0;
  private cut = 0;
  private represented = 0;
  private depth = 0;
  private plan: Plan;
  private shape: Omit<KernelShape, 'worker'> | null = null;
  private peak = 0;
  private readonly workers: number;
  private crew: Crew | null = null;
  private spill: Spill | null = null;
  /** Whether threads have to follow the model, and how far in the journal they are. */
  private readonly follow: boolean;
  private followed = 0;
  private findings: Findings[] = [];
  private started = performance.now();
  private lastCheckpoint = this.started;
  private earlierTransitions = 0;
  private lastProgress = this.started;
  private lastPause = this.started;
  private lastStates = 0;

  constructor(model: Model, options: SearchOptions, record: Recording | null = null) {
    this.record = record;
    this.model = model;
    this.options = options;
    const watches = options.watches ?? [];
    this.watched = watched(options);
    this.tables = new Tables(model, this.watched, options.symmetry ?? null);
    this.judge = new Judge(watches, this.watched, model.width, this.tables, this.words, 0);
    this.explorer = new Explorer(this.memory, 0, this.judge);
    this.found = watches.map(() => null);
    this.plan = this.nextPlan();
    this.workers = Math.max(1, Math.min(options.workers ?? 1, mostWorkers));
    this.follow = this.tables.symmetric || coded(this.watched).some(({ pure }) => !pure);
    if (
      this.workers > 1 &&
      !options.source &&
      (watches.length > 0 || options.constraint || options.symmetry)
    ) {
      throw new SearchError(
        'WORKERS_NEED_SOURCE',
        `${this.workers} workers must judge states, and find no code to do so: give options.source, or one worker`,
      );
    }
  }

  async run(): Promise<SearchResult> {
    try {
      if (this.workers > 1) {
        const { source = null } = this.options;
        this.crew = await Crew.hire(this.workers - 1, this.memory, this.words, this.model.width, source);
      }
      const { resumeDir } = this.options;
      if (resumeDir === undefined) {
        await this.takeUp();
        await this.addInitial();
      } else await this.resume(resumeDir);
      return await this.explore();
    } finally {
      await this.crew?.dismiss();
      this.spill?.remove();
    }
  }

  private async explore(): Promise<SearchResult> {
    let reason: StopReason | null = null;
    for (;;) {
      if (!this.hasNext()) break;
      this.explorer.chunks.move('next', 'frontier');
      this.spill?.move('next', 'frontier');
      if (this.record !== null) this.keepLevel(this.record);
      reason = await this.level();
      const news = this.mergeFindings();
      if (reason !== null) break;
      if (news && this.options.stopAtFirst) {
        reason = 'stop-at-first';
        if (this.hasNext()) this.depth++;
        break;
      }
      if (!this.hasNext()) break;
      this.depth++;
      if (this.depth === this.record?.depth) break;
      await this.replanIfShorter();
      this.checkpoint();
    }
    return this.result(reason ?? (this.cut > 0 ? 'constraint' : null));
  }

  /** Expands one level whole: what meets an unknown step waits until the model has been asked. */
  private async level(): Promise<StopReason | null> {
    const { chunks } = this.explorer;
    for (;;) {
      const reason = await this.round();
      if (reason !== null) return reason;
      await this.answerQueries();
      if (chunks.peek('deferred').length === 0) break;
      chunks.move('deferred', 'frontier');
    }
    this.mergeSpilled();
    return null;
  }

  private hasNext(): boolean {
    return this.explorer.chunks.peek('next').length > 0 || (this.spill?.has('next') ?? false);
  }

  /** Everyone expands chunks of the frontier until there are none. */
  private async round(): Promise<StopReason | null> {
    for (;;) {
      const reason = await (this.spill === null ? this.expandAll() : this.expandSpilled(this.spill));
      this.explorer.finish();
      this.findings.push(this.judge.report());
      this.measure();
      if (reason !== 'max-memory' || this.options.spillDir === undefined) return reason;
      await this.startSpilling(this.options.spillDir);
    }
  }

  private async expandAll(): Promise<StopReason | null> {
    const { crew } = this;
    const alone = crew === null || this.explorer.chunks.peek('frontier').length === 1;
    if (!alone) {
      const { decided, deadlockDecided } = this.judge;
      crew.order({ kind: 'work', journal: this.journalSince(), decided, deadlockDecided });
    }
    let reason: StopReason | null = null;
    for (const _ of this.explorer.work()) {
      reason = await this.pause();
      if (reason !== null) break;
    }
    if (reason !== null) Atomics.store(this.words, control.stop >> 2, 1);
    this.explorer.finish();
    if (!alone) {
      const findings = await crew.settle(async () => {
        reason ??= await this.pause();
        if (reason !== null) Atomics.store(this.words, control.stop >> 2, 1);
      });
      this.findings.push(...findings);
    }
    return reason;
  }

  /** The same, of what lies in the file of the frontier, and in chunks. */
  private async expandSpilled(spill: Spill): Promise<StopReason | null> {
    const { chunks } = this.explorer;
    for (const _ of this.explorer.work()) {
      const reason = await this.pause();
      if (reason !== null) return reason;
    }
    const chunk = chunks.take();
    const { stateBytes } = this.plan;
    const whole = Math.floor(chunkBytes / stateBytes) * stateBytes;
    for (const bytes of spill.take('frontier', this.bytes.subarray(chunk, chunk + whole))) {
      this.explorer.kernel.expand(chunk, chunk + bytes);
      const reason = await this.pause();
      if (reason !== null) return reason;
    }
    chunks.push('free', chunk, 0);
    return null;
  }

  /** Moves keys to files, partition by partition; from here on this thread works alone. */
  private async startSpilling(dir: string): Promise<void> {
    await this.crew?.dismiss();
    this.crew = null;
    const spill = new Spill(dir);
    const capacities = this.words.subarray(control.capacity >> 2, (control.capacity >> 2) + partitions);
    for (const [p, keys] of this.images([...capacities]).entries()) spill.write(`keys-${p}`, keys);
    this.spill = spill;
    this.explorer.spill = spill;
    this.shape = { ...this.shape!, shared: false, spill: true };
    this.explorer.load(this.shape);
    this.spillNext(spill);
  }

  private spillNext(spill: Spill): void {
    const { chunks } = this.explorer;
    for (let chunk = chunks.pop('next'); chunk !== null; chunk = chunks.pop('next')) {
      spill.append('next', this.bytes.subarray(chunk.address, chunk.address + chunk.bytes));
      chunks.push('free', chunk.address, 0);
    }
  }

  /** Where the one partition lies that is not in its file. */
  private inMemory(partition: number): Uint8Array {
    const slots = this.words[(control.capacity >> 2) + partition]! + this.plan.tail;
    return this.bytes.subarray(regions.partitions, regions.partitions + slots * this.plan.slotBytes);
  }

  /** Inserts the candidates in files into the keys in files. */
  private mergeSpilled(): void {
    const { spill } = this;
    if (spill === null) return;
    for (let p = 0; p < partitions; p++) {
      if (!spill.has(`candidates-${p}`)) continue;
      const keys = this.inMemory(p);
      keys.fill(0);
      for (const _ of spill.take(`keys-${p}`, keys)); // One piece: the partition is as long as its file.
      this.explorer.insertCandidates(p);
      this.explorer.finish();
      spill.write(`keys-${p}`, this.inMemory(p));
      this.spillNext(spill);
    }
  }

  /** What threads have to ask the model again so that their numbers mean the same. */
  private journalSince(): Int32Array | null {
    if (!this.follow) return null;
    const news = Int32Array.from(this.tables.journal.slice(this.followed));
    this.followed = this.tables.journal.length;
    return news;
  }

  private async answerQueries(): Promise<void> {
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
    this.answerRenamings();
    if (this.tables.outgrows(this.plan))
      await (this.spill === null ? this.replan() : this.replanSpilled(this.spill));
  }

  private answerRenamings(): void {
    this.tables.forgetRenamings();
    const wanted = new Map<string, readonly number[]>();
    for (const { renamings } of this.findings) {
      for (let at = 0; at < renamings.length; at += 2 + this.model.width) {
        const renaming = renamings.slice(at, at + 2 + this.model.width);
        wanted.set(renaming.join(), renaming);
      }
      renamings.length = 0;
    }
    const sorted = [...wanted.values()].sort((a, b) => {
      const at = a.findIndex((value, i) => value !== b[i]);
      return a[at]! - b[at]!;
    });
    for (const [cell, local, ...to] of sorted) this.tables.rename(cell!, local!, to);
  }

  private nextPlan(): Plan {
    const states = this.states();
    // Early on, spare bits spare plans; later on, they would cost memory.
    const spare = states < 2 ** 16 ? 2 : states < 2 ** 20 ? 1 : 0;
    const bitsFor = (count: number) => Math.max(fewestBits, Math.ceil(Math.log2(count)) + spare);
    const { width } = this.model;
    // A constraint or a canonical form would take away the other way round.
    const prunes = this.options.constraint === undefined && !this.tables.symmetric && width > 2 && width < 31;
    return planFor({
      bits: this.tables.known.map(bitsFor),
      classBits: this.tables.classCounts.map(bitsFor),
      tagBits: prunes ? 2 * Math.ceil(Math.log2(width + 1)) : 0,
      states,
    });
  }

  private async takeUp(): Promise<void> {
    const { sums, tuples, quiescent } = this.watched;
    const { records, classes, free } = layTables(this.plan, this.watched);
    this.tables.install(this.words, this.plan, { records, classes, free });
    this.shape = {
      plan: this.plan,
      shared: this.crew !== null,
      records,
      classes,
      sums: sums.length,
      tuples: tuples.length,
      constrained: this.watched.constraint !== null,
      quiescent: quiescent.length,
      symmetric: this.tables.symmetric,
      spill: this.spill !== null,
    };
    this.explorer.load(this.shape);
    this.crew?.order({ kind: 'load', shape: this.shape });
    await this.crew?.settle(async () => {});
    for (let p = 0; p < partitions; p++) {
      this.words[(control.count >> 2) + p] = 0;
      this.words[(control.capacity >> 2) + p] = this.plan.leastCapacity;
      this.words[(control.limit >> 2) + p] = roomIn(this.plan.leastCapacity);
    }
  }

  /** Moves every state over to a plan that holds all locals. */
  private async replan(): Promise<void> {
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
      this.clear(p);
    }
    this.words.fill(0, regions.tables >> 2, (regions.tables + this.tables.bytes) >> 2);
    this.plan = this.nextPlan();
    await this.takeUp();
    const convert = this.converter(before, kernel);
    // What is inserted again is not new: each state is written over the one before it.
    this.explorer.discard(true);
    for (const chunk of dumped) {
      convert(chunk, (from, to) => this.explorer.kernel.add(from, to));
      chunks.push('free', chunk.address, 0);
    }
    for (let p = 0; p < partitions; p++) this.explorer.kernel.flush(p);
    this.explorer.discard(false);
    this.convertChunks(convert, ['next', 'deferred']);
    convert(null, () => {});
    this.measure();
  }

  private convertChunks(convert: Converter, lists: readonly ('next' | 'deferred')[]): void {
    const { chunks } = this.explorer;
    for (const list of lists) {
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
  }

  /** Turns states of an earlier plan into states of this one, some at a time; called with `null` at the end. */
  private converter(before: Plan, kernel: Kernel): Converter {
    const { chunks } = this.explorer;
    const locals = chunks.take();
    const perRound = Math.floor(chunkBytes / (4 * this.plan.width + this.plan.stateBytes));
    const packed = locals + perRound * 4 * this.plan.width;
    return (chunk, use) => {
      if (chunk === null) {
        chunks.push('free', locals, 0);
        return;
      }
      const end = chunk.address + chunk.bytes;
      for (let from = chunk.address; from < end; from += perRound * before.stateBytes) {
        const to = Math.min(end, from + perRound * before.stateBytes);
        const count = (to - from) / before.stateBytes;
        kernel.unpack(from, to, locals);
        this.explorer.kernel.pack(locals, locals + count * 4 * this.plan.width, packed);
        use(packed, packed + count * this.plan.stateBytes);
      }
    };
  }

  /** The same while keys lie in files: the old keys are candidates for the new ones. */
  private async replanSpilled(spill: Spill): Promise<void> {
    this.mergeSpilled();
    const [before, kernel] = [this.plan, this.explorer.kernel];
    const { chunks } = this.explorer;
    const capacities = [...this.words.subarray(control.capacity >> 2, (control.capacity >> 2) + partitions)];
    this.words.fill(0, regions.tables >> 2, (regions.tables + this.tables.bytes) >> 2);
    this.plan = this.nextPlan();
    await this.takeUp();
    const convert = this.converter(before, kernel);
    const chunk = chunks.take();
    const perChunk = Math.floor(chunkBytes / before.stateBytes);
    for (const [p, capacity] of capacities.entries()) {
      const slots = capacity + before.tail;
      const keys = this.bytes.subarray(regions.partitions, regions.partitions + slots * before.slotBytes);
      for (const _ of spill.take(`keys-${p}`, keys)) {
        for (let slot = 0; slot < slots; slot += perChunk) {
          const end = kernel.dump(p, capacity, slot, Math.min(slot + perChunk, slots), chunk) >>> 0;
          convert({ address: chunk, bytes: end - chunk }, (from, to) => this.explorer.kernel.add(from, to));
        }
      }
    }
    this.explorer.finish();
    this.explorer.discard(true);
    for (let p = 0; p < partitions; p++) {
      this.inMemory(p).fill(0);
      this.explorer.insertCandidates(p);
      spill.write(`keys-${p}`, this.inMemory(p));
    }
    this.explorer.discard(false);
    for (const bytes of spill.take(
      'next',
      this.bytes.subarray(chunk, chunk + perChunk * before.stateBytes),
    )) {
      convert({ address: chunk, bytes }, (from, to) =>
        spill.append('converted', this.bytes.subarray(from, to)),
      );
    }
    spill.move('converted', 'next');
    this.convertChunks(convert, ['deferred']);
    convert(null, () => {});
    chunks.push('free', chunk, 0);
  }

  private clear(partition: number): void {
    const { tail, slotBytes } = this.plan;
    const at = (regions.partitions + partition * partitionWindow) >>> 2;
    const slots = this.words[(control.capacity >> 2) + partition]! + tail;
    this.words.fill(0, at, at + slots * (slotBytes >> 2));
  }

  /** Once there are enough states, their places say enough for keys of one word. */
  private async replanIfShorter(): Promise<void> {
    if (this.spill === null && this.plan.restBytes > 0 && this.nextPlan().restBytes === 0)
      await this.replan();
  }

  private async addInitial(): Promise<void> {
    const { chunks } = this.explorer;
    const [at, form] = [chunks.take(), (regions.workers + area.after) >> 2];
    for (const state of this.model.initial) {
      this.words.set(state, form);
      // A canonical form may have to ask the model first, and its answers for room.
      while (this.tables.symmetric && this.judge.canonicalize() === 0) {
        this.findings.push(this.judge.report());
        await this.answerQueries();
        this.words.set(state, form);
      }
      const { width, stateBytes } = this.plan;
      this.words.copyWithin(at >> 2, form, form + width);
      const packed = at + 4 * width;
      this.explorer.kernel.pack(at, packed, packed);
      this.explorer.kernel.add(packed, packed + stateBytes);
    }
    this.explorer.finish();
    chunks.push('free', at, 0);
  }

  /** Saves the search, between two levels, if it is time. */
  private checkpoint(): void {
    const { checkpointDir, checkpointEveryMs = 60_000 } = this.options;
    const now = performance.now();
    if (checkpointDir === undefined || this.spill !== null || now - this.lastCheckpoint < checkpointEveryMs)
      return;
    const frontier = this.explorer.chunks.peek('next');
    const perPartition = (at: number) => [...this.words.subarray(at >> 2, (at >> 2) + partitions)];
    const header: Progressed = {
      version: 1,
      plan: this.plan,
      watches: this.watchNames(),
      depth: this.depth,
      transitions: this.transitions(),
      deadlocks: this.deadlocks,
      deadlock: this.deadlock,
      cut: this.cut,
      represented: this.represented,
      found: this.found,
      elapsedMs: now - this.started,
      digest: this.tables.digest.value(),
      journal: this.tables.journal.length,
      counts: perPartition(control.count),
      capacities: perPartition(control.capacity),
      frontier: frontier.map(({ bytes }) => bytes),
    };
    writeCheckpoint(checkpointDir, header, [
      new Uint8Array(Int32Array.from(this.tables.journal).buffer),
      ...this.images(header.capacities),
      ...frontier.map(({ address, bytes }) => this.bytes.subarray(address, address + bytes)),
    ]);
    this.lastCheckpoint = performance.now();
  }

  /** The keys of each partition, as they lie in memory. */
  private images(capacities: readonly number[]): Uint8Array[] {
    return capacities.map((capacity, p) => {
      const at = regions.partitions + p * partitionWindow;
      return this.bytes.subarray(at, at + (capacity + this.plan.tail) * this.plan.slotBytes);
    });
  }

  private watchNames(): string[] {
    return (this.options.watches ?? []).map(({ name, expect }) => `${expect} ${name}`);
  }

  /** Goes on where a checkpoint was written. */
  private async resume(dir: string): Promise<void> {
    const reader = new CheckpointReader(dir);
    try {
      const { header } = reader;
      const journal = new Int32Array(header.journal);
      reader.read(new Uint8Array(journal.buffer));
      this.tables.replay(journal);
      if (
        this.tables.digest.value() !== header.digest ||
        header.watches.join() !== this.watchNames().join()
      ) {
        throw new SearchError(
          'CHECKPOINT_DIFFERS',
          `the checkpoint in ${dir} is of another model or of other properties: give what it was written for, or begin again`,
        );
      }
      this.plan = header.plan;
      await this.takeUp();
      this.words.set(header.counts, control.count >> 2);
      this.words.set(header.capacities, control.capacity >> 2);
      this.words.set(header.capacities.map(roomIn), control.limit >> 2);
      for (const image of this.images(header.capacities)) reader.read(image);
      for (const bytes of header.frontier) {
        const address = this.explorer.chunks.take();
        reader.read(this.bytes.subarray(address, address + bytes));
        this.explorer.chunks.push('next', address, bytes);
      }
      for (const [watch, found] of header.found.entries()) this.found[watch] = found;
      this.judge.decided = header.found.map((found) => found !== null);
      this.judge.deadlockDecided = header.deadlock !== null;
      this.earlierTransitions = header.transitions;
      this.started -= header.elapsedMs;
      ({
        depth: this.depth,
        deadlocks: this.deadlocks,
        deadlock: this.deadlock,
        cut: this.cut,
        represented: this.represented,
      } = header);
    } finally {
      reader.close();
    }
  }

  private transitions(): number {
    return this.earlierTransitions + this.explorer.transitions(this.workers);
  }

  /** Folds what the level showed into the results; true when something broke. */
  private mergeFindings(): boolean {
    const findings = merge(this.findings);
    this.findings = [];
    let broke = false;
    this.judge.decided = this.judge.decided.map((decided, watch) => {
      const state = findings.found[watch]!;
      if (decided || state === null) return decided;
      this.found[watch] = { state, depth: this.depth };
      if (this.options.watches![watch]!.expect !== 'reachable') broke = true;
      return true;
    });
    if (findings.deadlock !== null && this.deadlock === null) {
      this.deadlock = { state: findings.deadlock, depth: this.depth };
      this.judge.deadlockDecided = true;
    }
    this.deadlocks += findings.deadlocks;
    this.cut += findings.cut;
    this.represented += findings.represented;
    return broke;
  }

  private keepLevel({ levels }: Recording): void {
    const chunks = this.explorer.chunks
      .peek('frontier')
      .map(({ address, bytes: used }) => this.bytes.slice(address, address + used));
    levels.push({ plan: this.plan, kernel: this.explorer.kernel, chunks });
  }

  /**
   * For every level of a finished record, last first, its states that lie on a shortest path to `target`,
   * which is `record.depth` steps away.
   */
  *ancestors(target: readonly number[]): Generator<number[][]> {
    const { width } = this.plan;
    const { chunks } = this.explorer;
    for (const list of ['frontier', 'next', 'deferred'] as const) {
      for (let chunk = chunks.pop(list); chunk !== null; chunk = chunks.pop(list))
        chunks.push('free', chunk.address, 0);
    }
    for (let p = 0; p < partitions; p++) this.clear(p);
    this.explorer.load({ ...this.shape!, shared: false, match: true });
    const { kernel } = this.explorer;
    const [staged, locals, packed] = [chunks.take(), chunks.take(), chunks.take()];
    const atOnce = Math.floor(chunkBytes / (8 + 4 * width));
    let marked = [[...target]];
    for (const level of this.record!.levels.toReversed()) {
      const places = 2 ** Math.ceil(Math.log2(4 * marked.length + 4));
      this.words[(regions.workers + area.markMask) >> 2] = places - 1;
      this.words.fill(
        0,
        regions.partitions >> 2,
        (regions.partitions >> 2) + places * 2 * (this.plan.words + 1),
      );
      for (const state of marked) {
        this.words.set(state, locals >> 2);
        kernel.pack(locals, locals + 4 * width, packed);
        kernel.add(packed, packed + this.plan.stateBytes);
      }
      for (const chunk of level.chunks) {
        this.bytes.set(chunk, staged);
        const { stateBytes } = level.plan;
        for (let from = 0; from < chunk.length; from += atOnce * stateBytes) {
          const to = Math.min(chunk.length, from + atOnce * stateBytes);
          const count = (to - from) / stateBytes;
          level.kernel.unpack(staged + from, staged + to, locals);
          kernel.pack(locals, locals + count * 4 * width, packed);
          kernel.expand(packed, packed + count * this.plan.stateBytes);
        }
      }
      this.explorer.finish();
      marked = [];
      for (let chunk = chunks.pop('next'); chunk !== null; chunk = chunks.pop('next')) {
        for (let from = 0; from < chunk.bytes; from += this.plan.stateBytes) {
          kernel.unpack(chunk.address + from, chunk.address + from + this.plan.stateBytes, locals);
          marked.push([...this.words.subarray(locals >> 2, (locals >> 2) + width)]);
        }
        chunks.push('free', chunk.address, 0);
      }
      yield marked;
    }
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
      this.workers * this.workerBytes();
    this.peak = Math.max(this.peak, bytes);
    return bytes;
  }

  /** What a worker touches of its area. */
  private workerBytes(): number {
    const copy = Math.max(
      ...this.words.subarray(control.capacity >> 2, (control.capacity >> 2) + partitions),
    );
    return (
      area.copy + copy * this.plan.slotBytes + (this.watched.tuples.length > 0 ? 2 ** (tupleMemoBits + 3) : 0)
    );
  }

  private async pause(): Promise<StopReason | null> {
    const { maxStates, maxMemoryBytes, timeoutMs, signal, onProgress } = this.options;
    const now = performance.now();
    if (maxStates !== undefined && this.states() >= maxStates) return 'max-states';
    if (maxMemoryBytes !== undefined && this.spill === null && this.measure() > maxMemoryBytes)
      return 'max-memory';
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
      transitions: this.transitions(),
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
      transitions: this.transitions(),
      depth: this.depth,
      deadlocks: this.deadlocks,
      deadlock: this.deadlock,
      cut: this.cut,
      representedStates: BigInt(this.tables.symmetric ? this.represented : states),
      found: this.found,
      complete: reason === null,
      reason,
      locals: [...this.tables.known],
      workers: this.workers,
      elapsedMs,
      statesPerSecond: (states / elapsedMs) * 1000,
      peakMemoryBytes: this.peak,
      bytesPerState: this.peak / states,
    };
  }
}
