import type { SiteId } from '../actor.ts';
import type { Change, Configuration, SiteSet } from './configuration.ts';

/**
 * Between the member actors of a cluster. `origin`, `candidate`, `voter` and `site` are the sender.
 *
 * - `JOIN`: `site`, which is no voter, is there and listens. Only a site that was heard of so is added.
 * - `CONFIGURATION`: the newest one that `origin` holds. A site that believes it (M6) adopts it, committed or not.
 * - `ACKNOWLEDGE`: `voter` holds exactly this configuration, and promised no later term; `top` is the highest epoch of any
 *   lock that it ever promised, or the configuration's base.
 * - `VOTE_REQUEST`: `candidate` wants to coordinate `term`, and counts its votes in `configuration`.
 * - `VOTE`: `voter` will hear of no term below `term` any more.
 * - `REFUSE`: `term` has been promised here, and this is the configuration here.
 */
export type MembersMessage =
  | { readonly type: 'JOIN'; readonly site: SiteId }
  | { readonly type: 'CONFIGURATION'; readonly configuration: Configuration; readonly origin: SiteId }
  | {
      readonly type: 'ACKNOWLEDGE';
      readonly term: number;
      readonly version: number;
      readonly voter: SiteId;
      readonly top: number;
    }
  | {
      readonly type: 'VOTE_REQUEST';
      readonly term: number;
      readonly candidate: SiteId;
      readonly configuration: Configuration;
    }
  | { readonly type: 'VOTE'; readonly term: number; readonly voter: SiteId }
  | { readonly type: 'REFUSE'; readonly term: number; readonly configuration: Configuration };

/**
 * The events of the driver.
 *
 * - `stand`: this site wants to coordinate a change. May come at any time; to wait between attempts, longer each time
 *   and by chance, is the driver's.
 * - `change`: one voter more or less. It does nothing unless this site coordinates and its configuration is committed, and
 *   the site that is added has been heard of.
 * - `tell`: `peer` is connected, or connected again: it gets the configuration that is held here.
 * - `join`: this site, which is no voter, tells `peer` that it is there.
 * - `reach`: these voters are in reach, and no others: said whenever that changes.
 * - `promised`: a lock of this site has promised `epoch`: said before any message shows it.
 */
export type MembersInput =
  | { readonly type: 'stand' }
  | { readonly type: 'change'; readonly change: Change }
  | { readonly type: 'tell'; readonly peer: SiteId }
  | { readonly type: 'join'; readonly peer: SiteId }
  | { readonly type: 'reach'; readonly sites: SiteSet }
  | { readonly type: 'promised'; readonly epoch: number };

export type MembersEvent = MembersInput | MembersMessage;

/**
 * The state that must be on the disk before any later effect of the same step is run: the configuration, the highest
 * promised term, and the highest promised epoch of any lock.
 */
export interface MembersDisk {
  readonly configuration: Configuration | null;
  readonly promised: number;
  readonly top: number;
}

/**
 * The requests of the statechart to its driver. Each is a named action whose params are the other keys.
 *
 * - `configured`: from now on this is the configuration here. Candidacies for any lock that counted in an older one are
 *   over, before any later effect of the same step is run.
 * - `coordinates`: this site won `term`.
 * - `written`: as its coordinator it wrote this configuration, after the one at `parent`.
 * - `committed`: a quorum has acknowledged it: its coordinator may make changes from it, and a site that it has not as a voter was
 *   removed for good.
 */
export type MembersEffect =
  | { readonly type: 'send'; readonly target: SiteId; readonly message: MembersMessage }
  | ({ readonly type: 'persist' } & MembersDisk)
  | { readonly type: 'configured'; readonly configuration: Configuration }
  | { readonly type: 'coordinates'; readonly term: number }
  | {
      readonly type: 'written';
      readonly configuration: Configuration;
      readonly parent: Pick<Configuration, 'term' | 'version'>;
    }
  | { readonly type: 'committed'; readonly configuration: Configuration };
