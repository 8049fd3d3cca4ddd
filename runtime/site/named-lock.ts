import type { Held, HoldOptions, Lock, RunOptions } from '../api/lock.ts';
import type { LockStatus } from '../api/status.ts';
import type { Telemetry } from '../observe/telemetry.ts';
import { checkHold, checkRun, checkWork } from '../options/calls.ts';
import type { Site } from './site.ts';

/** A caller's view of a lock; until it is used, only a name. */
export class NamedLock implements Lock {
  readonly name: string;
  readonly #site: Site;
  readonly #telemetry: Telemetry;

  constructor(name: string, mesh: Site, telemetry: Telemetry) {
    this.name = name;
    this.#site = mesh;
    this.#telemetry = telemetry;
  }

  acquire(options?: HoldOptions): Promise<Held> {
    if (!this.#telemetry.watching) return this.#acquire(options);
    return this.#telemetry.acquire(this.name, () => this.#acquire(options));
  }

  tryAcquire(): Held | null {
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
