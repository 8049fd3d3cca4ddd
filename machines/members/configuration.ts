import type { SiteId } from '../actor.ts';

/** A set of sites. It has no order and is plain JSON. */
export type SiteSet = Readonly<Record<SiteId, true>>;

/** The identity of a site in a configuration: its name and the id of its data. */
export const voterOf = (name: string, id: string): SiteId => `${name}/${id}`;

/** The name of a voter. No name contains a slash. */
export const nameOf = (voter: SiteId): string => voter.split('/', 1)[0]!;

export const idOf = (voter: SiteId): string => voter.slice(voter.indexOf('/') + 1);

/**
 * The set of voters (protocol.md, section 4). Configurations are ordered by `term`, then `version`: W.
 * Schultz, I. Dardik, S. Tripakis, "Design and Analysis of a Logless Dynamic Reconfiguration Protocol",
 * OPODIS 2021. No two configurations have the same place in that order.
 */
export interface Configuration {
  /** The term of the coordinator that wrote it; 0 for the configuration of the founders. */
  readonly term: number;
  /**
   * Every change of the voters adds one. A new coordinator writes the same version again under its own term.
   */
  readonly version: number;
  /** Upper bound of every epoch of any lock that was decided before this configuration could decide. */
  readonly base: number;
  readonly voters: SiteSet;
}

/** The configuration that a cluster starts with. */
export const firstConfiguration = (founders: readonly SiteId[]): Configuration => ({
  term: 0,
  version: 1,
  base: 0,
  voters: Object.fromEntries(founders.map((founder) => [founder, true] as const)),
});

type Place = Pick<Configuration, 'term' | 'version'>;

/**
 * Compares two places: above 0 if `one` is newer than `other`, 0 if they are the same. Every place is newer
 * than `null`.
 */
export function compare(one: Place | null, other: Place | null): number {
  if (one === null || other === null) return Number(one !== null) - Number(other !== null);
  return one.term - other.term || one.version - other.version;
}

/** Reports whether the two configurations are equal except for the term. */
export const isRewritten = (one: Configuration, other: Configuration): boolean =>
  one.version === other.version && one.base === other.base && differences(one.voters, other.voters) === 0;

export const isEqual = (one: Configuration, other: Configuration): boolean =>
  one.term === other.term && isRewritten(one, other);

/**
 * Reports whether `later` can follow from `earlier` as far as its numbers tell. Each version adds or removes
 * one voter.
 */
export const mayFollow = (later: Configuration, earlier: Configuration): boolean =>
  later.base >= earlier.base && differences(later.voters, earlier.voters) <= later.version - earlier.version;

const differences = (one: SiteSet, other: SiteSet): number =>
  [
    ...Object.keys(one).filter((site) => !(site in other)),
    ...Object.keys(other).filter((site) => !(site in one)),
  ].length;

/** Reports whether `sites` are more than half of the voters. */
export function isQuorum(sites: Readonly<Record<SiteId, unknown>>, { voters }: Configuration): boolean {
  const all = Object.keys(voters);
  return 2 * all.filter((voter) => voter in sites).length > all.length;
}

/**
 * One voter is added or removed. Then any quorum of the old configuration meets any quorum of the new one.
 */
export type Change = { readonly add: SiteId } | { readonly remove: SiteId };

export function changed(before: Configuration, change: Change, base: number): Configuration {
  const { term, version, voters } = before;
  return { term, version: version + 1, base, voters: votersAfter(voters, change) };
}

function votersAfter(voters: SiteSet, change: Change): SiteSet {
  if ('add' in change) return { ...voters, [change.add]: true };
  const { [change.remove]: _, ...rest } = voters;
  return rest;
}

/** Reports whether the change has an effect and leaves at least one voter. */
export function isChange({ voters }: Configuration, change: Change): boolean {
  return 'add' in change
    ? !(change.add in voters)
    : change.remove in voters && Object.keys(voters).length > 1;
}
