import type { Clock } from '../api/clock.ts';
import type { OperatingError } from '../api/errors.ts';
import type { AcquireOptions } from '../options/index.ts';
import { type Abortable, follow, unfollow } from './aborts.ts';
import type { Standing } from './fifo.ts';
import type { Holding } from './holding.ts';

/** A caller that was not granted at once. Node keeps all timers of one length in one list, so each may have its own. */
export class Waiter implements Standing<Waiter>, Abortable {
  before: Waiter | null = null;
  after: Waiter | null = null;
  inLine = false;
  readonly #granted: (holding: Holding) => void;
  readonly #failed: (reason: unknown) => void;
  #signal: AbortSignal | null = null;
  #stopTimer: (() => void) | null = null;
  #giveUp: ((waiter: Waiter, reason: unknown) => void) | null = null;

  constructor(granted: (holding: Holding) => void, failed: (reason: unknown) => void) {
    this.#granted = granted;
    this.#failed = failed;
  }

  /** `giveUp` is called when its patience is at an end; `late` says why it was not granted in time. */
  begin(
    { signal, timeoutMs }: AcquireOptions,
    clock: Clock,
    giveUp: (waiter: Waiter, reason: unknown) => void,
    late: (timeoutMs: number) => OperatingError,
  ): void {
    this.#giveUp = giveUp;
    if (signal) {
      this.#signal = signal;
      follow(signal, this);
    }
    if (timeoutMs === undefined) return;
    this.#stopTimer = clock.after(timeoutMs, () => giveUp(this, late(timeoutMs)));
  }

  /** By the signal. */
  aborted(): void {
    this.#giveUp?.(this, this.#signal?.reason);
  }

  grant(holding: Holding): void {
    this.#settle();
    this.#granted(holding);
  }

  fail(reason: unknown): void {
    this.#settle();
    this.#failed(reason);
  }

  #settle(): void {
    this.#stopTimer?.();
    if (this.#signal) unfollow(this.#signal, this);
  }
}
