import type { Socket } from 'node:net';
import type { Clock, Random } from '../../api/clock.ts';
import type { Limits } from '../../options/index.ts';

/**
 * How long to pause after the `attempt`-th failure in a row, from 0: doubling up to the longest, and shortened
 * at random by up to half, so that sites started together do not dial together. Own code, since the pause
 * must come through the doors of time and chance and must end when the site closes.
 */
export function backoffMs(
  attempt: number,
  limits: Pick<Limits, 'dialMinMs' | 'dialMaxMs'>,
  chance: Random,
): number {
  const longest = Math.min(limits.dialMaxMs, limits.dialMinMs * 2 ** attempt);
  return longest * (1 - chance.fraction() / 2);
}

export interface DiallerOptions {
  /** Makes a connection; errors come by its socket. */
  readonly call: (stands: () => void) => Socket;
  readonly limits: Pick<Limits, 'dialMinMs' | 'dialMaxMs'>;
  /** How long a connection may take to stand. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly chance: Random;
  readonly onSocket: (socket: Socket) => void;
  /** Nothing more happens unless `dial` or `retry` is called. */
  readonly onFailure: (error: Error, socket: Socket) => void;
}

/** Dials, one attempt at a time. */
export class Dialer {
  readonly #options: DiallerOptions;
  #failures = 0;
  #abort: (() => void) | null = null;

  constructor(options: DiallerOptions) {
    this.#options = options;
  }

  /** At once, in place of any attempt or pause under way. */
  dial(): void {
    this.stop();
    const { call, timeoutMs, clock, onSocket, onFailure } = this.#options;
    const socket = call(() => {
      over();
      socket.off('error', failed);
      onSocket(socket);
    });
    const cancel = clock.after(timeoutMs, () =>
      socket.destroy(new Error(`no connection stood within ${timeoutMs} ms`)),
    );
    const over = () => {
      cancel();
      this.#abort = null;
    };
    const failed = (error: Error) => {
      over();
      onFailure(error, socket);
    };
    this.#abort = () => {
      cancel();
      socket.off('error', failed);
      // Of an attempt that nobody waits for any more.
      socket.on('error', () => undefined);
      socket.destroy();
    };
    socket.once('error', failed);
  }

  /** Dials after a pause, longer after each failure; gives its length. */
  retry(): number {
    this.stop();
    const { limits, clock, chance } = this.#options;
    const pauseMs = backoffMs(this.#failures, limits, chance);
    this.#failures += 1;
    this.#abort = clock.after(pauseMs, () => this.dial());
    return pauseMs;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  /** Gives up any attempt or pause under way. */
  stop(): void {
    this.#abort?.();
    this.#abort = null;
  }
}

/** The kernel of a dead process says so. */
export function isRefusal(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
}
