import type { Watch } from './model.ts';
import { area, regions } from './search-plan.ts';
import type { NamedWatch, Sourced } from './search-types.ts';

type TupleWatch = Extract<Watch, { kind: 'tuple' }>;
type SumWatch = Extract<Watch, { kind: 'sum' }>;

/** More sums than this are judged as tuples. */
const mostSums = 16;

/** What the kernel watches: sums side by side, tuples side by side, and whose each of them is. */
export interface Watched {
  readonly sums: readonly SumWatch[];
  readonly tuples: readonly TupleWatch[];
  /** Index into `watches`, or `null`: the constraint. */
  readonly sumOf: readonly (number | null)[];
  readonly tupleOf: readonly (number | null)[];
}

export function watched(watches: readonly NamedWatch[], constraint: Watch | undefined): Watched {
  const all: [Watch, number | null][] = watches.map(({ watch }, index) => [watch, index]);
  if (constraint) all.unshift([constraint, null]);
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
  return { sums, tuples, sumOf, tupleOf };
}

function asTuple(watch: Watch): TupleWatch {
  if (watch.kind === 'tuple') return watch;
  return {
    kind: 'tuple',
    observe: watch.weigh,
    judge: (observed) => watch.judge(observed.reduce((sum, weight) => (sum + weight) >>> 0, 0)),
  };
}

/** What the states of one level have shown: for each watch the smallest one of interest. */
export interface Findings {
  readonly found: (readonly number[] | null)[];
  deadlock: readonly number[] | null;
  deadlocks: number;
  cut: number;
}

export const noFindings = (watches: number): Findings => ({
  found: Array.from({ length: watches }, () => null),
  deadlock: null,
  deadlocks: 0,
  cut: 0,
});

/** Judges the states that the kernel could not pass on its own, and remembers what it must not ask again. */
export class Judge {
  findings: Findings;
  /** Watches whose first state is known, of an earlier level. */
  readonly decided: boolean[];
  deadlockDecided = false;
  private readonly watches: readonly NamedWatch[];
  private readonly watched: Watched;
  private readonly quiescent: TupleWatch | null;
  private readonly memory: Int32Array;
  private readonly width: number;
  private readonly base: number;
  private readonly verdicts: Map<number, boolean>[];
  private readonly observed: readonly Int32Array[];

  constructor(source: Sourced, what: Watched, memory: Int32Array, worker: number) {
    this.watches = source.watches ?? [];
    this.watched = what;
    this.quiescent = source.quiescent ? asTuple(source.quiescent) : null;
    this.memory = memory;
    this.width = source.model.width;
    this.base = (regions.workers + worker * regions.workerBytes) >> 2;
    this.verdicts = what.sums.map(() => new Map());
    const observed = this.base + (area.observed >> 2);
    this.observed = what.tuples.map((_, i) =>
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
    if (this.deadlockDecided) return;
    const locals = this.memory.subarray(this.base, this.base + this.width);
    const { quiescent } = this;
    if (quiescent?.judge(locals.map((local, cell) => quiescent.observe(cell, local)))) return;
    this.findings.deadlock = smaller(this.findings.deadlock, locals);
  }

  private combine(answer: number, watch: number | null, verdict: boolean): number {
    if (watch === null) {
      if (verdict) return answer;
      if ((answer & 2) === 0) this.findings.cut++;
      return 2;
    }
    if (this.decided[watch] || verdict === (this.watches[watch]!.expect === 'always')) return answer;
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
