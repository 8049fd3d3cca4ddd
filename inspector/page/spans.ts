const block = 64;

/**
 * An index of things by the time at which they are present. A node of level `k` covers 2^k blocks of moments.
 * A thing is stored in as few nodes as cover its time: at most two of each level, however long it is present.
 */
export class Spans {
  /** Number of entries in all nodes. */
  places = 0;
  readonly #levels: Map<number, number[]>[] = [];

  /** Adds a thing that is present from `from` to `to`, inclusive. */
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

  /**
   * The things present at some time from `from` to `to`, inclusive, in ascending order. The list may include
   * things that are present only just before or after.
   */
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
