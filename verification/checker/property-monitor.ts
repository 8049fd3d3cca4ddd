import type { Predicate } from './model.ts';

/** A predicate whose value for every local is remembered. A `sum` is judged once per distinct sum. */
export class PropertyMonitor {
  readonly #predicate: Predicate;
  readonly #width: number;
  /** For each process and local: the value. `undefined`: not asked yet. */
  readonly #seen: (number | undefined)[][];
  readonly #sums = new Map<number, boolean>();
  readonly #observed: Int32Array;

  constructor(predicate: Predicate, width: number) {
    this.#predicate = predicate;
    this.#width = width;
    this.#seen = Array.from({ length: width }, () => []);
    this.#observed = new Int32Array(width);
  }

  /** Judges the state whose locals begin at `locals[base]`. */
  holds(locals: Int32Array, base: number): boolean {
    const predicate = this.#predicate;
    let sum = 0;
    for (let process = 0; process < this.#width; process++) {
      const local = locals[base + process]!;
      const seen = this.#seen[process]!;
      let value = seen[local];
      if (value === undefined) {
        value =
          predicate.kind === 'sum' ? predicate.project(process, local) : predicate.observe(process, local);
        while (seen.length < local) seen.push(undefined);
        seen[local] = value;
      }
      sum = (sum + value) >>> 0;
      this.#observed[process] = value;
    }
    if (predicate.kind === 'tuple') return predicate.judge(this.#observed);
    let verdict = this.#sums.get(sum);
    if (verdict === undefined) {
      verdict = predicate.judge(sum);
      this.#sums.set(sum, verdict);
    }
    return verdict;
  }
}
