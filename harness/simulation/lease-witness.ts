import type { SiteId } from '../../machines/actor.ts';
import type { EventLine } from '../../machines/record.ts';

/** Checks S6 of strict mode. It sees all sites at once, and the ideal time that their clocks approximate. */
export class LeaseWitness {
  readonly #leaseMs: number;
  /** The end of the lease of each round that a site began. */
  readonly #ends = new Map<string, number>();
  /** The sites in the critical section, and the end of each one's lease. */
  readonly #inside = new Map<SiteId, number>();
  readonly #leased = new Map<SiteId, number>();
  /** When each suspended site went on: none of its timers could run before. */
  readonly #resumed = new Map<SiteId, number>();

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
  }

  crashed(site: SiteId): void {
    this.#inside.delete(site);
    this.#leased.delete(site);
  }

  resumed(site: SiteId, now: number): void {
    this.#resumed.set(site, now);
  }

  /**
   * Returns the rule that `line` breaks, or null. `now` is the time of an ideal clock; the site's clock runs
   * `rate` times as fast.
   */
  observe({ site, snapshot, effects }: EventLine, now: number, rate: number): string | null {
    for (const effect of effects) {
      const round = `${site} ${effect['epoch']} ${effect['round']}`;
      if (effect.type === 'leaseTimer') this.#ends.set(round, now + this.#leaseMs / rate);
      if (effect.type === 'leased') this.#leased.set(site, this.#ends.get(round)!);
      if (effect.type === 'grant') this.#inside.set(site, 0);
    }
    if ((snapshot.value as { readonly client: string }).client !== 'inCS') this.#inside.delete(site);
    const until = this.#leased.get(site) ?? 0;
    if (!this.#inside.has(site)) return null;
    this.#inside.set(site, until);
    // Its timer may ring a little late, since the rate of its clock may have changed meanwhile.
    if (Math.max(until, this.#resumed.get(site) ?? 0) + this.#leaseMs / 2 < now)
      return `S6: ${site} is inside long after its lease is over`;
    if (until <= now) return null;
    for (const [other, otherUntil] of this.#inside)
      if (other !== site && otherUntil > now)
        return `S6: ${site} and ${other} are inside, both with a valid lease`;
    return null;
  }
}
