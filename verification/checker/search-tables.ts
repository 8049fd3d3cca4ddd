import { BLOCKED, type Model, type Step, type Watch } from './model.ts';
import type { Watched } from './search-judge.ts';
import {
  observationsAt,
  reception,
  record,
  recordBytes,
  step as stepAt,
  stepBytes,
} from './search-kernel.ts';
import { type Plan, regions } from './search-plan.ts';
import { SearchError } from './search-types.ts';

type TupleWatch = Extract<Watch, { kind: 'tuple' }>;
type SumWatch = Extract<Watch, { kind: 'sum' }>;

/** Questions to a model, in the order in which they were asked: cell, local, and letter or `stepsAsked`. */
export const stepsAsked = -1;

/**
 * What the model has said so far: steps, receptions, observations; and its image in the kernel's memory.
 * Numbers come from the model in the order of asking, so that the journal, asked again, gives them again.
 */
export class Tables {
  readonly journal: number[] = [];
  /** How many locals of each cell are known. */
  readonly known: number[];
  readonly steps: (readonly Step[])[][];
  private readonly model: Model;
  private readonly sums: readonly SumWatch[];
  private readonly tuples: readonly TupleWatch[];
  private readonly quiescent: TupleWatch | null;
  private readonly answers: number[] = [];
  private readonly weights: number[][];
  private readonly classes: number[][];
  private readonly classIndex: Map<string, number>[];
  /** What each class of locals is seen as, by each tuple watch. */
  private readonly observed: (readonly number[])[][];
  private image: Image | null = null;

  constructor(model: Model, { sums, tuples, quiescent }: Watched) {
    this.model = model;
    this.sums = sums;
    this.tuples = tuples;
    this.quiescent = quiescent;
    const perCell = <T>(make: () => T): T[] => Array.from({ length: model.width }, make);
    this.known = perCell(() => 0);
    this.steps = perCell(() => []);
    this.weights = perCell(() => []);
    this.classes = perCell(() => []);
    this.classIndex = perCell(() => new Map());
    this.observed = perCell(() => []);
    for (const state of model.initial) {
      for (const [cell, local] of state.entries()) this.meet(cell, local);
    }
  }

  /** Asks the model and writes the answer down. */
  resolve(cell: number, local: number, letter: number): void {
    this.journal.push(cell, local, letter);
    const index = this.answers.length;
    if (letter === stepsAsked) {
      const steps = this.model.steps(cell, local);
      this.steps[cell]![local] = steps;
      this.answers.push(0);
      for (const step of steps) this.meet(cell, step.to);
    } else {
      const answer = this.model.receive(cell, local, letter);
      this.answers.push(answer);
      if (answer !== BLOCKED) this.meet(cell, answer);
    }
    this.write(index);
  }

  /** Asks again what another was asked, in the same order: then numbers mean the same. */
  replay(journal: Int32Array): void {
    for (let at = 0; at < journal.length; at += 3)
      this.resolve(journal[at]!, journal[at + 1]!, journal[at + 2]!);
  }

  /** Whether a plan's bits no longer hold the locals. */
  outgrows(plan: Plan): boolean {
    return (
      this.known.some((count, cell) => count > 2 ** plan.bits[cell]!) ||
      this.observed.some((classes, cell) => classes.length > 2 ** plan.classBits[cell]!)
    );
  }

  /** How many classes of each cell's locals tuple watches tell apart. */
  get classCounts(): number[] {
    return this.observed.map((classes) => classes.length);
  }

  install(memory: Int32Array, plan: Plan, records: readonly number[], free: number): void {
    this.image = new Image(memory, plan, records, free, this.sums.length, this.observations);
    for (let cell = 0; cell < this.known.length; cell++) {
      for (let local = 0; local < this.known[cell]!; local++) this.writeLocal(cell, local);
    }
    for (let index = 0; index < this.answers.length; index++) this.write(index);
  }

  /** The question behind an entry that the kernel asks about. */
  letterAt(receptions: number): number {
    return receptions === 0 ? stepsAsked : this.image!.letterOf.get(receptions)!;
  }

  get bytes(): number {
    return this.image!.bytes;
  }

  /** How many numbers tuple watches take of each local. */
  get observations(): number {
    return this.tuples.length + (this.quiescent === null ? 0 : 1);
  }

  private write(index: number): void {
    const image = this.image;
    if (image === null || this.outgrows(image.plan)) return;
    const [cell, local, letter] = [
      this.journal[3 * index]!,
      this.journal[3 * index + 1]!,
      this.journal[3 * index + 2]!,
    ];
    if (letter === stepsAsked) image.writeSteps(cell, local, this.steps[cell]![local]!);
    else image.writeReception(cell, local, letter, this.answers[index]!);
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
      }
      this.classes[cell]!.push(index);
      for (const watch of this.sums) this.weights[cell]!.push(watch.weigh(cell, next) | 0);
      if (this.image !== null && next < 2 ** this.image.plan.bits[cell]!) this.writeLocal(cell, next);
    }
  }

  private writeLocal(cell: number, local: number): void {
    const at = local * this.sums.length;
    const index = this.classes[cell]![local]!;
    const weights = this.weights[cell]!.slice(at, at + this.sums.length);
    const observed = this.observed[cell]![index]!;
    const all = this.quiescent === null ? observed : [...observed, this.quiescent.observe(cell, local) | 0];
    this.image!.writeLocal(cell, local, index, weights, all);
  }
}

/** The tables as the kernel reads them. */
class Image {
  readonly plan: Plan;
  readonly letterOf = new Map<number, number>();
  private readonly memory: Int32Array;
  private readonly records: readonly number[];
  private readonly recordBytes: number;
  private readonly observationsAt: number;
  private readonly receptions: Map<number, number>[];
  private free: number;

  constructor(
    memory: Int32Array,
    plan: Plan,
    records: readonly number[],
    free: number,
    sums: number,
    tuples: number,
  ) {
    this.memory = memory;
    this.plan = plan;
    this.records = records;
    this.recordBytes = recordBytes(sums, tuples);
    this.observationsAt = observationsAt(sums);
    this.free = free;
    this.receptions = records.map(() => new Map());
  }

  get bytes(): number {
    return this.free - regions.tables;
  }

  writeLocal(
    cell: number,
    local: number,
    index: number,
    weights: readonly number[],
    observed: readonly number[],
  ): void {
    const at = (this.records[cell]! + local * this.recordBytes) >> 2;
    this.memory[at + (record.class >> 2)] = index;
    this.memory.set(weights, at + (record.weights >> 2));
    this.memory.set(observed, at + (this.observationsAt >> 2));
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
        this.memory[at + (stepAt.cell >> 2)] = send.cell << 2;
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

/** Where each cell's records begin, and where what follows them begins. */
export function recordsFor(
  plan: Plan,
  sums: number,
  tuples: number,
): { readonly records: number[]; readonly free: number } {
  let free: number = regions.tables;
  const records = plan.bits.map((bits) => {
    const at = free;
    free += 2 ** bits * recordBytes(sums, tuples);
    return at;
  });
  if (free > regions.tablesEnd) {
    throw new SearchError(
      'OUT_OF_ROOM',
      `actors have up to ${2 ** Math.max(...plan.bits)} states each: bound their inboxes`,
    );
  }
  return { records, free };
}
