import type { Fence } from '../../machines/epoch/messages.ts';
import type { ClientEvent } from '../../machines/naimi-trehel/messages.ts';
import type { Clock } from '../doors.ts';
import { InvariantError, OperatingError } from '../errors.ts';
import type { AcquireOptions, Held } from '../options.ts';

export interface LockOptions {
  readonly name: string;
  readonly clock: Clock;
  /** To the actor. */
  readonly tell: (event: ClientEvent) => void;
}

interface Waiter {
  readonly granted: (fence: Fence | null) => void;
  readonly failed: (reason: unknown) => void;
}

/**
 * What the client has said and heard, as far as it matters for what it may say next: is too `early` to ask, `free` to
 * ask, has `asked`, was granted and has not released (`held`), is `resting` after its release, or `gone` (left, closed
 * or crashed).
 */
type Standing = 'early' | 'free' | 'asked' | 'held' | 'resting' | 'gone';

/** One lock as local callers see it: they wait in line, and at most one request is under way for all of them. */
export class Lock {
  /** Critical sections entered. */
  entered = 0;
  /** Critical sections that were over without a release. */
  lost = 0;
  readonly #options: LockOptions;
  readonly #waiters = new Set<Waiter>();
  #standing: Standing = 'early';
  #refusal: Error | null = null;
  #held: AbortController | null = null;
  #drained: (() => void) | null = null;
  #leaving: { readonly done: () => void; readonly failed: (reason: unknown) => void } | null = null;

  constructor(options: LockOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /** Nobody waits or is inside: a fresh one, begun, would do as well. */
  get idle(): boolean {
    return this.#standing === 'free' && this.#waiters.size === 0;
  }

  /** From now on it may ask. */
  begin(): void {
    if (this.#standing !== 'early') return;
    this.#standing = 'free';
    if (this.#waiters.size > 0) this.#ask();
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
        granted: (fence) => {
          settle();
          resolve(this.#hold(fence));
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

  /** Grants no more. Resolves when nobody holds the lock here, at the latest after `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    if (this.#refusal) throw this.#refusal;
    const reason = new OperatingError('SITE_LEAVING', 'this site is leaving and acquires no more');
    this.#refusal = reason;
    for (const waiter of [...this.#waiters]) this.#giveUp(waiter, reason);
    if (this.#standing !== 'held') return;
    await new Promise<void>((resolve) => {
      const stopTimer = this.#options.clock.after(timeoutMs, resolve);
      this.#drained = () => {
        stopTimer();
        resolve();
      };
    });
  }

  /** The actor has entered. */
  grant(fence: Fence | null): void {
    const [waiter] = this.#waiters;
    if (!waiter || this.#standing !== 'asked') {
      throw new InvariantError('GRANT_TO_NOBODY', `a grant came while this client was ${this.#standing}`);
    }
    this.#waiters.delete(waiter);
    this.#standing = 'held';
    this.entered += 1;
    waiter.granted(fence);
  }

  /** The actor's critical section is over, and somebody else's may have begun. */
  lose(fence: Fence): void {
    const held = this.#held;
    this.lost += 1;
    this.#held = null;
    this.#rest();
    held?.abort(
      new OperatingError(
        'LOCK_LOST',
        `the critical section under fence (${fence.epoch}, ${fence.k}) is over: a later epoch has given the ` +
          'lock away, or (in strict mode) its lease is over. Stop, and acquire it again',
      ),
    );
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
    this.#drained?.();
    for (const waiter of this.#waiters) waiter.failed(reason);
    this.#waiters.clear();
  }

  #ask(): void {
    this.#standing = 'asked';
    this.#options.tell({ type: 'ask' });
  }

  #hold(fence: Fence | null): Held {
    const holding = new AbortController();
    this.#held = holding;
    const release = () => {
      if (this.#held !== holding) return;
      this.#held = null;
      this.#release();
    };
    return {
      lock: this.#options.name,
      get fence() {
        if (fence === null)
          throw new OperatingError('NO_FENCE', 'only grants of the protocol epoch have a fence');
        return fence;
      },
      signal: holding.signal,
      release,
      [Symbol.asyncDispose]: async () => release(),
    };
  }

  #release(): void {
    if (this.#standing !== 'held') return;
    this.#rest();
    this.#options.tell({ type: 'release' });
  }

  // A client that asks again at once must not keep this process from reading that another site asks too.
  #rest(): void {
    this.#standing = 'resting';
    this.#drained?.();
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
