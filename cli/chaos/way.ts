/** One direction between two sites, over all their connections: the faults that are on it now. */
export class Way {
  #held = false;
  /** How long each byte takes longer. */
  delayMs = 0;
  /** The connection that passes the next so many bytes is reset right after them. */
  cutAfterBytes: number | null = null;
  /** Whoever waits for it to be open again. */
  readonly waiters = new Set<() => void>();

  /** Nothing passes: not bytes, not an end, not the news of a reset. */
  get held(): boolean {
    return this.#held;
  }

  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    for (const waiter of [...this.waiters]) waiter();
  }

  heal(): void {
    this.delayMs = 0;
    this.cutAfterBytes = null;
    this.release();
  }
}
