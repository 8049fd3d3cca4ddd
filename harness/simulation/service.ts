import type { SiteId } from '../../machines/actor.ts';
import type { Held } from '../../runtime/api/lock.ts';
import { defaultLimits } from '../../runtime/options/schema.ts';
import type { Simulation } from './simulation.ts';

/** The callers of the lock at each site: how often each site was served, and how many callers wait there. */
export class Service {
  readonly #simulation: Simulation;
  readonly #served = new Map<SiteId, number>();
  readonly #waiting = new Map<SiteId, number>();

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  /** A caller is granted the lock, and had it until it released it. */
  served(id: SiteId): void {
    this.#served.set(id, this.#servedAt(id) + 1);
  }

  /** `work`, with a caller that waits at `id` as long as it takes. */
  async waits<T>(id: SiteId, work: Promise<T>): Promise<T> {
    const site = this.#simulation.sites.get(id);
    this.#waiting.set(id, this.#waitingAt(id) + 1);
    try {
      return await work;
    } finally {
      // Those of an earlier run of the site wait no longer.
      if (this.#simulation.sites.get(id) === site) this.#waiting.set(id, this.#waitingAt(id) - 1);
    }
  }

  /** A run of the site begins. */
  started(id: SiteId): void {
    this.#waiting.set(id, 0);
  }

  /**
   * Lets time pass until no caller waits at `sites`, if none begins to. Throws the sites at which one waits longer than any other can hold the
   * lock: no later request makes up for one that is lost.
   */
  async drain(sites: () => readonly SiteId[], mostMs: number): Promise<void> {
    const waiting = () => sites().filter((id) => this.#waitingAt(id) > 0);
    await this.#until(() => waiting().length === 0, mostMs);
    if (waiting().length > 0)
      throw new Error(`${waiting().join(', ')} wait though nothing fails any more, and nobody else asks`);
  }

  /** Lets time pass until each site was served `times` more often, and at least `ms`. Throws those that are not within `mostMs` more. */
  async serve(sites: () => readonly SiteId[], times: number, ms: number, mostMs: number): Promise<void> {
    const before = new Map(this.#served);
    const waiting = () => sites().filter((id) => this.#servedAt(id) < (before.get(id) ?? 0) + times);
    await this.#simulation.run(ms);
    await this.#until(() => waiting().length === 0, mostMs);
    if (waiting().length > 0)
      throw new Error(`${waiting().join(', ')} of ${sites().join(', ')} wait though nothing fails any more`);
  }

  async #until(condition: () => boolean, mostMs: number): Promise<void> {
    const { clock } = this.#simulation;
    for (const until = clock.now() + mostMs; !condition() && clock.now() < until; )
      await this.#simulation.run(100);
  }

  #servedAt(id: SiteId): number {
    return this.#served.get(id) ?? 0;
  }

  #waitingAt(id: SiteId): number {
    return this.#waiting.get(id) ?? 0;
  }
}

/** Whether the caller has the lock still. Its signal would tell too, and cost as much as the rest of a critical section. */
export function isHeld(held: Held): boolean {
  try {
    held.check();
    return true;
  } catch {
    // The reason of the loss: a later epoch, the end of a lease, or that its site has ended.
    return false;
  }
}

/** The longest that `times` turns of every one of so many sites take, if each uses its turns to the full. */
export const turnsMs = (times: number, sites: number, holdMs: number): number =>
  times * sites * defaultLimits.maxBatch * holdMs;
