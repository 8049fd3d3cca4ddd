import type { Fence } from './fence.ts';
import type { LockStatus } from './status.ts';

/** Limits of a wait. */
export interface AcquireOptions {
  /** Ends the wait: `acquire` rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /**
   * Time-out in ms: `acquire` rejects with `ACQUIRE_TIMEOUT`. Default: waits for ever. With 0 the call
   * acquires the lock if it is free, at whichever site it was used last, and never waits in line. It waits at
   * most `timing.heartbeatMs` for answers of other sites.
   */
  readonly timeoutMs?: number;
}

/** `AcquireOptions`, and limits of the time for which the lock is held. */
export interface HoldOptions extends AcquireOptions {
  /**
   * Minimum time to hold the lock, in ms. An earlier release takes effect at that time. Meant for a job that
   * every site starts by its own clock and that must run once for all of them. The caller does not wait, and
   * neither does a site that is closed. Default: 0.
   */
  readonly minHoldMs?: number;
  /**
   * Time in ms after which the notice `held-long` is sent (without a logger: a warning of the process).
   * Default: never.
   */
  readonly maxHoldMs?: number;
  /** Release the lock by force at `maxHoldMs`, which it needs: `signal` aborts with `LOCK_LOST`. Default: false. */
  readonly force?: boolean;
  /**
   * Release the lock when no majority of the voters has been in reach for `timing.failureTimeoutMs`, since another site may hold it by
   * then: `signal` aborts with `LOCK_LOST`. Default: the option `abortInMinority` of `joinCluster`.
   */
  readonly abortInMinority?: boolean;
}

/** `HoldOptions`, and the treatment of work under which the lock was lost. */
export interface RunOptions extends HoldOptions {
  /**
   * Resolve with the result of the work even if the lock was lost meanwhile, so that another caller may have
   * been inside. Default: false, `run` rejects with the reason of the loss.
   */
  readonly keepResult?: boolean;
}

/** A critical section of a caller. */
export interface Held extends AsyncDisposable, Disposable {
  /** The name of the lock. */
  readonly lock: string;
  /**
   * The fence of this grant. Pass it to the resource with each operation; a `FenceGate` there accepts no
   * fence below the highest one seen. Fences are ordered by `generation`, then `epoch`, then `k`. No two
   * grants of a lock have the same fence.
   */
  readonly fence: Fence;
  /**
   * Aborts when the critical section ends before `release`: with `LOCK_LOST`, `SITE_CLOSED`, or the
   * InvariantError of a crash.
   */
  readonly signal: AbortSignal;
  /**
   * Throws if the critical section is over: the reason of `signal`, or `LOCK_LOST` after a release. In strict
   * mode it reads the clock, as `signal.aborted` does, so that neither treats an ended lease as valid.
   */
  check(): void;
  /** Releases the lock. Does nothing if the critical section is already over. */
  release(): void;
}

/** Critical sections of several locks, held together. */
export interface HeldAll extends AsyncDisposable {
  readonly locks: ReadonlyMap<string, Held>;
  /** Returns the fence of the lock of this name. */
  fence(name: string): Fence;
  /** Aborts when any of the critical sections ends before `release`. */
  readonly signal: AbortSignal;
  /** Throws if any of the critical sections is over, like `Held.check`. */
  check(): void;
  /** Releases all of the locks. */
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
   * Throws `OPTIONS_INVALID` for any option, `TOO_MANY_LOCKS`, `SITE_LEAVING`, `SITE_CLOSED`, or the InvariantError of a crash.
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
