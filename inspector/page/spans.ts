const block = 64;

/**
 * Things by when they are there. A node of level `k` is 2^k blocks of moments, and a thing stands in as few nodes as
 * make up its time: two of each level at most, however long that is.
 */
export class Spans {
  /** In how many nodes things stand. */
  places = 0;
  readonly #levels: Map<number, number[]>[] = [];

  /** It is there from `from` to `to`, ends included. */
  add(index: number, from: number, to: number): void {
    let left = Math.floor(from / block);
    let right = Math.floor(to / block) + 1;
    for (let level = 0; left < right; level++) {
      if (left % 2 === 1) this.#put(level, left++, index);
      if (right % 2 === 1) this.#put(level, --right, index);
      left >>= 1;
      right >>= 1;
    }
  }

  /** What is there at some time from `from` to `to`, ends included, ascending; some of it may be there just before or after. */
  within(from: number, to: number): readonly number[] {
    const found = new Set<number>();
    for (const [level, nodes] of this.#levels.entries()) {
      const last = Math.floor(to / block) >> level;
      for (let node = Math.floor(from / block) >> level; node <= last; node++) {
        for (const index of nodes.get(node) ?? []) found.add(index);
      }
    }
    return [...found].sort((left, right) => left - right);
  }

  #put(level: number, node: number, index: number): void {
    while (this.#levels.length <= level) this.#levels.push(new Map());
    const nodes = this.#levels[level]!;
    const known = nodes.get(node);
    if (known === undefined) nodes.set(node, [index]);
    else known.push(index);
    this.places++;
  }
}
