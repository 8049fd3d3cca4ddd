import { Draws } from './draws.ts';

/** Time in ms after which TCP sends a lost piece again, on Linux; doubled each time that it is lost once more. */
const resendMs = 200;

/** One direction between two sites, over all their connections, with its present faults. */
export class Way {
  /** Number of faults that hold it. */
  #holds = 0;
  /** Extra delay of each byte, in ms. */
  delayMs = 0;
  #loss: { readonly percent: number; readonly draws: Draws } | null = null;
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

  /** From now on `percent` of the pieces are lost. */
  lose(percent: number, seed: number): void {
    this.#loss = percent === 0 ? null : { percent, draws: new Draws(seed) };
  }

  /** The delay of the next piece, in ms, with the times that it is sent again. */
  nextDelayMs(): number {
    let late = 0;
    for (let wait = resendMs; this.#loss?.draws.percent(this.#loss.percent); wait *= 2) late += wait;
    return this.delayMs + late;
  }

  heal(): void {
    this.delayMs = 0;
    this.#loss = null;
    this.cutAfterBytes = null;
    this.#holds = 0;
    this.release();
  }
}
