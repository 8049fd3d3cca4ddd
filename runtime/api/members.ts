import type { SiteId } from '../../machines/actor.ts';
import type { Address } from './peer.ts';

/** Who votes, as far as a site knows. Another one may know of a newer change. */
export interface Membership {
  /** Of the founding of the cluster; `null`: this site is no member, or there is no cluster yet. */
  readonly generation: number | null;
  /** The place of this configuration in the order of all: by `term`, then `version`. `null`: none is known here. */
  readonly term: number | null;
  readonly version: number | null;
  /** By name. */
  readonly voters: readonly Voter[];
}

export interface Voter {
  readonly site: SiteId;
  /** Of its data: one that comes back with others is another voter. */
  readonly id: string;
  /** Whether it is in reach of the site that was asked. */
  readonly up: boolean;
  /** Where it listens; `null`: that is not known here. */
  readonly address: Address | null;
}
