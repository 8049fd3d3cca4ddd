import type { Clock, Random } from '../../api/clock.ts';

export interface HeartbeatOptions {
  readonly heartbeatMs: number;
  readonly failureTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly beat: (now: number) => void;
  /** This process did nothing for `failureTimeoutMs` or longer: the others may have given it up. */
  readonly paused: (now: number) => void;
}

/** Beats every `heartbeatMs`, shortened at random by up to a quarter, and notices when it could not. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #at: number;
  #cancel: (() => void) | null = null;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#at = options.clock.now();
  }

  start(): void {
    this.#at = this.#options.clock.now();
    this.#schedule();
  }

  /** Before anything that has come is believed: what waited in a socket through a pause is from before it. */
  check(): void {
    const { clock, failureTimeoutMs, paused } = this.#options;
    const now = clock.now();
    if (!this.#cancel || now - this.#at < failureTimeoutMs) return;
    this.#at = now;
    paused(now);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  #schedule(): void {
    const { heartbeatMs, clock, random, beat } = this.#options;
    this.#cancel = clock.after(heartbeatMs * (1 - random.fraction() / 4), () => {
      this.check();
      this.#at = clock.now();
      beat(this.#at);
      if (this.#cancel) this.#schedule();
    });
  }
}
