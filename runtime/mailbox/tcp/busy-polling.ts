import type { Clock } from '../../api/clock.ts';

/** The longest poll. */
const pollMs = 0.1;
/** After a wait that was longer, the next message is not polled for. */
const shortWaitMs = 0.3;
/** The most messages that are sent without a poll after polls in vain. */
const mostSkipped = 1_024;

/**
 * Adaptive busy polling, as of KVM's halt polling: keeps the event loop awake for a moment after an urgent message was sent, because the
 * next one may come sooner than a process goes to sleep and is woken. A woken process also finds its caches cold, so polling saves CPU
 * time as well, where it is not in vain.
 *
 * It polls only where the last wait was short. Each poll in vain doubles the number of messages that are sent before the next poll.
 */
export class BusyPolling {
  readonly #clock: Clock;
  /** When the last urgent message was sent. */
  #sentAt = Number.NEGATIVE_INFINITY;
  #wasShort = false;
  #polls = false;
  /** A turn of the event loop is asked for. */
  #turns = false;
  /** Messages to send before the next poll, and the number to skip after the next poll in vain. */
  #skip = 0;
  #backOff = 1;
  readonly #turn = () => {
    this.#turns = false;
    if (!this.#polls) return;
    if (this.#clock.now() - this.#sentAt < pollMs) {
      this.#keepAwake();
      return;
    }
    this.#polls = false;
    this.#skip = this.#backOff;
    this.#backOff = Math.min(2 * this.#backOff, mostSkipped);
  };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** An urgent message was written. */
  sent(): void {
    this.#sentAt = this.#clock.now();
    if (!this.#wasShort) return;
    if (this.#skip > 0) {
      this.#skip -= 1;
      return;
    }
    this.#polls = true;
    if (!this.#turns) this.#keepAwake();
  }

  /** An urgent message was read. */
  received(): void {
    this.#wasShort = this.#clock.now() - this.#sentAt < shortWaitMs;
    if (!this.#polls) return;
    this.#polls = false;
    this.#backOff = 1;
  }

  #keepAwake(): void {
    this.#turns = true;
    this.#clock.nextTurn(this.#turn);
  }
}
