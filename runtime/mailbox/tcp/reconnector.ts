import type { Socket } from 'node:net';
import type { Clock, Random } from '../../api/clock.ts';
import type { OperatingError } from '../../api/errors.ts';
import type { Address, Limits } from '../../options/index.ts';
import { Dialer, isRefusal } from './dialer.ts';
import { knock, reasonOf, refusalOf } from './transport.ts';

/** How a peer is reached again, and what its kernel says of it. */
export interface Reconnector {
  open(): void;
  /** The link is up. */
  met(): void;
  /** A connection is gone, and there is no other; `wasUp`: the link was up on it. */
  lost(wasUp: boolean, reason: string): void;
  stop(): void;
}

export interface ReachOptions {
  readonly limits: Pick<Limits, 'dialMinMs' | 'dialMaxMs'>;
  /** How long a connection may take to stand. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly chance: Random;
  /** Does its kernel say that nobody listens at the address? */
  readonly refused: (yes: boolean) => void;
}

/** By the site that dials: at once after a break, and after failures in pauses that grow, however long that takes. */
export class Redial implements Reconnector {
  readonly #options: ReachOptions;
  readonly #dialler: Dialer;
  readonly #failed: (reason: string, retryInMs: number) => void;
  #metAt = 0;

  constructor(
    options: ReachOptions & {
      readonly call: (stands: () => void) => Socket;
      readonly onSocket: (socket: Socket) => void;
      readonly failed: (reason: string, retryInMs: number) => void;
      /** Whoever answers is not the peer. */
      readonly mistaken: (error: OperatingError) => void;
    },
  ) {
    this.#options = options;
    this.#failed = options.failed;
    this.#dialler = new Dialer({
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
    this.#dialler.dial();
  }

  met(): void {
    this.#metAt = this.#options.clock.now();
  }

  lost(wasUp: boolean, reason: string): void {
    const { clock, limits } = this.#options;
    // One that breaks as soon as it stands is a failure like any other.
    if (wasUp && clock.now() - this.#metAt >= limits.dialMinMs) {
      this.#dialler.succeeded();
      this.#dialler.dial();
    } else this.#retry(reason);
  }

  stop(): void {
    this.#dialler.stop();
  }

  #retry(reason: string): void {
    this.#failed(reason, this.#dialler.retry());
  }
}

/**
 * By the site that is dialled: after a break it asks the kernel at the peer's address whether anybody listens there,
 * by a connection that it closes at once. Whether the address is right is found out while the peer is up; where
 * it is not, a death shows by silence alone.
 */
export class Probe implements Reconnector {
  readonly #dialler: Dialer;
  readonly #wanted: () => boolean;
  #isUp = false;
  #addressIsRight: boolean | null = null;

  /** `wanted`: it is not known yet that the peer is down. */
  constructor(options: ReachOptions & { readonly address: Address; readonly wanted: () => boolean }) {
    this.#wanted = options.wanted;
    this.#dialler = new Dialer({
      ...options,
      call: (stands) => knock(options.address, stands),
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
    this.#dialler.stop();
    this.#dialler.succeeded();
    if (this.#addressIsRight === null) this.#dialler.dial();
  }

  lost(wasUp: boolean): void {
    if (!wasUp) return;
    this.#isUp = false;
    if (this.#addressIsRight) this.#dialler.dial();
    else this.#dialler.stop();
  }

  stop(): void {
    this.#dialler.stop();
  }

  #again(): void {
    if (!this.#isUp && this.#addressIsRight && this.#wanted()) this.#dialler.retry();
  }
}
