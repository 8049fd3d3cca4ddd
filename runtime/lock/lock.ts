import type { ClientEvent } from '../../machines/naimi-trehel/messages.ts';
import type { Clock } from '../doors.ts';
import { InvariantError, OperatingError } from '../errors.ts';
import type { AcquireOptions, Held } from '../options.ts';

export interface LockOptions {
  readonly clock: Clock;
  /** To the actor. */
  readonly tell: (event: ClientEvent) => void;
}

interface Waiter {
  readonly granted: () => void;
  readonly failed: (reason: unknown) => void;
}

/**
 * What the client has said and heard, as far as it matters for what it may say next: `free` to ask, has `asked`,
 * was granted and has not released (`held`), is `resting` after its release, or `gone` (left, closed or crashed).
 */
type Standing = 'free' | 'asked' | 'held' | 'resting' | 'gone';

/** One lock as local callers see it: they wait in line, and at most one request is under way for all of them. */
export class Lock {
  /** Critical sections entered. */
  entered = 0;
  readonly #options: LockOptions;
  readonly #waiters = new Set<Waiter>();
  #standing: Standing = 'free';
  #refusal: Error | null = null;
  #held: AbortController | null = null;
  #leaving: { readonly done: () => void; readonly failed: (reason: unknown) => void } | null = null;

  constructor(options: LockOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  acquire({ signal, timeoutMs }: AcquireOptions = {}): Promise<Held> {
    return new Promise((resolve, reject) => {
      if (this.#refusal) throw this.#refusal;
      signal?.throwIfAborted();
      const settle = () => {
        stopTimer?.();
        signal?.removeEventListener('abort', abort);
      };
      const waiter: Waiter = {
        granted: () => {
          settle();
          resolve(this.#hold());
        },
        failed: (reason) => {
          settle();
          reject(reason);
        },
      };
      const abort = () => this.#giveUp(waiter, signal?.reason);
      signal?.addEventListener('abort', abort);
      const stopTimer =
        timeoutMs === undefined
          ? null
          : this.#options.clock.after(timeoutMs, () =>
              this.#giveUp(waiter, new OperatingError('ACQUIRE_TIMEOUT', `no grant within ${timeoutMs} ms`)),
            );
      this.#waiters.add(waiter);
      if (this.#standing === 'free') this.#ask();
    });
  }

  /** Waits its turn, then hands everything on. Resolves when the actor has left. */
  leave(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#refusal) throw this.#refusal;
      this.#refusal = new OperatingError('SITE_LEAVING', 'this site is leaving and acquires no more');
      this.#waiters.add({
        granted: () => {
          this.#leaving = { done: resolve, failed: reject };
          this.#options.tell({ type: 'leave' });
        },
        failed: reject,
      });
      if (this.#standing === 'free') this.#ask();
    });
  }

  /** The actor has entered. */
  grant(): void {
    const [waiter] = this.#waiters;
    if (!waiter || this.#standing !== 'asked') {
      throw new InvariantError('GRANT_TO_NOBODY', `a grant came while this client was ${this.#standing}`);
    }
    this.#waiters.delete(waiter);
    this.#standing = 'held';
    this.entered += 1;
    waiter.granted();
  }

  /** The actor has left. */
  left(): void {
    this.#standing = 'gone';
    this.#leaving?.done();
  }

  /** Nothing is granted any more, and who holds is told. */
  end(reason: Error): void {
    this.#standing = 'gone';
    this.#refusal = reason;
    this.#held?.abort(reason);
    this.#leaving?.failed(reason);
    for (const waiter of this.#waiters) waiter.failed(reason);
    this.#waiters.clear();
  }

  #ask(): void {
    this.#standing = 'asked';
    this.#options.tell({ type: 'ask' });
  }

  #hold(): Held {
    const holding = new AbortController();
    this.#held = holding;
    const release = () => {
      if (this.#held !== holding) return;
      this.#held = null;
      this.#release();
    };
    return { signal: holding.signal, release, [Symbol.asyncDispose]: async () => release() };
  }

  #release(): void {
    if (this.#standing !== 'held') return;
    this.#standing = 'resting';
    this.#options.tell({ type: 'release' });
    // A client that asks again at once must not keep this process from reading that another site asks too.
    this.#options.clock.nextTurn(() => {
      if (this.#standing !== 'resting') return;
      this.#standing = 'free';
      if (this.#waiters.size > 0) this.#ask();
    });
  }

  #giveUp(waiter: Waiter, reason: unknown): void {
    if (!this.#waiters.delete(waiter)) return;
    waiter.failed(reason);
    if (this.#waiters.size > 0 || this.#standing !== 'asked') return;
    this.#standing = 'free';
    this.#options.tell({ type: 'withdraw' });
  }
}
