import type { SiteId } from '../../machines/actor.ts';
import {
  type Address,
  type Cluster,
  type ClusterOptions,
  type InvariantError,
  joinCluster,
  type Lock,
  type Notice,
} from '../index.ts';

/** One site of a test, and the one lock that most tests are about. */
export interface Member {
  readonly cluster: Cluster;
  readonly lock: Lock;
}

/** Sites of one process, over TCP on loopback. */
export interface Members extends AsyncDisposable {
  readonly members: readonly Member[];
  readonly notices: ReadonlyMap<SiteId, Notice[]>;
  readonly crashes: InvariantError[];
}

const nowhere: Address = { host: '127.0.0.1', port: 1 };
export const anyPort: Address = { host: '127.0.0.1', port: 0 };

export async function openMember(options: ClusterOptions): Promise<Member> {
  const cluster = await joinCluster(options);
  return { cluster, lock: cluster.lock('main') };
}

/** Opens the sites `ids`, in code-unit order, the first one the root of every lock, and waits until all are connected. */
export async function openMembers(
  ids: readonly SiteId[],
  overrides: Partial<ClusterOptions> = {},
): Promise<Members> {
  const addresses: Record<SiteId, Address> = Object.fromEntries(ids.map((id) => [id, nowhere]));
  const notices = new Map<SiteId, Notice[]>(ids.map((id) => [id, []]));
  const crashes: InvariantError[] = [];
  const members: Member[] = [];
  // The first of a pair dials: so whoever is dialled is opened before.
  for (const id of [...ids].reverse()) {
    const { [id]: _, ...peers } = addresses;
    const member = await openMember({
      cluster: 'test',
      site: id,
      listen: anyPort,
      peers,
      root: ids[0]!,
      onCrash: (error) => crashes.push(error),
      ...overrides,
    });
    member.cluster.on('notice', (notice) => notices.get(id)!.push(notice));
    addresses[id] = member.cluster.address;
    members.unshift(member);
  }
  await Promise.all(members.map(({ cluster }) => cluster.ready()));
  return {
    members,
    notices,
    crashes,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(members.map(({ cluster }) => cluster.close({ graceful: false })));
    },
  };
}

/** The codes of the errors among `notices`. */
export function codes(notices: readonly Notice[] | undefined): string[] {
  return (notices ?? []).flatMap((notice) => (notice.type === 'error' ? [notice.error.code] : []));
}

export function allCodes({ notices }: Members): string[] {
  return [...notices.values()].flatMap(codes);
}
