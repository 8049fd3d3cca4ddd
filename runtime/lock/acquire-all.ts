import type { Clock } from '../api/clock.ts';
import { OperatingError } from '../api/errors.ts';
import type { Fence } from '../api/fence.ts';
import type { AcquireOptions, Held, HeldAll, Lock } from '../api/lock.ts';
import { FirstAbort } from './aborts.ts';

/** Critical sections of several locks, in the order in which they were entered. */
class AllHeld implements HeldAll {
  readonly locks: ReadonlyMap<string, Held>;
  #over: FirstAbort | null = null;

  constructor(locks: ReadonlyMap<string, Held>) {
    this.locks = locks;
  }

  fence(name: string): Fence {
    const held = this.locks.get(name);
    if (held) return held.fence;
    const names = [...this.locks.keys()].join(', ');
    throw new OperatingError('OPTIONS_INVALID', `expected one of the held locks ${names}, got ${name}`);
  }

  get signal(): AbortSignal {
    if (this.#over) return this.#over.signal;
    this.#over = new FirstAbort();
    for (const { signal } of this.locks.values()) this.#over.follow(signal);
    return this.#over.signal;
  }

  check(): void {
    for (const held of this.locks.values()) held.check();
  }

  // Callers take it out of its object.
  readonly release = (): void => {
    this.#over?.end();
    for (const held of [...this.locks.values()].reverse()) held.release();
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
  }
}

/**
 * All of `names`, each once, in the order of their code units: since every caller keeps to it, no two wait for each
 * other. All or nothing: when one cannot be had, or one that is held is lost meanwhile, none is held any more.
 */
export async function acquireAll(
  names: readonly string[],
  lockOf: (name: string) => Lock,
  clock: Clock,
  { signal, timeoutMs }: AcquireOptions = {},
): Promise<HeldAll> {
  const locks = [...new Set(names)].sort().map(lockOf);
  // 0 stays 0 for each of them: only free locks are taken.
  const deadline = timeoutMs ? clock.now() + timeoutMs : null;
  const patience = timeoutMs === 0 ? { timeoutMs } : {};
  const entered = new Map<string, Held>();
  const all = new AllHeld(entered);
  const stop = new FirstAbort();
  if (signal) stop.follow(signal);
  try {
    for (const lock of locks) {
      const left = deadline === null ? patience : { timeoutMs: Math.max(1, deadline - clock.now()) };
      const held = await lock.acquire({ signal: stop.signal, ...left });
      entered.set(lock.name, held);
      stop.follow(held.signal);
    }
    // The last grant may have come after the signal was aborted.
    stop.signal.throwIfAborted();
    return all;
  } catch (error) {
    all.release();
    if (!(error instanceof OperatingError && error.code === 'ACQUIRE_TIMEOUT')) throw error;
    const missing = locks[entered.size]!.name;
    throw new OperatingError(
      'ACQUIRE_TIMEOUT',
      `not all of ${locks.length} locks within ${timeoutMs} ms: ${missing} was not granted`,
      { cause: error },
    );
  } finally {
    stop.end();
  }
}
