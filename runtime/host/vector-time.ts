import type { SiteId } from '../../machines/actor.ts';
import type { VectorClock } from '../../machines/record.ts';

/** The vector clock of one site: how often each site had taken an event, as far as this one can know. */
export class VectorTime {
  readonly #site: SiteId;
  readonly #counts = new Map<SiteId, number>();

  constructor(site: SiteId) {
    this.#site = site;
  }

  /** How many events this site has taken. */
  get seq(): number {
    return this.#counts.get(this.#site) ?? 0;
  }

  /** Takes one event, which came with the clock `seen`; gives the clock at that event. */
  tick(seen: VectorClock | null): VectorClock {
    for (const [site, seq] of Object.entries(seen ?? {})) {
      if (seq > (this.#counts.get(site) ?? 0)) this.#counts.set(site, seq);
    }
    this.#counts.set(this.#site, this.seq + 1);
    return Object.fromEntries(this.#counts);
  }
}
