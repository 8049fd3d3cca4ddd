import type { Predicate } from './model.ts';

/** A watch whose value for every local is remembered. A `sum` is judged once per distinct sum. */
export class PropertyMonitor {
  readonly #watch: Predicate;
  readonly #width: number;
  /** For each cell and local: the value. `undefined`: not asked yet. */
  readonly #seen: (number | undefined)[][];
  readonly #sums = new Map<number, boolean>();
  readonly #observed: Int32Array;

  constructor(watch: Predicate, width: number) {
    this.#watch = watch;
    this.#width = width;
    this.#seen = Array.from({ length: width }, () => []);
    this.#observed = new Int32Array(width);
  }

  /** Judges the state whose locals begin at `cells[base]`. */
  holds(cells: Int32Array, base: number): boolean {
    const watch = this.#watch;
    let sum = 0;
    for (let cell = 0; cell < this.#width; cell++) {
      const local = cells[base + cell]!;
      const seen = this.#seen[cell]!;
      let value = seen[local];
      if (value === undefined) {
        value = watch.kind === 'sum' ? watch.weigh(cell, local) : watch.observe(cell, local);
        while (seen.length < local) seen.push(undefined);
        seen[local] = value;
      }
      sum = (sum + value) >>> 0;
      this.#observed[cell] = value;
    }
    if (watch.kind === 'tuple') return watch.judge(this.#observed);
    let verdict = this.#sums.get(sum);
    if (verdict === undefined) {
      verdict = watch.judge(sum);
      this.#sums.set(sum, verdict);
    }
    return verdict;
  }
}
