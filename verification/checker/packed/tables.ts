import { BLOCKED, type Edge, type Model, type Predicate, type Step, type Symmetry } from '../model.ts';
import { Digest } from './checkpoint.ts';
import {
  perBucket,
  reception,
  record,
  recordBytes,
  shownAt,
  step as stepAt,
  stepBytes,
} from './kernel/shape.ts';
import { area, regions } from './memory.ts';
import { Numbers } from './numbers.ts';
import { shown, type Watched } from './predicate-evaluator.ts';
import type { StateLayout } from './state-layout.ts';
import { SearchError } from './types.ts';

type TupleWatch = Extract<Predicate, { kind: 'tuple' }>;
type SumWatch = Extract<Predicate, { kind: 'sum' }>;

/** Kinds of questions to a model. A reception is denoted by its letter instead. */
export const asked = { steps: -1, rename: -2 } as const;

/**
 * The answers of the model so far (steps, receptions, observations), and their image in the kernel's memory.
 * The model numbers locals in the order of the questions, so replaying the journal reproduces the numbers.
 */
export class Tables {
  /**
   * The questions in order: cell, local, and a letter or one of `asked`. A renaming adds the image of each
   * cell.
   */
  readonly journal = new Numbers();
  /** For each cell: the number of known locals. */
  readonly known: number[];
  readonly steps: (readonly Step[])[][];
  /** Digest of all answers of the model. */
  readonly digest = new Digest();
  private readonly model: Model;
  private readonly sums: readonly SumWatch[];
  private readonly tuples: readonly TupleWatch[];
  /** The watches that judge deadlocks and constraints. Their values are stored by local, not by class. */
  private readonly shown: readonly TupleWatch[];
  private readonly symmetries: Symmetry | null;
  private readonly edges: (readonly Edge[])[][];
  /** Renamings answered since the last round. */
  private readonly renamed = new Map<string, number>();
  private readonly answers = new Numbers();
  private readonly weights: number[][];
  private readonly active: boolean[];
  private readonly dropped: boolean[];
  private readonly sumOf: readonly (number | null)[];
  private readonly classes: number[][];
  private readonly classIndex: Map<string, number>[];
  /** For each cell, class of locals and tuple watch: the observed value. */
  private readonly observed: (readonly number[])[][];
  private image: Image | null = null;
  /** For each cell: the letters that steps send to it. */
  private readonly letters: Set<number>[];

  constructor(model: Model, watched: Watched, symmetry: Symmetry | null) {
    this.model = model;
    this.sums = watched.sums;
    this.sumOf = watched.sumOf;
    this.active = [...watched.ofInterestAt0];
    this.dropped = watched.sums.map(() => false);
    this.tuples = watched.tuples;
    this.shown = shown(watched);
    this.symmetries = symmetry;
    const perCell = <T>(make: () => T): T[] => Array.from({ length: model.width }, make);
    this.known = perCell(() => 0);
    this.steps = perCell(() => []);
    this.weights = perCell(() => []);
    this.classes = perCell(() => []);
    this.classIndex = perCell(() => new Map());
    this.observed = perCell(() => []);
    this.edges = perCell(() => []);
    this.letters = perCell(() => new Set());
    for (const state of model.initial) {
      this.digest.add(...state);
      for (const [cell, local] of state.entries()) this.meet(cell, local);
    }
  }

  /** Asks the model and records the answer. */
  resolve(cell: number, local: number, question: number): void {
    this.journal.push(cell, local, question);
    let answer = 0;
    if (question === asked.steps) {
      const steps = this.model.steps(cell, local);
      this.steps[cell]![local] = steps;
      for (const { action, to, sends } of steps) {
        for (const { cell: target, letter } of sends) this.letters[target]!.add(letter);
        this.digest.add(action, to, ...sends.flatMap(({ cell: target, letter }) => [target, letter]));
        this.meet(cell, to);
      }
    } else {
      answer = this.model.receive(cell, local, question);
      if (answer !== BLOCKED) this.meet(cell, answer);
    }
    this.answers.push(answer);
    this.digest.add(answer);
    this.write(cell, local, question, answer);
  }

  /** Asks the model for a renaming and records the answer. */
  rename(cell: number, local: number, to: readonly number[]): void {
    this.journal.push(cell, local, asked.rename, ...to);
    const answer = this.symmetries!.rename(cell, local, to);
    this.answers.push(answer);
    this.digest.add(answer);
    this.renamed.set([cell, local, ...to].join(), answer);
    this.meet(to[cell]!, answer);
  }

  /** Forgets the answered renamings. The canonicalizers that asked for them know them by now. */
  forgetRenamings(): void {
    this.renamed.clear();
  }

  /**
   * Asks the questions of another search's journal in the same order, so that numbers mean the same. Returns
   * false at a question to which this model does not lead: it is a different model.
   */
  replay(journal: Int32Array): boolean {
    this.renamed.clear();
    for (let at = 0; at < journal.length; ) {
      const [cell, local, question] = [journal[at]!, journal[at + 1]!, journal[at + 2]!];
      if (!this.leadsTo(cell, local, question)) return false;
      at += 3;
      if (question === asked.rename) {
        this.rename(cell, local, [...journal.subarray(at, at + this.model.width)]);
        at += this.model.width;
      } else this.resolve(cell, local, question);
    }
    return true;
  }

  private leadsTo(cell: number, local: number, question: number): boolean {
    if (!(local < (this.known[cell] ?? 0))) return false;
    if (question === asked.rename) return this.symmetric;
    return question === asked.steps || this.letters[cell]!.has(question);
  }

  /** The model's symmetry as far as it has been asked. Renamings that have not been asked go to `missing`. */
  symmetry(missing: (...renaming: number[]) => void): Symmetry {
    return {
      cells: this.symmetries!.cells,
      edges: (cell, local) => this.edges[cell]![local]!,
      rename: (cell, local, to) => {
        const answer = this.renamed.get([cell, local, ...to].join());
        if (answer === undefined) missing(cell, local, ...to);
        return answer ?? -1;
      },
    };
  }

  get symmetric(): boolean {
    return this.symmetries !== null;
  }

  /** Tells whether a layout can no longer hold the locals or the values that watches observe in them. */
  outgrows(plan: StateLayout): boolean {
    return (
      this.outgrowsBits(plan) ||
      this.observed.some((classes, cell) => classes.length > 2 ** plan.classBits[cell]!) ||
      this.activeSums.some((sum) => !plan.sums.includes(sum))
    );
  }

  outgrowsBits(plan: StateLayout): boolean {
    return this.known.some((count, cell) => count > 2 ** plan.bits[cell]!);
  }

  /** The sums that can be other than 0 or are of interest at 0, and whose watch is not decided. */
  get activeSums(): number[] {
    return this.sums.flatMap((_, sum) => (this.active[sum] && !this.dropped[sum] ? [sum] : []));
  }

  /** Stops watching the sums of decided watches. */
  drop(decided: readonly boolean[]): void {
    for (const [sum, watch] of this.sumOf.entries()) this.dropped[sum] = watch !== null && decided[watch]!;
  }

  /** For each cell: the number of classes that tuple watches distinguish among its locals. */
  get classCounts(): number[] {
    return this.observed.map((classes) => classes.length);
  }

  install(memory: Int32Array, plan: StateLayout, layout: TableLayout): void {
    this.image = new Image(memory, plan, layout, this.tuples.length, this.shown.length);
    for (const [cell, classes] of this.observed.entries()) {
      for (const [index, observed] of classes.entries()) this.image.writeClass(cell, index, observed);
    }
    for (let cell = 0; cell < this.known.length; cell++) {
      for (let local = 0; local < this.known[cell]!; local++) this.writeLocal(cell, local);
    }
    let index = 0;
    for (let at = 0; at < this.journal.length; at += 3) {
      const [cell, local, question] = [0, 1, 2].map((i) => this.journal.get(at + i)) as [
        number,
        number,
        number,
      ];
      if (question === asked.rename) at += this.model.width;
      else this.write(cell, local, question, this.answers.get(index));
      index++;
    }
  }

  /** The question behind an entry that the kernel asks about. */
  letterAt(receptions: number): number {
    return receptions === 0 ? asked.steps : this.image!.letterOf.get(receptions)!;
  }

  get bytes(): number {
    return this.image!.bytes;
  }

  private write(cell: number, local: number, question: number, answer: number): void {
    const image = this.image;
    if (image === null || this.outgrowsBits(image.plan)) return;
    if (question === asked.steps) image.writeSteps(cell, local, this.steps[cell]![local]!);
    else image.writeReception(cell, local, question, answer);
  }

  private meet(cell: number, local: number): void {
    while (this.known[cell]! <= local) {
      const next = this.known[cell]!++;
      const seen = this.tuples.map((watch) => watch.observe(cell, next) | 0);
      const key = seen.join();
      let index = this.classIndex[cell]!.get(key);
      if (index === undefined) {
        index = this.observed[cell]!.push(seen) - 1;
        this.classIndex[cell]!.set(key, index);
        if (this.image !== null && index < 2 ** this.image.plan.classBits[cell]!) {
          this.image.writeClass(cell, index, seen);
        }
      }
      this.classes[cell]!.push(index);
      if (this.symmetries !== null) this.edges[cell]!.push(this.symmetries.edges(cell, next));
      for (const [sum, watch] of this.sums.entries()) {
        const weight = watch.weigh(cell, next) | 0;
        this.weights[cell]!.push(weight);
        if (weight !== 0) this.active[sum] = true;
      }
      if (this.image !== null && next < 2 ** this.image.plan.bits[cell]!) this.writeLocal(cell, next);
    }
  }

  private writeLocal(cell: number, local: number): void {
    const at = local * this.sums.length;
    const index = this.classes[cell]![local]!;
    const weights = this.image!.plan.sums.map((sum) => this.weights[cell]![at + sum]!);
    const seen = this.shown.map((watch) => watch.observe(cell, local) | 0);
    this.image!.writeLocal(cell, local, index, weights, seen);
  }
}

/** The tables in the form that the kernel reads. */
class Image {
  readonly plan: StateLayout;
  readonly letterOf = new Map<number, number>();
  private readonly memory: Int32Array;
  private readonly records: readonly number[];
  private readonly classes: readonly number[];
  private readonly recordBytes: number;
  private readonly shownAt: number;
  private readonly tuples: number;
  private readonly receptions: Map<number, number>[];
  private free: number;

  constructor(memory: Int32Array, plan: StateLayout, layout: TableLayout, tuples: number, shown: number) {
    this.memory = memory;
    this.plan = plan;
    this.records = layout.records;
    this.classes = layout.classes;
    this.recordBytes = recordBytes(plan.sums.length, shown);
    this.shownAt = shownAt(plan.sums.length);
    this.tuples = tuples;
    this.free = layout.free;
    this.receptions = layout.records.map(() => new Map());
  }

  get bytes(): number {
    return this.free - regions.tables;
  }

  writeLocal(
    cell: number,
    local: number,
    index: number,
    weights: readonly number[],
    shown: readonly number[],
  ): void {
    const at = (this.records[cell]! + local * this.recordBytes) >> 2;
    this.memory[at + (record.class >> 2)] = index;
    this.memory.set(weights, at + (record.weights >> 2));
    this.memory.set(shown, at + (this.shownAt >> 2));
  }

  writeClass(cell: number, index: number, observed: readonly number[]): void {
    this.memory.set(observed, (this.classes[cell]! >> 2) + index * this.tuples);
  }

  writeSteps(cell: number, local: number, steps: readonly Step[]): void {
    const list = this.take(Math.max(1, steps.length) * stepBytes);
    steps.forEach((step, i) => {
      const at = (list + i * stepBytes) >> 2;
      const [send] = step.sends;
      this.memory[at + (stepAt.change >> 2)] = local ^ step.to;
      if (send === undefined) {
        this.memory[at + (stepAt.receptions >> 2)] = 0;
      } else if (step.sends.length === 1 && send.cell !== cell) {
        this.memory[at + (stepAt.receptions >> 2)] = this.receptionsOf(send.cell, send.letter);
        this.memory[at + (stepAt.offset >> 2)] = this.plan.offsets[send.cell]!;
        this.memory[at + (stepAt.cell >> 2)] = send.cell;
      } else {
        const sends = this.take(4 + 8 * step.sends.length);
        this.memory[sends >> 2] = step.sends.length;
        step.sends.forEach(({ cell: target, letter }, s) => {
          this.memory[(sends >> 2) + 1 + 2 * s] = this.receptionsOf(target, letter);
          this.memory[(sends >> 2) + 2 + 2 * s] = target;
        });
        this.memory[at + (stepAt.receptions >> 2)] = 1;
        this.memory[at + (stepAt.list >> 2)] = sends;
      }
    });
    const at = (this.records[cell]! + local * this.recordBytes) >> 2;
    this.memory[at + (record.count >> 2)] = steps.length;
    this.memory[at + (record.steps >> 2)] = list;
  }

  writeReception(cell: number, local: number, letter: number, answer: number): void {
    this.memory[(this.receptionsOf(cell, letter) >> 2) + local] =
      answer === BLOCKED ? reception.blocked : answer + reception.first;
  }

  private receptionsOf(cell: number, letter: number): number {
    let at = this.receptions[cell]!.get(letter);
    if (at === undefined) {
      at = this.take(4 * 2 ** this.plan.bits[cell]!);
      this.receptions[cell]!.set(letter, at);
      this.letterOf.set(at, letter);
    }
    return at;
  }

  private take(bytes: number): number {
    const at = this.free;
    this.free += (bytes + 15) & ~15;
    if (this.free > regions.tablesEnd) {
      throw new SearchError(
        'OUT_OF_ROOM',
        'the steps of the actors take more than 750 MB: bound their inboxes, or give the system a view',
      );
    }
    return at;
  }
}

/** Addresses of each cell's records and classes, and of the free space after them. */
export interface TableLayout {
  readonly records: readonly number[];
  readonly classes: readonly number[];
  readonly free: number;
}

export function layTables(plan: StateLayout, what: Watched): TableLayout {
  const most = Math.floor((area.sumMemo - area.shown) / (4 * plan.width));
  if (perBucket(what.tuples.length, plan.width) === 0 || shown(what).length > most) {
    throw new SearchError(
      'STATE_TOO_WIDE',
      `${what.tuples.length + shown(what).length} watches look at ${plan.width} cells one by one: check fewer properties at once`,
    );
  }
  let free: number = regions.tables;
  const take = (bytes: number) => {
    const at = free;
    free += (bytes + 63) & ~63;
    return at;
  };
  const records = plan.bits.map((bits) =>
    take(2 ** bits * recordBytes(plan.sums.length, shown(what).length)),
  );
  const classes = plan.classBits.map((bits) => take(2 ** bits * 4 * what.tuples.length));
  if (free > regions.tablesEnd) {
    throw new SearchError(
      'OUT_OF_ROOM',
      `actors have up to ${2 ** Math.max(...plan.bits)} states each: bound their inboxes`,
    );
  }
  return { records, classes, free };
}
