import type { Clock } from '../api/clock.ts';

/** A stack costs as much as all else of an uncontended grant, so a site takes one at most once in this time. */
const everyMs = 10;
/** The same where more than `few` callers came meanwhile. */
const everyMsOfMany = 100;
const few = 16;

/** Stacks of the calls of `acquire` at one site, now and then, for the report of a grant that was forgotten. */
export class Places {
  readonly #clock: Clock;
  #takenAt = Number.NEGATIVE_INFINITY;
  /** Number of callers since. */
  #callers = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The stack of the caller; `null` when one was taken just now. */
  take(): Error | null {
    const now = this.#clock.now();
    this.#callers += 1;
    if (now - this.#takenAt < (this.#callers > few ? everyMsOfMany : everyMs)) return null;
    this.#takenAt = now;
    this.#callers = 0;
    return new Error('here');
  }
}
