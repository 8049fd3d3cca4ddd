import type { SiteId } from '../../machines/actor.ts';
import { eventsPerLife, type VectorClock } from '../../machines/record.ts';

/** The vector clock of one site: how often each site had taken an event, as far as this one can know. */
export class VectorTime {
  readonly #site: SiteId;
  readonly #counts = new Map<SiteId, number>();

  /** `life`: how many lives the site had before. */
  constructor(site: SiteId, life: number) {
    this.#site = site;
    // Peers may tell of events of an earlier life: not to count on from those.
    this.#counts.set(site, life * eventsPerLife);
  }

  /** The number of this site's last event. */
  get seq(): number {
    return this.#counts.get(this.#site)!;
  }

  /** Takes one event, which came with the clock `seen`; gives the clock at that event. */
  tick(seen: VectorClock | null): VectorClock {
    for (const site in seen) {
      const seq = seen[site]!;
      if (seq > (this.#counts.get(site) ?? 0)) this.#counts.set(site, seq);
    }
    this.#counts.set(this.#site, this.seq + 1);
    // `Object.fromEntries` makes a dictionary of it, in several times the time.
    const clock: Record<SiteId, number> = {};
    for (const [site, seq] of this.#counts) clock[site] = seq;
    return clock;
  }
}
