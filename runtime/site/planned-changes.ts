import type { SiteId } from '../../machines/actor.ts';
import { type Configuration, idOf, nameOf } from '../../machines/members/configuration.ts';
import type { Clock } from '../api/clock.ts';
import type { Timing } from '../options/schema.ts';

/** A change that an operator or a site wants: the site of this name is to be a voter, or none of that name is. */
export type WantedChange = { readonly add: SiteId } | { readonly remove: SiteId };

/** How often a site says that it wants to join. */
export const joinEveryMs = 500;
/** A site that has not said so for this long wants it no longer. */
const joinTimeoutMs = 4 * joinEveryMs;

export interface PlannedChangesSetting {
  readonly self: SiteId;
  readonly clock: Clock;
  readonly timing: Timing;
  /** The id of the data of a peer that is up; `null`: it is not. */
  readonly idOf: (peer: SiteId) => string | null;
  /** With this number of voters, no site is added unless an operator asks. */
  readonly mostVoters: () => number;
  /** Does this site make the changes that it plans at once, since it is going to leave? */
  readonly hastens: () => boolean;
  /** The least number of voters that remain when one is removed without an operator's word. */
  readonly leastVoters: number;
  /** Time in ms after which a voter that is down is removed; `null`: never. */
  readonly removeAfterMs: number | null;
}

/** The part of a site that makes changes. */
export interface ChangeMaker {
  /** `null` before there is a cluster. */
  readonly configuration: Configuration | null;
  /** Is this site a voter? Another one plans nothing. */
  readonly isVoter: boolean;
  /** Number of sites that are to be added. */
  readonly additions: number;
  /** Makes the change as long as `isDue`. Rejects when it is not made within `timeoutMs`. */
  change(wanted: WantedChange, timeoutMs: number, isDue: () => boolean): Promise<void>;
}

/**
 * The changes that a voter makes by itself. It adds a site that wants to join and is up, in place of one of the same name. It removes
 * a site that has been down for `removeAfterMs`. The first of the voters in reach does it at once, the others later, in case it fails.
 */
export class PlannedChanges {
  readonly #setting: PlannedChangesSetting;
  readonly #maker: ChangeMaker;
  /**
   * When each site asked to join last, since it was a voter last: one that was added and left again is not added once more, nor is one that
   * asks no longer.
   */
  readonly #asked = new Map<SiteId, number>();
  /** How to cancel each planned change, by the name of the site that it is about. */
  readonly #planned = new Map<SiteId, () => void>();
  #stopped = false;

  constructor(setting: PlannedChangesSetting, maker: ChangeMaker) {
    this.#setting = setting;
    this.#maker = maker;
  }

  /** A site says that it wants to join. */
  hear(site: SiteId): void {
    if (!(site in this.#voters)) this.#asked.set(site, this.#setting.clock.now());
    this.plan();
  }

  /** A peer is believed down. */
  lost(peer: SiteId): void {
    for (const site of this.#asked.keys()) if (nameOf(site) === peer) this.#asked.delete(site);
    this.#planned.get(peer)?.();
    this.#planned.delete(peer);
    this.plan();
  }

  /** These sites are voters by a configuration that is adopted. */
  adopted(voters: Configuration['voters']): void {
    for (const voter of Object.keys(voters)) this.#asked.delete(voter);
  }

  /** The members, or the peers that are up, are others than before. */
  plan(): void {
    if (this.#stopped || !this.#maker.isVoter) return;
    const { self, idOf: up, leastVoters, mostVoters, hastens, removeAfterMs, timing } = this.#setting;
    const rank = hastens() ? 0 : this.#names.filter((name) => name < self && up(name) !== null).length;
    const laterMs = rank * timing.electionMaxMs;
    for (const site of this.#asked.keys()) {
      const name = nameOf(site);
      const isWanted = (additions = 0) =>
        this.#asks(site) &&
        up(name) === idOf(site) &&
        (this.#names.length + additions < mostVoters() || this.#names.includes(name));
      const isPlanned = () => isWanted(this.#maker.additions);
      if (isPlanned()) this.#planTo({ add: name }, laterMs, isPlanned, isWanted);
    }
    if (removeAfterMs === null) return;
    for (const voter of Object.keys(this.#voters)) {
      const name = nameOf(voter);
      const isGone = () =>
        voter in this.#voters &&
        name !== self &&
        up(name) !== idOf(voter) &&
        this.#names.length > leastVoters;
      if (isGone()) this.#planTo({ remove: name }, removeAfterMs + laterMs, isGone);
    }
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#planned.values()) cancel();
  }

  get #voters(): Configuration['voters'] {
    return this.#maker.configuration?.voters ?? {};
  }

  get #names(): readonly SiteId[] {
    return Object.keys(this.#voters).map(nameOf);
  }

  /** Has the site asked to join, and not ceased to? */
  #asks(site: SiteId): boolean {
    const askedAt = this.#asked.get(site);
    return askedAt !== undefined && this.#setting.clock.now() - askedAt < joinTimeoutMs;
  }

  /** `isWanted`: as `isDue`, of a change that is begun. */
  #planTo(wanted: WantedChange, afterMs: number, isDue: () => boolean, isWanted = isDue): void {
    const about = 'add' in wanted ? wanted.add : wanted.remove;
    if (this.#planned.has(about)) return;
    const { clock, timing } = this.#setting;
    const cancel = clock.after(afterMs, () => {
      this.#planned.delete(about);
      if (!this.#maker.isVoter || !isDue()) return;
      // If it fails, the site says again that it is there, or is still down.
      this.#maker.change(wanted, 5 * timing.electionMaxMs, () => isWanted()).catch(() => this.plan());
    });
    this.#planned.set(about, cancel);
  }
}
