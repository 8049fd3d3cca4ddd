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
import { type SortedPredicates, shown } from './predicate-evaluator.ts';
import type { StateLayout } from './state-layout.ts';
import { SearchError } from './types.ts';

type TuplePredicate = Extract<Predicate, { kind: 'tuple' }>;
type SumPredicate = Extract<Predicate, { kind: 'sum' }>;

/** Kinds of questions to a model. A reception is denoted by its message instead. */
export const asked = { steps: -1, rename: -2 } as const;

/**
 * The answers of the model so far (steps, receptions, observations), and their image in the kernel's memory.
 * The model numbers locals in the order of the questions, so replaying the journal reproduces the numbers.
 */
export class Tables {
  /**
   * The questions in order: process, local, and a message or one of `asked`. A renaming adds the image of each
   * process.
   */
  readonly journal = new Numbers();
  /** For each process: the number of known locals. */
  readonly known: number[];
  readonly steps: (readonly Step[])[][];
  /** Digest of all answers of the model. */
  readonly digest = new Digest();
  private readonly model: Model;
  private readonly sums: readonly SumPredicate[];
  private readonly tuples: readonly TuplePredicate[];
  /** The predicates that judge deadlocks and constraints. Their values are stored by local, not by class. */
  private readonly shown: readonly TuplePredicate[];
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
  /** For each process, class of locals and tuple predicate: the observed value. */
  private readonly observed: (readonly number[])[][];
  private image: Image | null = null;
  /** For each process: the messages that steps send to it. */
  private readonly messages: Set<number>[];

  constructor(model: Model, sorted: SortedPredicates, symmetry: Symmetry | null) {
    this.model = model;
    this.sums = sorted.sums;
    this.sumOf = sorted.sumOf;
    this.active = [...sorted.ofInterestAt0];
    this.dropped = sorted.sums.map(() => false);
    this.tuples = sorted.tuples;
    this.shown = shown(sorted);
    this.symmetries = symmetry;
    const perProcess = <T>(make: () => T): T[] => Array.from({ length: model.width }, make);
    this.known = perProcess(() => 0);
    this.steps = perProcess(() => []);
    this.weights = perProcess(() => []);
    this.classes = perProcess(() => []);
    this.classIndex = perProcess(() => new Map());
    this.observed = perProcess(() => []);
    this.edges = perProcess(() => []);
    this.messages = perProcess(() => new Set());
    for (const state of model.initial) {
      this.digest.add(...state);
      for (const [process, local] of state.entries()) this.meet(process, local);
    }
  }

  /** Asks the model and records the answer. */
  resolve(process: number, local: number, question: number): void {
    this.journal.push(process, local, question);
    let answer = 0;
    if (question === asked.steps) {
      const steps = this.model.steps(process, local);
      this.steps[process]![local] = steps;
      for (const { action, to, sends } of steps) {
        for (const { process: target, message } of sends) this.messages[target]!.add(message);
        this.digest.add(action, to, ...sends.flatMap(({ process: target, message }) => [target, message]));
        this.meet(process, to);
      }
    } else {
      answer = this.model.receive(process, local, question);
      if (answer !== BLOCKED) this.meet(process, answer);
    }
    this.answers.push(answer);
    this.digest.add(answer);
    this.write(process, local, question, answer);
  }

  /** Asks the model for a renaming and records the answer. */
  rename(process: number, local: number, to: readonly number[]): void {
    this.journal.push(process, local, asked.rename, ...to);
    const answer = this.symmetries!.rename(process, local, to);
    this.answers.push(answer);
    this.digest.add(answer);
    this.renamed.set([process, local, ...to].join(), answer);
    this.meet(to[process]!, answer);
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
      const [process, local, question] = [journal[at]!, journal[at + 1]!, journal[at + 2]!];
      if (!this.leadsTo(process, local, question)) return false;
      at += 3;
      if (question === asked.rename) {
        this.rename(process, local, [...journal.subarray(at, at + this.model.width)]);
        at += this.model.width;
      } else this.resolve(process, local, question);
    }
    return true;
  }

  private leadsTo(process: number, local: number, question: number): boolean {
    if (!(local < (this.known[process] ?? 0))) return false;
    if (question === asked.rename) return this.symmetric;
    return question === asked.steps || this.messages[process]!.has(question);
  }

  /** The model's symmetry as far as it has been asked. Renamings that have not been asked go to `missing`. */
  symmetry(missing: (...renaming: number[]) => void): Symmetry {
    return {
      processes: this.symmetries!.processes,
      edges: (process, local) => this.edges[process]![local]!,
      rename: (process, local, to) => {
        const answer = this.renamed.get([process, local, ...to].join());
        if (answer === undefined) missing(process, local, ...to);
        return answer ?? -1;
      },
    };
  }

  get symmetric(): boolean {
    return this.symmetries !== null;
  }

  /** Tells whether a layout can no longer hold the locals or the values that predicates observe in them. */
  outgrows(plan: StateLayout): boolean {
    return (
      this.outgrowsBits(plan) ||
      this.observed.some((classes, process) => classes.length > 2 ** plan.classBits[process]!) ||
      this.activeSums.some((sum) => !plan.sums.includes(sum))
    );
  }

  outgrowsBits(plan: StateLayout): boolean {
    return this.known.some((count, process) => count > 2 ** plan.bits[process]!);
  }

  /** The sums that can be other than 0 or are of interest at 0, and whose predicate is not decided. */
  get activeSums(): number[] {
    return this.sums.flatMap((_, sum) => (this.active[sum] && !this.dropped[sum] ? [sum] : []));
  }

  /** Stops computing the sums of decided predicates. */
  drop(decided: readonly boolean[]): void {
    for (const [sum, predicate] of this.sumOf.entries())
      this.dropped[sum] = predicate !== null && decided[predicate]!;
  }

  /** For each process: the number of classes that tuple predicates distinguish among its locals. */
  get classCounts(): number[] {
    return this.observed.map((classes) => classes.length);
  }

  install(memory: Int32Array, plan: StateLayout, layout: TableLayout): void {
    this.image = new Image(memory, plan, layout, this.tuples.length, this.shown.length);
    for (const [process, classes] of this.observed.entries()) {
      for (const [index, observed] of classes.entries()) this.image.writeClass(process, index, observed);
    }
    for (let process = 0; process < this.known.length; process++) {
      for (let local = 0; local < this.known[process]!; local++) this.writeLocal(process, local);
    }
    let index = 0;
    for (let at = 0; at < this.journal.length; at += 3) {
      const [process, local, question] = [0, 1, 2].map((i) => this.journal.get(at + i)) as [
        number,
        number,
        number,
      ];
      if (question === asked.rename) at += this.model.width;
      else this.write(process, local, question, this.answers.get(index));
      index++;
    }
  }

  /** The question behind an entry that the kernel asks about. */
  messageAt(receptions: number): number {
    return receptions === 0 ? asked.steps : this.image!.messageOf.get(receptions)!;
  }

  get bytes(): number {
    return this.image!.bytes;
  }

  private write(process: number, local: number, question: number, answer: number): void {
    const image = this.image;
    if (image === null || this.outgrowsBits(image.plan)) return;
    if (question === asked.steps) image.writeSteps(process, local, this.steps[process]![local]!);
    else image.writeReception(process, local, question, answer);
  }

  private meet(process: number, local: number): void {
    while (this.known[process]! <= local) {
      const next = this.known[process]!++;
      const seen = this.tuples.map((predicate) => predicate.observe(process, next) | 0);
      const key = seen.join();
      let index = this.classIndex[process]!.get(key);
      if (index === undefined) {
        index = this.observed[process]!.push(seen) - 1;
        this.classIndex[process]!.set(key, index);
        if (this.image !== null && index < 2 ** this.image.plan.classBits[process]!) {
          this.image.writeClass(process, index, seen);
        }
      }
      this.classes[process]!.push(index);
      if (this.symmetries !== null) this.edges[process]!.push(this.symmetries.edges(process, next));
      for (const [sum, predicate] of this.sums.entries()) {
        const weight = predicate.project(process, next) | 0;
        this.weights[process]!.push(weight);
        if (weight !== 0) this.active[sum] = true;
      }
      if (this.image !== null && next < 2 ** this.image.plan.bits[process]!) this.writeLocal(process, next);
    }
  }

  private writeLocal(process: number, local: number): void {
    const at = local * this.sums.length;
    const index = this.classes[process]![local]!;
    const weights = this.image!.plan.sums.map((sum) => this.weights[process]![at + sum]!);
    const seen = this.shown.map((predicate) => predicate.observe(process, local) | 0);
    this.image!.writeLocal(process, local, index, weights, seen);
  }
}

/** The tables in the form that the kernel reads. */
class Image {
  readonly plan: StateLayout;
  readonly messageOf = new Map<number, number>();
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
    process: number,
    local: number,
    index: number,
    weights: readonly number[],
    shown: readonly number[],
  ): void {
    const at = (this.records[process]! + local * this.recordBytes) >> 2;
    this.memory[at + (record.class >> 2)] = index;
    this.memory.set(weights, at + (record.weights >> 2));
    this.memory.set(shown, at + (this.shownAt >> 2));
  }

  writeClass(process: number, index: number, observed: readonly number[]): void {
    this.memory.set(observed, (this.classes[process]! >> 2) + index * this.tuples);
  }

  writeSteps(process: number, local: number, steps: readonly Step[]): void {
    const list = this.take(Math.max(1, steps.length) * stepBytes);
    steps.forEach((step, i) => {
      const at = (list + i * stepBytes) >> 2;
      const [send] = step.sends;
      this.memory[at + (stepAt.change >> 2)] = local ^ step.to;
      if (send === undefined) {
        this.memory[at + (stepAt.receptions >> 2)] = 0;
      } else if (step.sends.length === 1 && send.process !== process) {
        this.memory[at + (stepAt.receptions >> 2)] = this.receptionsOf(send.process, send.message);
        this.memory[at + (stepAt.offset >> 2)] = this.plan.offsets[send.process]!;
        this.memory[at + (stepAt.process >> 2)] = send.process;
      } else {
        const sends = this.take(4 + 8 * step.sends.length);
        this.memory[sends >> 2] = step.sends.length;
        step.sends.forEach(({ process: target, message }, s) => {
          this.memory[(sends >> 2) + 1 + 2 * s] = this.receptionsOf(target, message);
          this.memory[(sends >> 2) + 2 + 2 * s] = target;
        });
        this.memory[at + (stepAt.receptions >> 2)] = 1;
        this.memory[at + (stepAt.list >> 2)] = sends;
      }
    });
    const at = (this.records[process]! + local * this.recordBytes) >> 2;
    this.memory[at + (record.count >> 2)] = steps.length;
    this.memory[at + (record.steps >> 2)] = list;
  }

  writeReception(process: number, local: number, message: number, answer: number): void {
    this.memory[(this.receptionsOf(process, message) >> 2) + local] =
      answer === BLOCKED ? reception.blocked : answer + reception.first;
  }

  private receptionsOf(process: number, message: number): number {
    let at = this.receptions[process]!.get(message);
    if (at === undefined) {
      at = this.take(4 * 2 ** this.plan.bits[process]!);
      this.receptions[process]!.set(message, at);
      this.messageOf.set(at, message);
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

/** Addresses of each process's records and classes, and of the free space after them. */
export interface TableLayout {
  readonly records: readonly number[];
  readonly classes: readonly number[];
  readonly free: number;
}

export function layTables(plan: StateLayout, what: SortedPredicates): TableLayout {
  const most = Math.floor((area.sumMemo - area.shown) / (4 * plan.width));
  if (perBucket(what.tuples.length, plan.width) === 0 || shown(what).length > most) {
    throw new SearchError(
      'STATE_TOO_WIDE',
      `${what.tuples.length + shown(what).length} predicates look at ${plan.width} processes one by one, and at most ${most} fit: check fewer properties at once`,
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
