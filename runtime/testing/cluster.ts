import type { SiteId } from '../../machines/actor.ts';
import {
  type Address,
  type InvariantError,
  type Notice,
  openSite,
  type Site,
  type SiteOptions,
} from '../index.ts';

/** Sites of one process, over TCP on loopback. */
export interface Cluster extends AsyncDisposable {
  readonly sites: readonly Site[];
  readonly notices: ReadonlyMap<SiteId, Notice[]>;
  readonly crashes: InvariantError[];
}

const nowhere: Address = { host: '127.0.0.1', port: 1 };
export const anyPort: Address = { host: '127.0.0.1', port: 0 };

/** Opens the sites `ids`, in code-unit order, the first one the root, and waits until all are connected. */
export async function openCluster(
  ids: readonly SiteId[],
  overrides: Partial<SiteOptions> = {},
): Promise<Cluster> {
  const addresses: Record<SiteId, Address> = Object.fromEntries(ids.map((id) => [id, nowhere]));
  const notices = new Map<SiteId, Notice[]>(ids.map((id) => [id, []]));
  const crashes: InvariantError[] = [];
  const sites: Site[] = [];
  // The first of a pair dials: so whoever is dialled is opened before.
  for (const id of [...ids].reverse()) {
    const { [id]: _, ...peers } = addresses;
    const site = await openSite({
      cluster: 'test',
      site: id,
      listen: anyPort,
      peers,
      root: ids[0]!,
      onNotice: (notice) => notices.get(id)!.push(notice),
      onCrash: (error) => crashes.push(error),
      ...overrides,
    });
    addresses[id] = site.address;
    sites.unshift(site);
  }
  await Promise.all(sites.map((site) => site.ready()));
  return {
    sites,
    notices,
    crashes,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(sites.map((site) => site.close()));
    },
  };
}

/** The codes of the errors among `notices`. */
export function codes(notices: readonly Notice[] | undefined): string[] {
  return (notices ?? []).flatMap((notice) => (notice.type === 'error' ? [notice.error.code] : []));
}

export function allCodes({ notices }: Cluster): string[] {
  return [...notices.values()].flatMap(codes);
}
