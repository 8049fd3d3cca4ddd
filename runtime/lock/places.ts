import type { Clock } from '../api/clock.ts';

/** A stack costs as much as all else of an uncontended grant, so a site takes one at most once in this time. */
const everyMs = 10;

/** Stacks of the calls of `acquire` at one site, now and then, for the report of a grant that was forgotten. */
export class Places {
  readonly #clock: Clock;
  #takenAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The stack of the caller; `null` when one was taken just now. */
  take(): Error | null {
    const now = this.#clock.now();
    if (now - this.#takenAt < everyMs) return null;
    this.#takenAt = now;
    return new Error('here');
  }
}
