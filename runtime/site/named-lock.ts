import type { Held, HoldOptions, Lock, RunOptions } from '../api/lock.ts';
import type { LockStatus } from '../api/status.ts';
import type { WaitQueue } from '../lock/wait-queue.ts';
import type { Telemetry } from '../observe/telemetry.ts';
import { checkHold, checkNoOptions, checkRun, checkWork } from '../options/calls.ts';

/** The locks of a site, or of a guest. */
export interface LockSource {
  /** Throws `TOO_MANY_LOCKS`, `NOT_A_MEMBER`, and why nothing is granted any more. */
  actor(name: string): UsedLock;
  /** The lock, if it was used before. */
  find(name: string): UsedLock | undefined;
}

interface UsedLock {
  readonly queue: WaitQueue;
  readonly status: LockStatus;
}

/** A caller's view of a lock; until it is used, only a name. */
export class NamedLock implements Lock {
  readonly name: string;
  readonly #site: LockSource;
  readonly #telemetry: Telemetry;

  constructor(name: string, site: LockSource, telemetry: Telemetry) {
    this.name = name;
    this.#site = site;
    this.#telemetry = telemetry;
  }

  acquire(options?: HoldOptions): Promise<Held> {
    if (!this.#telemetry.watching) return this.#acquire(options);
    return this.#telemetry.acquire(this.name, () => this.#acquire(options));
  }

  tryAcquire(...given: readonly unknown[]): Held | null {
    checkNoOptions(given[0]);
    const held = this.#site.actor(this.name).queue.tryAcquire();
    return held && this.#telemetry.watching ? this.#telemetry.entered(held) : held;
  }

  run<T>(work: (held: Held) => T | Promise<T>, options?: RunOptions): Promise<T> {
    const start = async (inside: typeof work) => {
      checkRun(options);
      // Telemetry always gets a function.
      checkWork(work);
      return this.#site.actor(this.name).queue.run(inside, options);
    };
    return this.#telemetry.watching ? this.#telemetry.run(this.name, start, work) : start(work);
  }

  status(): LockStatus {
    return (this.#site.find(this.name) ?? this.#site.actor(this.name)).status;
  }

  #acquire(options?: HoldOptions): Promise<Held> {
    try {
      checkHold(options);
      return this.#site.actor(this.name).queue.acquire(options);
    } catch (reason) {
      return Promise.reject(reason);
    }
  }
}
