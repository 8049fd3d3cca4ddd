import type { SiteId } from '../../machines/actor.ts';
import type { Address } from './peer.ts';

/** The voters, as far as a site knows. Another one may know of a newer change. */
export interface Membership {
  /** Number of the founding of the cluster; `null`: this site is no member, or there is no cluster yet. */
  readonly generation: number | null;
  /** The place of this configuration in the order of all: by `term`, then `version`. `null`: none is known here. */
  readonly term: number | null;
  readonly version: number | null;
  /** The voters, in the order of their names. */
  readonly voters: readonly Voter[];
}

/** A member that votes. */
export interface Voter {
  readonly site: SiteId;
  /** Id of its data. A site that comes back with other data is another voter. */
  readonly id: string;
  /** Whether it is in reach of the site that was asked. */
  readonly up: boolean;
  /** Where it listens; `null`: that is not known here. */
  readonly address: Address | null;
}
