import type { Model } from '../model.ts';
import { Explorer } from './explorer.ts';
import type { KernelShape } from './kernel/shape.ts';
import { control, regions, tupleMemoBits } from './memory.ts';
import { coded, PredicateEvaluator, type SortedPredicates, sortPredicates } from './predicate-evaluator.ts';
import { SharedMemory } from './shared-memory.ts';
import type { Spill } from './spill.ts';
import { planFor, type StateLayout, withClasses } from './state-layout.ts';
import { layTables, Tables } from './tables.ts';
import type { SearchOptions } from './types.ts';
import type { WorkerPool } from './worker-pool.ts';

/**
 * Initial bits of each process, as far as one word has room. A generous start avoids later layouts, and each new
 * layout rebuilds the kernels.
 */
const bitsAtFirst = [12, 8] as const;
const fewestBits = 4;

/** The parts of a search, and the layout of its states in memory. */
export class Core {
  readonly model: Model;
  readonly options: SearchOptions;
  readonly arena = new SharedMemory();
  readonly sorted: SortedPredicates;
  readonly tables: Tables;
  readonly judge: PredicateEvaluator;
  readonly explorer: Explorer;
  readonly workers: number;
  /** True when threads have to replay the model's answers. */
  readonly follow: boolean;
  crew: WorkerPool | null = null;
  spill: Spill | null = null;
  plan: StateLayout;
  shape!: Omit<KernelShape, 'worker'>;

  constructor(model: Model, options: SearchOptions) {
    this.model = model;
    this.options = options;
    const predicates = options.predicates ?? [];
    this.sorted = sortPredicates(options);
    this.tables = new Tables(model, this.sorted, options.symmetry ?? null);
    this.judge = new PredicateEvaluator(
      predicates,
      this.sorted,
      model.width,
      this.tables,
      this.arena.words,
      0,
    );
    this.explorer = new Explorer(this.arena.memory, 0, this.judge);
    this.workers = Math.max(1, Math.min(options.workers ?? 1, regions.mostWorkers));
    this.follow = this.tables.symmetric || coded(this.sorted).some(({ pure }) => !pure);
    this.plan = this.nextPlan();
  }

  /**
   * Returns a layout that holds all answers of the model so far, with spare bits. Early on there are enough
   * spare bits to avoid further layouts. Later there are only as many as cost no memory.
   */
  nextPlan(): StateLayout {
    const states = this.arena.states();
    if (states < 2 ** 20) return this.planWith(2, states);
    const [roomy, tight] = [this.planWith(1, states), this.planWith(0, states)];
    return roomy.slotBytes === tight.slotBytes && roomy.stateBytes === tight.stateBytes ? roomy : tight;
  }

  private planWith(spare: number, states: number): StateLayout {
    const { width } = this.model;
    // A constraint or a canonical form could remove the other order of two commuting steps.
    const prunes = this.options.constraint === undefined && !this.tables.symmetric && width > 2 && width < 31;
    const atFirst = bitsAtFirst.find((bits) => width * bits <= 64) ?? 0;
    return planFor({
      bits: this.tables.known.map((count) => Math.max(atFirst, bitsFor(count, spare))),
      classes: this.classes(),
      hashBits: this.options.hashCompaction ?? null,
      tagBits: prunes ? 2 * Math.ceil(Math.log2(width + 1)) : 0,
      states,
    });
  }

  /** The same layout for states, with room for more observed classes. */
  nextClasses(): StateLayout {
    return withClasses(this.plan, this.classes());
  }

  private classes() {
    const spare = this.arena.states() < 2 ** 16 ? 1 : 0;
    return {
      bits: this.tables.classCounts.map((count) => bitsFor(count, spare)),
      sums: this.tables.activeSums,
    };
  }

  /** Rebuilds the tables and the kernels for `plan`. Partitions stay as they are. */
  async takeUp(plan: StateLayout): Promise<void> {
    const { words } = this.arena;
    if (this.shape) words.fill(0, regions.tables >> 2, (regions.tables + this.tables.bytes) >> 2);
    this.plan = plan;
    const layout = layTables(plan, this.sorted);
    this.tables.install(words, plan, layout);
    this.shape = {
      plan,
      shared: this.crew !== null,
      records: layout.records,
      classes: layout.classes,
      tuples: this.sorted.tuples.length,
      constrained: this.sorted.constraint !== null,
      quiescent: this.sorted.quiescent.length,
      symmetric: this.tables.symmetric,
      spill: this.spill !== null,
    };
    this.explorer.load(this.shape);
    this.crew?.order({ kind: 'load', shape: this.shape });
    await this.crew?.settle(async () => {});
  }

  hasNext(): boolean {
    return this.explorer.chunks.peek('next').length > 0 || (this.spill?.has('next') ?? false);
  }

  /** The waiting states of the current level: those in memory, and all those in its file. */
  frontier(): number {
    const bytes = this.explorer.chunks.peek('frontier').reduce((sum, chunk) => sum + chunk.bytes, 0);
    return (bytes + (this.spill?.size('frontier') ?? 0)) / this.plan.stateBytes;
  }

  bytesUsed(): number {
    const memo = this.sorted.tuples.length > 0 ? 2 ** (tupleMemoBits + 3) : 0;
    const { arena, explorer, tables, workers } = this;
    return arena.bytesUsed(this.plan, workers) + explorer.chunks.bytesTouched + tables.bytes + workers * memo;
  }

  stopThreads(): void {
    Atomics.store(this.arena.words, control.stop >> 2, 1);
  }
}

const bitsFor = (count: number, spare: number) =>
  Math.max(fewestBits, Math.ceil(Math.log2(Math.max(1, count))) + spare);
