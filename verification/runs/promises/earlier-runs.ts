import type { SiteId } from '../../../machines/actor.ts';
import { eventsPerLife, type VectorClock } from '../../../machines/record.ts';

/**
 * The events that come before an event, also by the order of a site's own runs. A run begins with an empty clock, so the clocks alone say
 * nothing of the messages that an earlier run of a site had received.
 */
export class EarlierRuns {
  readonly #last = new Map<SiteId, VectorClock>();
  /** For each site, and each of its later runs: the events before that run. */
  readonly #before = new Map<SiteId, Map<number, VectorClock>>();

  start(site: SiteId, life: number): void {
    const last = this.#last.get(site);
    if (last === undefined) return;
    const runs = this.#before.get(site) ?? new Map<number, VectorClock>();
    this.#before.set(site, runs.set(life, this.#with(last)));
  }

  step(site: SiteId, clock: VectorClock): void {
    this.#last.set(site, clock);
  }

  /** Number of the last event of `other` that comes before an event with this clock; 0: none does. */
  lastOf(other: SiteId, clock: VectorClock): number {
    return Math.max(clock[other] ?? 0, ...this.#inherited(clock).map((before) => before[other] ?? 0));
  }

  #with(clock: VectorClock): VectorClock {
    const all: Record<SiteId, number> = {};
    for (const one of [clock, ...this.#inherited(clock)])
      for (const [site, seq] of Object.entries(one)) all[site] = Math.max(all[site] ?? 0, seq);
    return all;
  }

  #inherited(clock: VectorClock): readonly VectorClock[] {
    return Object.entries(clock).flatMap(([site, seq]) => {
      const before = this.#before.get(site)?.get(Math.floor(seq / eventsPerLife));
      return before ? [before] : [];
    });
  }
}
