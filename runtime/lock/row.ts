/** Half of the time between two heartbeats, or less, even where each section is of a lock that was never used before. */
const mostInARow = 256;

/**
 * The critical sections that callers of one site were granted at once, of whatever locks, until one waits for the event loop's next turn.
 * Otherwise a program that uses one lock after the other, each with its token here, would keep the site from its timers and its peers.
 */
export class Row {
  #length = 0;

  get isSpent(): boolean {
    return this.#length >= mostInARow;
  }

  count(): void {
    this.#length += 1;
  }

  turned(): void {
    this.#length = 0;
  }
}
