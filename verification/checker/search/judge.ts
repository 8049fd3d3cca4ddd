import type { Watch } from '../model.ts';
import { area, regions } from './plan.ts';
import type { Tables } from './tables.ts';
import type { NamedWatch, Sourced } from './types.ts';
import { type Canonicalizer, createCanonicalizer } from '../symmetry.ts';

type TupleWatch = Extract<Watch, { kind: 'tuple' }>;
type SumWatch = Extract<Watch, { kind: 'sum' }>;

/** More sums than this are judged as tuples. */
const mostSums = 16;

/** What the kernel watches: sums side by side, tuples side by side, and whose each of them is. */
export interface Watched {
  readonly sums: readonly SumWatch[];
  readonly tuples: readonly TupleWatch[];
  /** What deadlocks are shown to. */
  readonly quiescent: readonly TupleWatch[];
  /** Index into `watches`, or `null`: the constraint. */
  readonly sumOf: readonly (number | null)[];
  readonly tupleOf: readonly (number | null)[];
  readonly quiescentOf: readonly number[];
}

export function watched({ watches = [], constraint }: Omit<Sourced, 'model'>): Watched {
  const indexed = watches.map(({ watch, expect }, index) => ({ watch, expect, index }));
  const stuck = indexed.filter(({ expect }) => expect === 'quiescent');
  const all: [Watch, number | null][] = constraint ? [[constraint, null]] : [];
  for (const { watch, expect, index } of indexed) if (expect !== 'quiescent') all.push([watch, index]);
  const sums: SumWatch[] = [];
  const tuples: TupleWatch[] = [];
  const sumOf: (number | null)[] = [];
  const tupleOf: (number | null)[] = [];
  for (const [watch, index] of all) {
    if (watch.kind === 'sum' && sums.length < mostSums) {
      sums.push(watch);
      sumOf.push(index);
    } else {
      tuples.push(asTuple(watch));
      tupleOf.push(index);
    }
  }
  return {
    ...{ sums, tuples, sumOf, tupleOf },
    quiescent: stuck.map(({ watch }) => asTuple(watch)),
    quiescentOf: stuck.map(({ index }) => index),
  };
}

function asTuple(watch: Watch): TupleWatch {
  if (watch.kind === 'tuple') return watch;
  return {
    kind: 'tuple',
    pure: true,
    observe: (cell, local) => watch.weigh(cell, local),
    judge: (observed) => watch.judge(observed.reduce((sum, weight) => (sum + weight) >>> 0, 0)),
  };
}

/** What the states of one level have shown: for each watch the smallest one of interest. */
export interface Findings {
  readonly found: (readonly number[] | null)[];
  deadlock: readonly number[] | null;
  deadlocks: number;
  cut: number;
  /** States that orbits stand for. */
  represented: number;
  /** Renamings that are not known yet: cell, local, and the cell that each cell becomes. */
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

/** The findings of several threads as one. */
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

/** Judges the states that the kernel could not pass on its own, and remembers what it must not ask again. */
export class Judge {
  private findings: Findings;
  /** Watches whose first state is known, of an earlier level. */
  decided: readonly boolean[];
  deadlockDecided = false;
  private readonly watches: readonly NamedWatch[];
  private readonly watched: Watched;
  private readonly memory: Int32Array;
  private readonly width: number;
  private readonly base: number;
  private readonly verdicts: Map<number, boolean>[];
  private readonly observed: readonly Int32Array[];
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
    const observed = this.base + (area.observed >> 2);
    this.observed = [...what.tuples, ...what.quiescent].map((_, i) =>
      memory.subarray(observed + i * this.width, observed + (i + 1) * this.width),
    );
    this.decided = this.watches.map(() => false);
    this.findings = noFindings(this.watches.length);
  }

  sums(): number {
    let answer = 1;
    for (let i = 0; i < this.watched.sums.length; i++) {
      const sum = this.memory[this.base + (area.sums >> 2) + i]! >>> 0;
      let verdict = this.verdicts[i]!.get(sum);
      if (verdict === undefined) {
        verdict = this.watched.sums[i]!.judge(sum);
        this.verdicts[i]!.set(sum, verdict);
      }
      answer = this.combine(answer, this.watched.sumOf[i]!, verdict);
    }
    return answer;
  }

  tuples(): number {
    let answer = 1;
    for (let i = 0; i < this.watched.tuples.length; i++) {
      const verdict = this.watched.tuples[i]!.judge(this.observed[i]!);
      answer = this.combine(answer, this.watched.tupleOf[i]!, verdict);
    }
    return answer;
  }

  deadlock(): void {
    this.findings.deadlocks++;
    const first = this.watched.tuples.length;
    this.watched.quiescent.forEach((watch, i) => {
      this.combine(1, this.watched.quiescentOf[i]!, watch.judge(this.observed[first + i]!));
    });
    if (this.deadlockDecided) return;
    const locals = this.memory.subarray(this.base, this.base + this.width);
    this.findings.deadlock = smaller(this.findings.deadlock, locals);
  }

  /** Rewrites `area.after` to its canonical form; 0: the model has to be asked first. */
  canonicalize(): number {
    return this.canonicalizer!.canonicalize(this.after);
  }

  /** Counts the orbit of `area.locals`; 0: the model has to be asked first. */
  orbit(): number {
    this.after.set(this.memory.subarray(this.base, this.base + this.width));
    const size = this.canonicalizer!.canonicalize(this.after);
    this.findings.represented += size;
    return size === 0 ? 0 : 1;
  }

  /** What was found since the last report. */
  report(): Findings {
    const { findings } = this;
    this.findings = noFindings(this.watches.length);
    return findings;
  }

  private combine(answer: number, watch: number | null, verdict: boolean): number {
    if (watch === null) {
      if (verdict) return answer;
      if ((answer & 2) === 0) this.findings.cut++;
      return 2;
    }
    if (this.decided[watch] || verdict === (this.watches[watch]!.expect !== 'reachable')) return answer;
    const locals = this.memory.subarray(this.base, this.base + this.width);
    this.findings.found[watch] = smaller(this.findings.found[watch]!, locals);
    return answer & ~1;
  }
}

/** The smaller of two states, as tuples; a copy of what it keeps. */
export function smaller(
  a: readonly number[] | null,
  b: readonly number[] | Int32Array | null,
): readonly number[] | null {
  if (b === null) return a;
  if (a === null) return [...b];
  const at = a.findIndex((local, cell) => local !== b[cell]);
  return at === -1 || a[at]! < b[at]! ? a : [...b];
}
