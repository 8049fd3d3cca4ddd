import type { SiteId } from '../../machines/actor.ts';
import type { Address } from './peer.ts';

/** The voters, as far as a site knows. Another site may know of a newer change. */
export interface Membership {
  /**
   * Number of the founding of the cluster; `null` if this site is no member, or the cluster is not founded
   * yet.
   */
  readonly generation: number | null;
  /**
   * The place of this configuration in their order: by `term`, then `version`. `null`: none is known here.
   */
  readonly term: number | null;
  readonly version: number | null;
  /** The voters, in the order of their names. */
  readonly voters: readonly Voter[];
  /** The guests that are attached to the site that was asked, in the order of their names. */
  readonly guests: readonly SiteId[];
}

/** A member that votes. */
export interface Voter {
  readonly site: SiteId;
  /** Id of its data. A site that returns with other data is another voter. */
  readonly id: string;
  /** True if the site that was asked can reach it. */
  readonly up: boolean;
  /** The address at which it listens; `null` if that is not known here. */
  readonly address: Address | null;
  /**
   * The version of the wire that it and the site that was asked speak with each other; of the latter, the highest that it
   * speaks. `null`: the two have not met. All must be at one version before a message that came with it is used.
   */
  readonly wireVersion: number | null;
}
