import type { SiteId } from '../../machines/actor.ts';
import { type Configuration, compare } from '../../machines/members/configuration.ts';
import type { MembersEffect } from '../../machines/members/messages.ts';
import { quorumsMeet } from '../../verification/protocols/members/properties.ts';

type Place = Pick<Configuration, 'term' | 'version'>;
type Written = Extract<MembersEffect, { readonly type: 'written' }>;

interface Election {
  readonly epoch: number;
  readonly under: Place;
}

const founders: Place = { term: 0, version: 1 };
const textOf = ({ term, version }: Place) => `(${term}, ${version})`;

/**
 * Checks the promises of the members across sites (protocol.md, section 4), as the checker does: a term has one coordinator, a term and version
 * is of one configuration, no committed configuration is lost, S7, S8 and S9. It is of one generation, and sites are named with their ids.
 */
export class MembersWitness {
  readonly #coordinators = new Map<number, SiteId>();
  readonly #written = new Map<string, Written>();
  /** The newest configuration that was committed: each one before is its ancestor. */
  #committed: Place = founders;
  readonly #elections: Election[] = [];
  /** The highest epoch that was decided, and what it was when a site stood for an epoch. */
  #decided = 0;
  readonly #floors = new Map<string, number>();
  /** The acts of each site since its disk was synced: if it crashes before anybody knows, they have not happened. */
  readonly #unsynced = new Map<SiteId, MembersEffect[]>();

  /** The members' statechart of `site` asks for `effects`. Returns the promise that is broken, or null. */
  took(site: SiteId, effects: readonly MembersEffect[]): string | null {
    const done = effects.filter(({ type }) => ['coordinates', 'written', 'committed'].includes(type));
    if (done.length === 0) return null;
    this.#unsynced.set(site, [...(this.#unsynced.get(site) ?? []), ...done]);
    // The one who asked for a change hears that it is agreed on.
    return done.some(({ type }) => type === 'committed') ? this.synced(site) : null;
  }

  /** What `site` did is on its disk. Returns the promise that is broken, or null. */
  synced(site: SiteId): string | null {
    const done = this.#unsynced.get(site);
    if (done === undefined) return null;
    this.#unsynced.delete(site);
    for (const effect of done) {
      const broken = this.#happened(site, effect);
      if (broken !== null) return broken;
    }
    return null;
  }

  crashed(site: SiteId): void {
    this.#unsynced.delete(site);
  }

  /** `site` stands for `epoch` of the lock, perhaps since before. */
  stood(site: SiteId, epoch: number): void {
    const candidacy = `${epoch} ${site}`;
    if (!this.#floors.has(candidacy)) this.#floors.set(candidacy, this.#decided);
  }

  /** `site` has won `epoch` under this configuration. Returns the promise that is broken, or null. */
  elected(site: SiteId, epoch: number, under: Place): string | null {
    const floor = this.#floors.get(`${epoch} ${site}`)!;
    if (epoch <= floor) return `S8: ${site} has won epoch ${epoch}, and ${floor} was decided before it stood`;
    this.#decided = Math.max(this.#decided, epoch);
    const election = { epoch, under };
    this.#elections.push(election);
    for (const written of this.#written.values()) {
      const unasked = this.#unasked(written, election);
      if (unasked !== null) return unasked;
    }
    return null;
  }

  /** `held`: what each site holds that is up. Returns the promise that is broken, or null. */
  holds(held: ReadonlyMap<SiteId, Configuration | null>): string | null {
    // One object for each configuration.
    const known = new Map<string, Configuration>();
    const all = [...held.values()].map((configuration) => {
      if (configuration === null) return null;
      const { term, version, base, voters } = configuration;
      const text = JSON.stringify([term, version, base, Object.keys(voters).toSorted()]);
      known.set(text, known.get(text) ?? configuration);
      return known.get(text)!;
    });
    const names = [...known.values()].map(textOf).join(' and ');
    return quorumsMeet([...held.keys()], all) ? null : `S7: two quorums of ${names} do not meet`;
  }

  #happened(site: SiteId, effect: MembersEffect): string | null {
    if (effect.type === 'coordinates') {
      const other = this.#coordinators.get(effect.term);
      this.#coordinators.set(effect.term, site);
      return other === undefined
        ? null
        : `a term has one coordinator: ${other} and ${site} have won ${effect.term}`;
    }
    if (effect.type === 'committed') return this.#commit(effect.configuration);
    if (effect.type !== 'written') return null;
    const place = textOf(effect.configuration);
    if (this.#written.has(place))
      return `a term and version is of one configuration: ${place} is written again`;
    this.#written.set(place, effect);
    for (const election of this.#elections) {
      const unasked = this.#unasked(effect, election);
      if (unasked !== null) return unasked;
    }
    return null;
  }

  #commit(configuration: Place): string | null {
    const before = this.#committed;
    const isNewer = compare(configuration, before) > 0;
    if (isNewer) this.#committed = configuration;
    if (this.#isAncestor(isNewer ? before : configuration, this.#committed)) return null;
    return `no committed configuration is lost: ${textOf(configuration)} and ${textOf(before)} are committed, and neither follows from the other`;
  }

  #isAncestor(old: Place, young: Place): boolean {
    for (let at: Place | undefined = young; at !== undefined; at = this.#written.get(textOf(at))?.parent)
      if (compare(at, old) === 0) return true;
    return false;
  }

  /** S9: a new voter is not asked about what was decided before. */
  #unasked({ configuration, parent }: Written, { epoch, under }: Election): string | null {
    const isChange = configuration.version > parent.version;
    if (!isChange || compare(under, parent) >= 0 || epoch <= configuration.base) return null;
    return `S9: epoch ${epoch} was decided under ${textOf(under)}, and is above the base of ${textOf(configuration)}, which changes ${textOf(parent)}`;
  }
}
