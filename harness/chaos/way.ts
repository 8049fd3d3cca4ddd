/** One direction between two sites, over all their connections, with its present faults. */
export class Way {
  /** Number of faults that hold it. */
  #holds = 0;
  /** Extra delay of each byte, in ms. */
  delayMs = 0;
  /** The connection that passes this many further bytes is reset right after them. */
  cutAfterBytes: number | null = null;
  /** Callers that wait for the direction to be open again. */
  readonly waiters = new Set<() => void>();

  /** True while nothing passes: no bytes, no end of a stream, no reset. */
  get held(): boolean {
    return this.#holds > 0;
  }

  hold(): void {
    this.#holds++;
  }

  /** Removes one hold. Once none is left, everything passes. */
  release(): void {
    this.#holds = Math.max(0, this.#holds - 1);
    if (!this.held) for (const waiter of [...this.waiters]) waiter();
  }

  heal(): void {
    this.delayMs = 0;
    this.cutAfterBytes = null;
    this.#holds = 0;
    this.release();
  }
}
