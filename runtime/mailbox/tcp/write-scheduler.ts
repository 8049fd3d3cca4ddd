/** Less to make than what `queueMicrotask` makes. */
const settled = Promise.resolve();

/**
 * When connections write what they have gathered: as soon as nothing more comes of what was just read, or said. Those
 * whose bytes somebody stands still for come first: a write takes longer than all that led to it.
 */
export class WriteScheduler {
  #first: (() => void)[] = [];
  #others: (() => void)[] = [];
  #awaited = false;
  readonly #writeWhenSettled = () => process.nextTick(this.#writeAll);
  readonly #writeAll = () => {
    this.#awaited = false;
    const writes = [...this.#first, ...this.#others];
    this.#first = [];
    this.#others = [];
    for (const write of writes) write();
  };

  /** `write` may be called though there is nothing any more. */
  add(write: () => void, isFirst: boolean): void {
    (isFirst ? this.#first : this.#others).push(write);
    if (this.#awaited) return;
    this.#awaited = true;
    // Ticks that are asked for among promises come when all of those are settled: a grant is a promise.
    settled.then(this.#writeWhenSettled);
  }
}
