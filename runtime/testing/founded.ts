import type { SiteId } from '../../machines/actor.ts';
import type { FoundingDisk } from '../../machines/members/founding.ts';
import { memoryStore, type Store } from '../store/store.ts';

/** The data of each of these sites after they have founded a cluster; the name of each is its id. */
export const foundedBy = (sites: readonly SiteId[]): FoundingDisk => ({
  generation: 1,
  ids: Object.fromEntries(sites.map((site) => [site, site])),
  stage: 'settled',
});

/** A store in memory of such a site. */
export const foundedStore = (site: SiteId, sites: readonly SiteId[]): Store =>
  memoryStore(site, foundedBy(sites));
