import type { SiteId } from '../../machines/actor.ts';
import { type Configuration, nameOf, voterOf } from '../../machines/members/configuration.ts';
import type { Founding } from '../../machines/members/founding.ts';

export interface RosterOptions {
  readonly self: SiteId;
  /** Id of this site's data. */
  readonly id: string;
  /** Those that this site was told of at its start. */
  readonly peers: readonly SiteId[];
  readonly voters: readonly SiteId[];
}

/** The members, as agreed on by the cluster, and the sites that were met with the data of a member. */
export class Roster {
  readonly #options: RosterOptions;
  #founding: Founding | null = null;
  #first: readonly SiteId[] = [];
  #configuration: Configuration | null = null;
  /** For each site that was met: the id of its present data, and whether it is up. */
  readonly #met = new Map<SiteId, { readonly id: string; up: boolean }>();
  /** What `isMember` has answered since something changed: each message asks it. */
  readonly #answered = new Map<SiteId, boolean>();

  constructor(options: RosterOptions) {
    this.#options = options;
  }

  /** `null`: the cluster is not founded, as far as is known here. */
  get founding(): Founding | null {
    return this.#founding;
  }

  set founding(founding: Founding | null) {
    this.#founding = founding;
    this.#answered.clear();
  }

  /** Names of the founders that voted; the others never had a vote (`voters` in the settings). */
  get first(): readonly SiteId[] {
    return this.#first;
  }

  set first(first: readonly SiteId[]) {
    this.#first = first;
    this.#answered.clear();
  }

  /** `null`: this site has not been told of any. */
  get configuration(): Configuration | null {
    return this.#configuration;
  }

  set configuration(configuration: Configuration | null) {
    this.#configuration = configuration;
    this.#answered.clear();
  }

  /** Names of those that vote. */
  get voters(): readonly SiteId[] {
    return this.configuration ? Object.keys(this.configuration.voters).map(nameOf) : this.#options.voters;
  }

  /** Names of the other members. */
  get peers(): readonly SiteId[] {
    const { self, peers } = this.#options;
    if (this.configuration === null) return peers;
    const others = this.#witnesses.filter((name) => this.isMember(name));
    return [...new Set([...this.voters, ...others])].filter((name) => name !== self);
  }

  /** Does this site take part? */
  get includesSelf(): boolean {
    return this.configuration !== null && this.isMember(this.#options.self);
  }

  /** Whether the name is a member's, with the present data of its site. A site that was not met may have any data. */
  isMember(name: SiteId): boolean {
    let is = this.#answered.get(name);
    if (is === undefined) {
      is = this.#isMember(name);
      this.#answered.set(name, is);
    }
    return is;
  }

  #isMember(name: SiteId): boolean {
    const { self, id } = this.#options;
    if (this.configuration === null) return true;
    const met = name === self ? id : this.#met.get(name)?.id;
    if (met !== undefined) return this.#includes(name, met);
    return this.voters.includes(name) || this.#witnesses.includes(name);
  }

  /** It was met, with data that are no member's. */
  isStranger(name: SiteId): boolean {
    return this.configuration !== null && this.#met.has(name) && !this.isMember(name);
  }

  /** `up` or not. */
  meet(name: SiteId, id: string, up: boolean): void {
    this.#met.set(name, { id, up });
    this.#answered.delete(name);
  }

  forget(name: SiteId): void {
    this.#met.delete(name);
    this.#answered.delete(name);
  }

  /** The id of the data with which a peer was met last; `null`: it was not. */
  dataOf(name: SiteId): string | null {
    return this.#met.get(name)?.id ?? null;
  }

  /** The id of the data with which a peer is up; `null`: it is not. */
  idOf(name: SiteId): string | null {
    const met = this.#met.get(name);
    return met?.up ? met.id : null;
  }

  /** Those that are up. */
  get met(): readonly SiteId[] {
    return [...this.#met].flatMap(([name, { up }]) => (up ? name : []));
  }

  #includes(name: SiteId, id: string): boolean {
    if (voterOf(name, id) in this.configuration!.voters) return true;
    return this.#witnesses.includes(name) && this.founding?.ids[name] === id;
  }

  get #witnesses(): readonly SiteId[] {
    return Object.keys(this.founding?.ids ?? {}).filter((name) => !this.first.includes(name));
  }
}
