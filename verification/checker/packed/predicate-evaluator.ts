import type { Predicate } from '../model.ts';
import { type Canonicalizer, createCanonicalizer } from '../symmetry/index.ts';
import { type Kernel, perBucket } from './kernel/shape.ts';
import { area, regions } from './memory.ts';
import type { StateLayout } from './state-layout.ts';
import type { Tables } from './tables.ts';
import type { NamedPredicate, Sourced } from './types.ts';

type TuplePredicate = Extract<Predicate, { kind: 'tuple' }>;
type SumPredicate = Extract<Predicate, { kind: 'sum' }>;

/** Maximum number of predicates judged by sum. Further ones are judged as tuples. */
const mostSums = 16;

/** The kernel's predicates: sums side by side, tuples side by side, and the owner of each of them. */
export interface SortedPredicates {
  readonly sums: readonly SumPredicate[];
  readonly tuples: readonly TuplePredicate[];
  /** The constraint, unless it is among the sums. */
  readonly constraint: TuplePredicate | null;
  /** The predicates that judge deadlocks. */
  readonly quiescent: readonly TuplePredicate[];
  /** Index into `predicates`. `null`: the constraint. */
  readonly sumOf: readonly (number | null)[];
  readonly tupleOf: readonly number[];
  readonly quiescentOf: readonly number[];
  /** For each sum: whether the value 0 is of interest. */
  readonly ofInterestAt0: readonly boolean[];
}

export function sortPredicates({ predicates = [], constraint }: Omit<Sourced, 'model'>): SortedPredicates {
  const indexed = predicates.map(({ predicate, expect }, index) => ({ predicate, expect, index }));
  const always = indexed.filter(({ expect }) => expect !== 'quiescent');
  const stuck = indexed.filter(({ expect }) => expect === 'quiescent');
  const room = mostSums - (constraint?.kind === 'sum' ? 1 : 0);
  const summed = always.filter(({ predicate }) => predicate.kind === 'sum').slice(0, room);
  const others = always.filter((entry) => !summed.includes(entry));
  const sums = summed.map(({ predicate }) => predicate as SumPredicate);
  const bySum = constraint?.kind === 'sum' ? constraint : null;
  return {
    sums: bySum === null ? sums : [bySum, ...sums],
    ofInterestAt0: [
      ...(bySum === null ? [] : [!bySum.judge(0)]),
      ...summed.map(
        ({ predicate, expect }) => (predicate as SumPredicate).judge(0) === (expect === 'reachable'),
      ),
    ],
    sumOf: [...(bySum === null ? [] : [null]), ...summed.map(({ index }) => index)],
    tuples: others.map(({ predicate }) => asTuple(predicate)),
    tupleOf: others.map(({ index }) => index),
    constraint: constraint && bySum === null ? asTuple(constraint) : null,
    quiescent: stuck.map(({ predicate }) => asTuple(predicate)),
    quiescentOf: stuck.map(({ index }) => index),
  };
}

/** The predicates that judge a state immediately, by values stored with its locals. */
export const shown = ({ constraint, quiescent }: SortedPredicates): readonly TuplePredicate[] =>
  constraint === null ? quiescent : [constraint, ...quiescent];

/** The predicates whose code may read the model. */
export const coded = (what: SortedPredicates): readonly TuplePredicate[] => [...what.tuples, ...shown(what)];

/** Any predicate as a tuple: a sum observes its weights. */
export function asTuple(predicate: Predicate): TuplePredicate {
  if (predicate.kind === 'tuple') return predicate;
  return {
    kind: 'tuple',
    pure: true,
    observe: (process, local) => predicate.project(process, local),
    judge: (observed) => predicate.judge(observed.reduce((sum, weight) => (sum + weight) >>> 0, 0)),
  };
}

/** The findings of the states of one level. For each predicate, the smallest state of interest. */
export interface Findings {
  readonly found: (readonly number[] | null)[];
  deadlock: readonly number[] | null;
  deadlocks: number;
  cut: number;
  /** Number of states that the orbits stand for. */
  represented: number;
  /** Renamings that are not known yet: process, local, and the image of each process. */
  renamings: number[];
}

const noFindings = (predicates: number): Findings => ({
  found: Array.from({ length: predicates }, () => null),
  deadlock: null,
  deadlocks: 0,
  cut: 0,
  represented: 0,
  renamings: [],
});

/** Merges the findings of several threads. */
export function merge(all: readonly Findings[]): Findings {
  return {
    found: all[0]!.found.map((_, predicate) =>
      all.map(({ found }) => found[predicate] ?? null).reduce((a, b) => smaller(a, b)),
    ),
    deadlock: all.map(({ deadlock }) => deadlock).reduce((a, b) => smaller(a, b)),
    deadlocks: all.reduce((sum, { deadlocks }) => sum + deadlocks, 0),
    cut: all.reduce((sum, { cut }) => sum + cut, 0),
    represented: all.reduce((sum, { represented }) => sum + represented, 0),
    renamings: [],
  };
}

/**
 * Judges the states that the kernel cannot decide alone, and remembers the verdicts that it must not ask
 * again.
 */
export class PredicateEvaluator {
  private findings: Findings;
  /** KernelPredicates whose first state was found in an earlier level. */
  decided: readonly boolean[];
  deadlockDecided = false;
  private readonly predicates: readonly NamedPredicate[];
  /** For each predicate: the verdict that is of no interest. */
  private readonly dull: readonly boolean[];
  private readonly sorted: SortedPredicates;
  private readonly memory: Int32Array;
  private readonly width: number;
  private readonly base: number;
  private readonly verdicts: Map<number, boolean>[];
  /** The observed values of the tuples to be judged, by tuple and by predicate. */
  private readonly observed: readonly (readonly Int32Array[])[];
  private readonly shown: readonly Int32Array[];
  private plan!: StateLayout;
  private kernel!: Kernel;
  private readonly after: Int32Array;
  private readonly canonicalizer: Canonicalizer | null;

  constructor(
    predicates: readonly NamedPredicate[],
    what: SortedPredicates,
    width: number,
    tables: Tables | null,
    memory: Int32Array,
    worker: number,
  ) {
    this.predicates = predicates;
    this.dull = predicates.map(({ expect }) => expect !== 'reachable');
    this.canonicalizer = tables?.symmetric
      ? createCanonicalizer(
          tables.symmetry((...renaming) => this.findings.renamings.push(...renaming)),
          width,
        )
      : null;
    this.sorted = what;
    this.memory = memory;
    this.width = width;
    this.base = (regions.workers + worker * regions.workerBytes) >> 2;
    this.verdicts = what.sums.map(() => new Map());
    this.after = memory.subarray(this.base + (area.after >> 2), this.base + (area.after >> 2) + width);
    const tuple = (at: number, index: number) => {
      const begin = this.base + (at >> 2) + index * width;
      return memory.subarray(begin, begin + width);
    };
    const { length } = what.tuples;
    this.observed = Array.from({ length: length === 0 ? 0 : perBucket(length, width) }, (_, i) =>
      what.tuples.map((_, predicate) => tuple(area.observed, i * length + predicate)),
    );
    this.shown = shown(what).map((_, predicate) => tuple(area.shown, predicate));
    this.decided = this.predicates.map(() => false);
    this.findings = noFindings(this.predicates.length);
  }

  sums(): number {
    let answer = 1;
    for (const [lane, i] of this.plan.sums.entries()) {
      const sum = this.memory[this.base + (area.sums >> 2) + lane]! >>> 0;
      let verdict = this.verdicts[i]!.get(sum);
      if (verdict === undefined) {
        verdict = this.sorted.sums[i]!.judge(sum);
        this.verdicts[i]!.set(sum, verdict);
      }
      const predicate = this.sorted.sumOf[i]!;
      if (predicate === null) {
        if (verdict) continue;
        this.findings.cut++;
        answer = 2;
      } else if (verdict !== this.dull[predicate] && !this.decided[predicate]) {
        this.note(predicate, this.locals());
        answer &= ~1;
      }
    }
    return answer;
  }

  /** Judges `count` tuples, and marks those that need no further judging. */
  tuples(count: number): void {
    const { tuples, tupleOf } = this.sorted;
    for (let i = 0; i < count; i++) {
      const observed = this.observed[i]!;
      let quiet = 1;
      for (let predicate = 0; predicate < tuples.length; predicate++) {
        if (tuples[predicate]!.judge(observed[predicate]!) === this.dull[tupleOf[predicate]!]) continue;
        if (this.decided[tupleOf[predicate]!]) continue;
        quiet = 0;
        this.note(tupleOf[predicate]!, this.decode(this.memory[this.base + (area.missing >> 2) + i]!));
      }
      this.memory[this.base + (area.quiet >> 2) + i] = quiet;
    }
  }

  /** Tells whether the constraint holds for the values in `area.shown`. */
  inside(): number {
    if (this.sorted.constraint!.judge(this.shown[0]!)) return 1;
    this.findings.cut++;
    return 0;
  }

  deadlock(): void {
    this.findings.deadlocks++;
    this.sorted.quiescent.forEach((predicate, i) => {
      const index = this.sorted.quiescentOf[i]!;
      if (!this.decided[index] && !predicate.judge(this.shown[i]!)) this.note(index, this.locals());
    });
    if (!this.deadlockDecided) this.findings.deadlock = smaller(this.findings.deadlock, this.locals());
  }

  /** Rewrites `area.after` to its canonical form. 0: the model has to be asked first. */
  canonicalize(): number {
    return this.canonicalizer!.canonicalize(this.after);
  }

  /** Counts the orbit of `area.locals`. 0: the model has to be asked first. */
  orbit(): number {
    this.after.set(this.memory.subarray(this.base, this.base + this.width));
    const size = this.canonicalizer!.canonicalize(this.after);
    this.findings.represented += size;
    return size === 0 ? 0 : 1;
  }

  /** Returns the findings since the last report. */
  report(): Findings {
    const { findings } = this;
    this.findings = noFindings(this.predicates.length);
    return findings;
  }

  /** Adopts the layout by which states are decoded. */
  load(plan: StateLayout, kernel: Kernel): void {
    this.plan = plan;
    this.kernel = kernel;
  }

  /** The locals of the state that is being expanded. */
  private locals(): Int32Array {
    return this.memory.subarray(this.base, this.base + this.width);
  }

  /** The locals of a tuple's state. */
  private decode(tuple: number): Int32Array {
    const at = tuple + 8 * this.plan.classWords;
    const to = (this.base << 2) + area.decoded;
    this.kernel.unpack(at, at + this.plan.stateBytes, to);
    return this.memory.subarray(to >> 2, (to >> 2) + this.width);
  }

  private note(predicate: number, locals: Int32Array): void {
    this.findings.found[predicate] = smaller(this.findings.found[predicate]!, locals);
  }
}

/** The smaller of two states, compared as tuples. If the result is `b`, it is a copy. */
export function smaller(
  a: readonly number[] | null,
  b: readonly number[] | Int32Array | null,
): readonly number[] | null {
  if (b === null) return a;
  if (a === null) return [...b];
  const at = a.findIndex((local, process) => local !== b[process]);
  return at === -1 || a[at]! < b[at]! ? a : [...b];
}
