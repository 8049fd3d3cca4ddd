import type { Predicate } from '../model.ts';
import { type Canonicalizer, createCanonicalizer } from '../symmetry/index.ts';
import { type Kernel, perBucket } from './kernel/shape.ts';
import { area, regions } from './memory.ts';
import type { StateLayout } from './state-layout.ts';
import type { Tables } from './tables.ts';
import type { NamedWatch, Sourced } from './types.ts';

type TupleWatch = Extract<Predicate, { kind: 'tuple' }>;
type SumWatch = Extract<Predicate, { kind: 'sum' }>;

/** Maximum number of watches judged by sum. Further ones are judged as tuples. */
const mostSums = 16;

/** The kernel's watches: sums side by side, tuples side by side, and the owner of each of them. */
export interface Watched {
  readonly sums: readonly SumWatch[];
  readonly tuples: readonly TupleWatch[];
  /** The constraint, unless it is among the sums. */
  readonly constraint: TupleWatch | null;
  /** The watches that judge deadlocks. */
  readonly quiescent: readonly TupleWatch[];
  /** Index into `watches`. `null`: the constraint. */
  readonly sumOf: readonly (number | null)[];
  readonly tupleOf: readonly number[];
  readonly quiescentOf: readonly number[];
  /** For each sum: whether the value 0 is of interest. */
  readonly ofInterestAt0: readonly boolean[];
}

export function watched({ watches = [], constraint }: Omit<Sourced, 'model'>): Watched {
  const indexed = watches.map(({ watch, expect }, index) => ({ watch, expect, index }));
  const always = indexed.filter(({ expect }) => expect !== 'quiescent');
  const stuck = indexed.filter(({ expect }) => expect === 'quiescent');
  const room = mostSums - (constraint?.kind === 'sum' ? 1 : 0);
  const summed = always.filter(({ watch }) => watch.kind === 'sum').slice(0, room);
  const others = always.filter((entry) => !summed.includes(entry));
  const sums = summed.map(({ watch }) => watch as SumWatch);
  const bySum = constraint?.kind === 'sum' ? constraint : null;
  return {
    sums: bySum === null ? sums : [bySum, ...sums],
    ofInterestAt0: [
      ...(bySum === null ? [] : [!bySum.judge(0)]),
      ...summed.map(({ watch, expect }) => (watch as SumWatch).judge(0) === (expect === 'reachable')),
    ],
    sumOf: [...(bySum === null ? [] : [null]), ...summed.map(({ index }) => index)],
    tuples: others.map(({ watch }) => asTuple(watch)),
    tupleOf: others.map(({ index }) => index),
    constraint: constraint && bySum === null ? asTuple(constraint) : null,
    quiescent: stuck.map(({ watch }) => asTuple(watch)),
    quiescentOf: stuck.map(({ index }) => index),
  };
}

/** The watches that judge a state immediately, by values stored with its locals. */
export const shown = ({ constraint, quiescent }: Watched): readonly TupleWatch[] =>
  constraint === null ? quiescent : [constraint, ...quiescent];

/** The watches whose code may read the model. */
export const coded = (what: Watched): readonly TupleWatch[] => [...what.tuples, ...shown(what)];

function asTuple(watch: Predicate): TupleWatch {
  if (watch.kind === 'tuple') return watch;
  return {
    kind: 'tuple',
    pure: true,
    observe: (cell, local) => watch.weigh(cell, local),
    judge: (observed) => watch.judge(observed.reduce((sum, weight) => (sum + weight) >>> 0, 0)),
  };
}

/** The findings of the states of one level. For each watch, the smallest state of interest. */
export interface Findings {
  readonly found: (readonly number[] | null)[];
  deadlock: readonly number[] | null;
  deadlocks: number;
  cut: number;
  /** Number of states that the orbits stand for. */
  represented: number;
  /** Renamings that are not known yet: cell, local, and the image of each cell. */
  renamings: number[];
}

const noFindings = (watches: number): Findings => ({
  found: Array.from({ length: watches }, () => null),
  deadlock: null,
  deadlocks: 0,
  cut: 0,
  represented: 0,
  renamings: [],
});

/** Merges the findings of several threads. */
export function merge(all: readonly Findings[]): Findings {
  return {
    found: all[0]!.found.map((_, watch) =>
      all.map(({ found }) => found[watch] ?? null).reduce((a, b) => smaller(a, b)),
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
  /** Watches whose first state was found in an earlier level. */
  decided: readonly boolean[];
  deadlockDecided = false;
  private readonly watches: readonly NamedWatch[];
  /** For each watch: the verdict that is of no interest. */
  private readonly dull: readonly boolean[];
  private readonly watched: Watched;
  private readonly memory: Int32Array;
  private readonly width: number;
  private readonly base: number;
  private readonly verdicts: Map<number, boolean>[];
  /** The observed values of the tuples to be judged, by tuple and by watch. */
  private readonly observed: readonly (readonly Int32Array[])[];
  private readonly shown: readonly Int32Array[];
  private plan!: StateLayout;
  private kernel!: Kernel;
  private readonly after: Int32Array;
  private readonly canonicalizer: Canonicalizer | null;

  constructor(
    watches: readonly NamedWatch[],
    what: Watched,
    width: number,
    tables: Tables | null,
    memory: Int32Array,
    worker: number,
  ) {
    this.watches = watches;
    this.dull = watches.map(({ expect }) => expect !== 'reachable');
    this.canonicalizer = tables?.symmetric
      ? createCanonicalizer(
          tables.symmetry((...renaming) => this.findings.renamings.push(...renaming)),
          width,
        )
      : null;
    this.watched = what;
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
      what.tuples.map((_, watch) => tuple(area.observed, i * length + watch)),
    );
    this.shown = shown(what).map((_, watch) => tuple(area.shown, watch));
    this.decided = this.watches.map(() => false);
    this.findings = noFindings(this.watches.length);
  }

  sums(): number {
    let answer = 1;
    for (const [lane, i] of this.plan.sums.entries()) {
      const sum = this.memory[this.base + (area.sums >> 2) + lane]! >>> 0;
      let verdict = this.verdicts[i]!.get(sum);
      if (verdict === undefined) {
        verdict = this.watched.sums[i]!.judge(sum);
        this.verdicts[i]!.set(sum, verdict);
      }
      const watch = this.watched.sumOf[i]!;
      if (watch === null) {
        if (verdict) continue;
        this.findings.cut++;
        answer = 2;
      } else if (verdict !== this.dull[watch] && !this.decided[watch]) {
        this.note(watch, this.locals());
        answer &= ~1;
      }
    }
    return answer;
  }

  /** Judges `count` tuples, and marks those that need no further judging. */
  tuples(count: number): void {
    const { tuples, tupleOf } = this.watched;
    for (let i = 0; i < count; i++) {
      const observed = this.observed[i]!;
      let quiet = 1;
      for (let watch = 0; watch < tuples.length; watch++) {
        if (tuples[watch]!.judge(observed[watch]!) === this.dull[tupleOf[watch]!]) continue;
        if (this.decided[tupleOf[watch]!]) continue;
        quiet = 0;
        this.note(tupleOf[watch]!, this.decode(this.memory[this.base + (area.missing >> 2) + i]!));
      }
      this.memory[this.base + (area.quiet >> 2) + i] = quiet;
    }
  }

  /** Tells whether the constraint holds for the values in `area.shown`. */
  inside(): number {
    if (this.watched.constraint!.judge(this.shown[0]!)) return 1;
    this.findings.cut++;
    return 0;
  }

  deadlock(): void {
    this.findings.deadlocks++;
    this.watched.quiescent.forEach((watch, i) => {
      const index = this.watched.quiescentOf[i]!;
      if (!this.decided[index] && !watch.judge(this.shown[i]!)) this.note(index, this.locals());
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
    this.findings = noFindings(this.watches.length);
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

  private note(watch: number, locals: Int32Array): void {
    this.findings.found[watch] = smaller(this.findings.found[watch]!, locals);
  }
}

/** The smaller of two states, compared as tuples. If the result is `b`, it is a copy. */
export function smaller(
  a: readonly number[] | null,
  b: readonly number[] | Int32Array | null,
): readonly number[] | null {
  if (b === null) return a;
  if (a === null) return [...b];
  const at = a.findIndex((local, cell) => local !== b[cell]);
  return at === -1 || a[at]! < b[at]! ? a : [...b];
}
