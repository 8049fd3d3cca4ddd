/** One direction between two sites, over all their connections: the faults that are on it now. */
export class Way {
  /** How many hold it. */
  #holds = 0;
  /** How long each byte takes longer. */
  delayMs = 0;
  /** The connection that passes this many further bytes is reset right after them. */
  cutAfterBytes: number | null = null;
  /** Callers that wait for the direction to be open again. */
  readonly waiters = new Set<() => void>();

  /** Nothing passes: not bytes, not an end, not the news of a reset. */
  get held(): boolean {
    return this.#holds > 0;
  }

  hold(): void {
    this.#holds++;
  }

  /** Takes one hold away; the last lets all pass. */
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
