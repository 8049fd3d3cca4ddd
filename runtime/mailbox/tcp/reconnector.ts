import type { Clock, Random } from '../../api/clock.ts';
import type { OperatingError } from '../../api/errors.ts';
import type { Address } from '../../api/peer.ts';
import type { Limits } from '../../options/schema.ts';
import type { Pipe, Transport } from '../pipe.ts';
import { reasonOf, refusalOf } from './transport.ts';

/** How a peer is reached again, and what its kernel says of it. */
export interface Reconnector {
  open(): void;
  /** The link is up. */
  met(): void;
  /** A connection is gone, and there is no other; `wasUp`: the link was up on it. */
  lost(wasUp: boolean, reason: string): void;
  stop(): void;
}

export interface ReconnectorOptions {
  readonly limits: Pick<Limits, 'dialMinMs' | 'dialMaxMs'>;
  /** How long a connection may take to stand. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Reports whether the peer's host refused a connection: no process listens there. */
  readonly refused: (yes: boolean) => void;
}

/** The reconnector of the site that dials: it dials at once after a break, and after failures in pauses that grow, without end. */
export class Redial implements Reconnector {
  readonly #options: ReconnectorOptions;
  readonly #dialer: Dialer;
  readonly #failed: (reason: string, retryInMs: number) => void;
  #metAt = 0;

  constructor(
    options: ReconnectorOptions & {
      readonly call: (stands: () => void) => Pipe;
      readonly onSocket: (socket: Pipe) => void;
      readonly failed: (reason: string, retryInMs: number) => void;
      /** Another process than the peer answers. */
      readonly mistaken: (error: OperatingError) => void;
    },
  ) {
    this.#options = options;
    this.#failed = options.failed;
    this.#dialer = new Dialer({
      ...options,
      onSocket: (socket) => {
        options.refused(false);
        options.onSocket(socket);
      },
      onFailure: (error, socket) => {
        const refusal = refusalOf(error, socket);
        if (refusal) options.mistaken(refusal);
        options.refused(isRefusal(error));
        this.#retry(refusal?.message ?? reasonOf(error));
      },
    });
  }

  open(): void {
    this.#dialer.succeeded();
    this.#dialer.dial();
  }

  met(): void {
    this.#metAt = this.#options.clock.now();
  }

  lost(wasUp: boolean, reason: string): void {
    const { clock, limits } = this.#options;
    // One that breaks as soon as it stands is a failure like any other.
    if (wasUp && clock.now() - this.#metAt >= limits.dialMinMs) {
      this.#dialer.succeeded();
      this.#dialer.dial();
    } else this.#retry(reason);
  }

  stop(): void {
    this.#dialer.stop();
  }

  #retry(reason: string): void {
    this.#failed(reason, this.#dialer.retry());
  }
}

/**
 * The reconnector of the site that is dialled. After a break it asks the kernel at the peer's address whether a process listens there,
 * by a connection that it closes at once. Whether the address is right is found out while the peer is up; where
 * it is not, a death shows by silence alone.
 */
export class Probe implements Reconnector {
  readonly #dialer: Dialer;
  readonly #wanted: () => boolean;
  readonly #address: () => Address | null;
  #isUp = false;
  #addressIsRight: boolean | null = null;

  /** `wanted`: it is not known yet that the peer is down. */
  constructor(
    options: ReconnectorOptions & {
      readonly address: () => Address | null;
      readonly wanted: () => boolean;
      readonly knock: Transport['knock'];
    },
  ) {
    this.#wanted = options.wanted;
    this.#address = options.address;
    this.#dialer = new Dialer({
      ...options,
      call: (stands) => options.knock(options.address()!, stands),
      onSocket: (socket) => {
        socket.on('error', () => undefined);
        socket.destroy();
        if (this.#isUp) this.#addressIsRight = true;
        else this.#again();
      },
      onFailure: (error) => {
        if (!isRefusal(error)) this.#again();
        else if (this.#isUp) this.#addressIsRight = false;
        else if (this.#addressIsRight) options.refused(true);
      },
    });
  }

  open(): void {}

  met(): void {
    this.#isUp = true;
    this.#dialer.stop();
    this.#dialer.succeeded();
    if (this.#addressIsRight === null && this.#address() !== null) this.#dialer.dial();
  }

  lost(wasUp: boolean): void {
    if (!wasUp) return;
    this.#isUp = false;
    if (this.#addressIsRight) this.#dialer.dial();
    else this.#dialer.stop();
  }

  stop(): void {
    this.#dialer.stop();
  }

  #again(): void {
    if (!this.#isUp && this.#addressIsRight && this.#wanted()) this.#dialer.retry();
  }
}

/**
 * The call of the site that is to be dialled: it says hello once, and so where it listens, to one that may not know of it, or look
 * for it elsewhere. The other side closes, and dials.
 */
export class Introduction {
  readonly #dialer: Dialer;

  constructor(
    options: ReconnectorOptions & {
      readonly call: (stands: () => void) => Pipe;
      readonly hello: () => Uint8Array;
    },
  ) {
    this.#dialer = new Dialer({
      ...options,
      onSocket: (socket) => {
        socket.on('error', () => undefined);
        socket.resume();
        socket.end(options.hello());
        this.#dialer.retry();
      },
      onFailure: () => void this.#dialer.retry(),
    });
  }

  open(): void {
    this.#dialer.dial();
  }

  met(): void {
    this.#dialer.stop();
    this.#dialer.succeeded();
  }

  /** The other side knows where to dial, or will be told. */
  lost(): void {
    this.#dialer.retry();
  }

  stop(): void {
    this.#dialer.stop();
  }
}

/**
 * How long to pause after the `attempt`-th failure in a row, from 0: doubling up to the longest, and shortened
 * at random by up to half, so that sites started together do not dial together. Own code, since the pause
 * must come through the doors of time and chance and must end when the site closes.
 */
export function backoffMs(
  attempt: number,
  limits: Pick<Limits, 'dialMinMs' | 'dialMaxMs'>,
  random: Random,
): number {
  const longest = Math.min(limits.dialMaxMs, limits.dialMinMs * 2 ** attempt);
  return longest * (1 - random.fraction() / 2);
}

interface DialerOptions {
  /** Makes a connection; errors come by its socket. */
  readonly call: (stands: () => void) => Pipe;
  readonly limits: Pick<Limits, 'dialMinMs' | 'dialMaxMs'>;
  /** How long a connection may take to stand. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly onSocket: (socket: Pipe) => void;
  /** Nothing more happens unless `dial` or `retry` is called. */
  readonly onFailure: (error: Error, socket: Pipe) => void;
}

/** Dials, one attempt at a time. */
class Dialer {
  readonly #options: DialerOptions;
  #failures = 0;
  #abort: (() => void) | null = null;

  constructor(options: DialerOptions) {
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
      // Nobody waits for this attempt any more.
      socket.on('error', () => undefined);
      socket.destroy();
    };
    socket.once('error', failed);
  }

  /** Dials after a pause, longer after each failure; gives its length. */
  retry(): number {
    this.stop();
    const { limits, clock, random } = this.#options;
    const pauseMs = backoffMs(this.#failures, limits, random);
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
function isRefusal(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
}
