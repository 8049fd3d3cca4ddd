import type { SiteId } from '../actor.ts';

/** A set of sites: no order, and plain JSON. */
export type SiteSet = Readonly<Record<SiteId, true>>;

/** A site as a configuration names it: by its name, and by the id of its data. */
export const voterOf = (name: string, id: string): SiteId => `${name}/${id}`;

/** The name of a voter. No name has a slash. */
export const nameOf = (voter: SiteId): string => voter.split('/', 1)[0]!;

export const idOf = (voter: SiteId): string => voter.slice(voter.indexOf('/') + 1);

/**
 * The set of voters (protocol.md, section 4). Configurations are ordered by `term`, then `version`: W. Schultz, I.
 * Dardik, S. Tripakis, "Design and Analysis of a Logless Dynamic Reconfiguration Protocol", OPODIS 2021. No two are of
 * one place in that order.
 */
export interface Configuration {
  /** The term of the coordinator that wrote it; 0 for that of the founders. */
  readonly term: number;
  /** Each change of the voters is one more. A new coordinator writes the same version again under its own term. */
  readonly version: number;
  /** Every epoch of any lock that was decided before this configuration could decide is at most this. */
  readonly base: number;
  readonly voters: SiteSet;
}

/** The configuration that the founders begin with. */
export const firstConfiguration = (founders: readonly SiteId[]): Configuration => ({
  term: 0,
  version: 1,
  base: 0,
  voters: Object.fromEntries(founders.map((founder) => [founder, true] as const)),
});

type Place = Pick<Configuration, 'term' | 'version'>;

/** Above 0: `one` is newer than `other`; 0: they are the same. Any is newer than none. */
export function compare(one: Place | null, other: Place | null): number {
  if (one === null || other === null) return Number(one !== null) - Number(other !== null);
  return one.term - other.term || one.version - other.version;
}

/** Does it say the same under another term, or the same one? */
export const isRewritten = (one: Configuration, other: Configuration): boolean =>
  one.version === other.version && one.base === other.base && differences(one.voters, other.voters) === 0;

export const isEqual = (one: Configuration, other: Configuration): boolean =>
  one.term === other.term && isRewritten(one, other);

/** May `later` have come of `earlier`, as far as its numbers tell? Each version is one voter more or less. */
export const mayFollow = (later: Configuration, earlier: Configuration): boolean =>
  later.base >= earlier.base && differences(later.voters, earlier.voters) <= later.version - earlier.version;

const differences = (one: SiteSet, other: SiteSet): number =>
  [
    ...Object.keys(one).filter((site) => !(site in other)),
    ...Object.keys(other).filter((site) => !(site in one)),
  ].length;

/** More than half of the voters. */
export function isQuorum(sites: Readonly<Record<SiteId, unknown>>, { voters }: Configuration): boolean {
  const all = Object.keys(voters);
  return 2 * all.filter((voter) => voter in sites).length > all.length;
}

/** One voter more or less: then any quorum of the one meets any quorum of the other. */
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

/** Is there something left to change, and a voter left after it? */
export function isChange({ voters }: Configuration, change: Change): boolean {
  return 'add' in change
    ? !(change.add in voters)
    : change.remove in voters && Object.keys(voters).length > 1;
}
