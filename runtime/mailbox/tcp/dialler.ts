import { connect, type Socket } from 'node:net';
import type { Chance, Clock } from '../../doors.ts';
import type { Address, Limits } from '../../options.ts';

/**
 * How long to pause after the `attempt`-th failure in a row, from 0: doubling up to the longest, and shortened
 * at random by up to half, so that sites started together do not dial together. Own code, since the pause
 * must come through the doors of time and chance and must end when the site closes.
 */
export function backoffMs(
  attempt: number,
  limits: Pick<Limits, 'dialMinMs' | 'dialMaxMs'>,
  chance: Chance,
): number {
  const longest = Math.min(limits.dialMaxMs, limits.dialMinMs * 2 ** attempt);
  return longest * (1 - chance.fraction() / 2);
}

export interface DiallerOptions {
  readonly address: Address;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly chance: Chance;
  /** Connected. Call `retry` when that came to nothing, `succeeded` when it did not. */
  readonly onSocket: (socket: Socket) => void;
  readonly onFailure: (reason: string, retryInMs: number) => void;
}

/** Dials one address until it is answered, however long that takes. */
export class Dialler {
  readonly #options: DiallerOptions;
  #failures = 0;
  #stopped = false;
  #abort: (() => void) | null = null;

  constructor(options: DiallerOptions) {
    this.#options = options;
  }

  dial(): void {
    if (this.#stopped) return;
    const socket = connect({ ...this.#options.address });
    this.#abort = () => socket.destroy();
    const failed = (error: Error) => this.retry(error.message);
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.off('error', failed);
      this.#abort = null;
      this.#options.onSocket(socket);
    });
  }

  /** Dials again after a pause. */
  retry(reason: string): void {
    if (this.#stopped) return;
    const pauseMs = backoffMs(this.#failures, this.#options.limits, this.#options.chance);
    this.#failures += 1;
    this.#abort = this.#options.clock.after(pauseMs, () => this.dial());
    this.#options.onFailure(reason, pauseMs);
  }

  succeeded(): void {
    this.#failures = 0;
  }

  stop(): void {
    this.#stopped = true;
    this.#abort?.();
    this.#abort = null;
  }
}
