import type { Fence } from './fence.ts';
import type { LockStatus } from './status.ts';

/** When to give up waiting. */
export interface AcquireOptions {
  /** Ends the wait: `acquire` rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /**
   * Ends the wait: `acquire` rejects with `ACQUIRE_TIMEOUT`. Default: waits for ever.
   *
   * 0 takes the lock if it is free, wherever it was used last, and never waits in line: not behind another caller of this
   * site, and for an answer of the others at most `timing.heartbeatMs`.
   */
  readonly timeoutMs?: number;
}

/** `AcquireOptions`, and how long the lock is to be held. */
export interface HoldOptions extends AcquireOptions {
  /**
   * A release before so long is put off until then: for a job that every site starts by its own clock, and that is to run
   * once for all of them. The caller does not wait. A site that is closed does not wait for it either. Default: 0.
   */
  readonly minHoldMs?: number;
  /** After so long it is told (notice `held-long`; without a logger, a warning of the process). Default: never. */
  readonly maxHoldMs?: number;
  /** Whether the lock is then released by force: `signal` aborts with `LOCK_LOST`. Default: false. */
  readonly force?: boolean;
}

/** `HoldOptions`, and what becomes of work under which the lock was lost. */
export interface RunOptions extends HoldOptions {
  /**
   * Whether `run` resolves with what the work gives though the lock was lost meanwhile, so that another may have been
   * inside. Default: false, it rejects with the reason of the loss.
   */
  readonly keepResult?: boolean;
}

/** A critical section, while it lasts. */
export interface Held extends AsyncDisposable, Disposable {
  /** The name of the lock. */
  readonly lock: string;
  /**
   * For the resource, which accepts an operation only under a fence that is not below the highest it has seen
   * (`FenceGate`). Compared by `epoch`, then by `k`; no two grants of a lock have the same.
   */
  readonly fence: Fence;
  /** Aborted when it is over before `release`: with `LOCK_LOST`, `SITE_CLOSED`, or the InvariantError of a crash. */
  readonly signal: AbortSignal;
  /**
   * Throws when it is over: the reason of `signal`, or `LOCK_LOST` after a release. In strict mode it looks at the clock, as
   * `signal.aborted` does, so that neither takes a lease that has ended for one that lasts.
   */
  check(): void;
  /** Does nothing the second time, nor when it is over already. */
  release(): void;
}

/** Critical sections of several locks at once. */
export interface HeldAll extends AsyncDisposable {
  readonly locks: ReadonlyMap<string, Held>;
  /** The fence of the lock of this name. */
  fence(name: string): Fence;
  /** Aborted when any of them is over before `release`. */
  readonly signal: AbortSignal;
  /** Throws when any of them is over, as `Held.check`. */
  check(): void;
  /** All of them. */
  release(): void;
}

/** One lock, by its name. */
export interface Lock {
  readonly name: string;
  /**
   * Waits for the critical section; local callers are served in order.
   *
   * Rejects with `OPTIONS_INVALID`, `ACQUIRE_TIMEOUT`, `TOO_MANY_LOCKS`, `SITE_LEAVING`, `SITE_CLOSED`, the signal's
   * reason, or the InvariantError of a crash. In the async context of a `run` of this lock that still holds it: `REENTRY`.
   */
  acquire(options?: HoldOptions): Promise<Held>;
  /**
   * The critical section, if this site can enter it at once and no message need be sent: the token is here, nobody
   * is inside or waits, a majority is in reach, and in strict mode a lease is in force. Otherwise null.
   *
   * `null` does not say that the lock is held: a free lock is at the site that used it last. To take a lock that is free,
   * wherever it is, use `acquire({ timeoutMs: 0 })`.
   *
   * Throws `TOO_MANY_LOCKS`, `SITE_LEAVING`, `SITE_CLOSED`, or the InvariantError of a crash.
   */
  tryAcquire(): Held | null;
  /**
   * Runs `work` in the critical section and releases it, whatever `work` does.
   *
   * Rejects as `acquire` does; with what `work` throws; and, when `work` has ended though the lock was lost under it, with
   * the reason of `held.signal` (`LOCK_LOST`), unless `keepResult` is true. Within itself it is refused: `REENTRY`.
   */
  run<T>(work: (held: Held) => T | Promise<T>, options?: RunOptions): Promise<T>;
  status(): LockStatus;
}
