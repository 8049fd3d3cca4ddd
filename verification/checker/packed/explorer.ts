import { Chunks, type List } from './chunks.ts';
import { buildKernel } from './kernel/kernel.ts';
import { buckets, type Kernel, type KernelImports, type KernelShape } from './kernel/shape.ts';
import {
  area,
  bufferBytes,
  chunkBytes,
  control,
  judgeBytes,
  partitions,
  partitionWindow,
  regions,
  tupleMemoBits,
} from './memory.ts';
import type { PredicateEvaluator } from './predicate-evaluator.ts';
import { fullest } from './shared-memory.ts';
import type { Spill } from './spill.ts';
import type { StateLayout } from './state-layout.ts';
import { SearchError } from './types.ts';
import { type SharedMemory, webAssembly } from './webassembly.ts';

/** The least factor by which a partition grows. */
const growth = 1.2;

/** One thread's part of the search: its kernel, its buffers, and the chunks that it fills. */
export class Explorer {
  kernel!: Kernel;
  readonly chunks: Chunks;
  /** The files for keys and candidates when memory is short. */
  spill: Spill | null = null;
  private readonly memory: SharedMemory;
  private readonly words: Int32Array;
  private readonly bytes: Uint8Array;
  private readonly worker: number;
  private readonly base: number;
  private readonly judge: PredicateEvaluator;
  private plan!: StateLayout;
  private filling: Record<number, number> = {};

  constructor(memory: SharedMemory, worker: number, judge: PredicateEvaluator) {
    this.memory = memory;
    this.words = new Int32Array(memory.buffer);
    this.bytes = new Uint8Array(memory.buffer);
    this.worker = worker;
    this.base = regions.workers + worker * regions.workerBytes;
    this.judge = judge;
    this.chunks = new Chunks(this.words);
  }

  /** Adopts a layout, with empty buffers. */
  load(shape: Omit<KernelShape, 'worker'>): void {
    this.plan = shape.plan;
    const imports: KernelImports = {
      more: (which) => this.more(which),
      grow: (partition) => this.grow(partition),
      spill: (partition) => this.spillCandidates(partition),
      judgeSums: () => this.judge.sums(),
      judgeTuples: (count) => this.judge.tuples(count),
      inside: () => this.judge.inside(),
      deadlock: () => this.judge.deadlock(),
      canonicalize: () => this.judge.canonicalize(),
      orbit: () => this.judge.orbit(),
    };
    const module = new webAssembly.Module(buildKernel({ ...shape, worker: this.worker }));
    const instance = new webAssembly.Instance(module, { env: { memory: this.memory, ...imports } });
    this.kernel = instance.exports as unknown as Kernel;
    const at = (offset: number) => (this.base + offset) >> 2;
    for (let p = 0; p < partitions; p++) {
      this.words[at(area.fill) + p] = this.base + area.buffers + p * bufferBytes;
    }
    this.words[at(area.outStep)] = this.plan.stateBytes;
    for (let b = 0; b < buckets; b++) {
      this.words[at(area.judgeFill) + b] = this.base + area.judgeBuffers + b * judgeBytes;
    }
    this.judge.load(shape.plan, this.kernel);
    this.words.fill(0, at(area.sumMemo), at(area.observed));
    if (shape.tuples > 0) {
      this.words.fill(0, at(area.tupleMemo), at(area.tupleMemo) + 2 ** (tupleMemoBits + 1));
    }
    // The all-zero key maps to place 0 of a memo. It must not be taken for judged.
    this.words[at(area.sumMemo)] = 1;
    this.words[at(area.tupleMemo)] = 1;
  }

  private spillCandidates(partition: number): void {
    const fill = ((this.base + area.fill) >> 2) + partition;
    const start = this.base + area.buffers + partition * bufferBytes;
    const end = this.words[fill]!;
    if (end > start) this.spill!.append(`candidates-${partition}`, this.bytes.subarray(start, end));
    this.words[fill] = start;
  }

  /** Inserts a partition's candidates from their file into its keys. The keys are already in memory. */
  insertCandidates(partition: number): void {
    const start = this.base + area.buffers + partition * bufferBytes;
    const whole = Math.floor(bufferBytes / this.plan.candidateBytes) * this.plan.candidateBytes;
    for (const bytes of this.spill!.take(
      `candidates-${partition}`,
      this.bytes.subarray(start, start + whole),
    )) {
      this.words[((this.base + area.fill) >> 2) + partition] = start + bytes;
      this.kernel.insert(partition);
    }
  }

  /**
   * Selects the destination of new states. `yes`: they are discarded, each overwriting the one before.
   * Otherwise they go into chunks again.
   */
  discard(yes: boolean): void {
    const at = this.base >> 2;
    if (yes) {
      this.more(area.out);
      this.words[at + (area.outStep >> 2)] = 0;
      return;
    }
    this.words[at + (area.outStep >> 2)] = this.plan.stateBytes;
    this.handOver(area.out);
  }

  /** Expands the chunks of the frontier until none is left, and pauses after each. */
  *work(): Generator<void> {
    for (let chunk = this.chunks.pop('frontier'); chunk !== null; chunk = this.chunks.pop('frontier')) {
      this.kernel.expand(chunk.address, chunk.address + chunk.bytes);
      this.chunks.push('free', chunk.address, 0);
      yield;
    }
  }

  /**
   * Inserts the gathered candidates, judges the gathered tuples, and hands over the chunks that are not full.
   */
  finish(): void {
    for (let p = 0; p < partitions; p++) this.kernel.flush(p);
    for (let b = 0; b < buckets; b++) this.kernel.judge(b);
    for (const which of [area.out, area.deferred, area.query]) this.handOver(which);
  }

  /** Transitions of all threads together. */
  transitions(workers: number): number {
    let sum = 0;
    for (let worker = 0; worker < workers; worker++) {
      const at = (regions.workers + worker * regions.workerBytes + area.transitions) >> 2;
      sum += (this.words[at]! >>> 0) + 2 ** 32 * this.words[at + 1]!;
    }
    return sum;
  }

  private more(which: number): void {
    this.handOver(which);
    const chunk = this.chunks.take();
    this.filling[which] = chunk;
    this.words[(this.base + which) >> 2] = chunk;
    this.words[(this.base + which + 4) >> 2] = chunk + chunkBytes;
  }

  private handOver(which: number): void {
    const chunk = this.filling[which];
    if (chunk === undefined) return;
    const bytes = this.words[(this.base + which) >> 2]! - chunk;
    const list: List = which === area.out ? 'next' : which === area.deferred ? 'deferred' : 'queries';
    this.chunks.push(bytes === 0 ? 'free' : list, chunk, bytes);
    delete this.filling[which];
    this.words[(this.base + which) >> 2] = 0;
    this.words[(this.base + which + 4) >> 2] = 0;
  }

  private grow(partition: number): void {
    try {
      this.makeRoom(partition);
    } catch (error) {
      // A thread that waits for this partition must not wait for ever.
      Atomics.store(this.words, (control.lock >> 2) + partition, 0);
      throw error;
    }
  }

  private makeRoom(partition: number): void {
    const { slotBytes, tail, leastCapacity, candidateBytes } = this.plan;
    const count = this.words[(control.count >> 2) + partition]!;
    const before = this.words[(control.capacity >> 2) + partition]!;
    const window = this.spill === null ? partitionWindow : regions.spillCopy - regions.partitions;
    const most = Math.floor(window / slotBytes) - tail - 1;
    const needed = (count + bufferBytes / candidateBytes) / (fullest - 0.02);
    let after = Math.min(most, Math.ceil(Math.max(leastCapacity, before * growth, needed)));
    if (needed * (fullest - 0.02) > 0.97 * most) {
      throw new SearchError('OUT_OF_ROOM', `a partition of ${most} slots is full: give a spill directory`);
    }
    for (let first = 1; this.kernel.rebuild(partition, before, after, first) === 0; first = 0) {
      if (after === most) throw new SearchError('OUT_OF_ROOM', 'keys crowd: give a spill directory');
      after = Math.min(most, Math.ceil(after * 1.1));
    }
    this.words[(control.capacity >> 2) + partition] = after;
    this.words[(control.limit >> 2) + partition] = Math.floor(after * (after === most ? 0.98 : fullest));
  }
}
