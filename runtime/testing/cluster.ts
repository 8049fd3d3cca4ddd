import type { AnyStateMachine } from 'xstate';
import type { SiteId } from '../../machines/actor.ts';
import { siteMachine } from '../../machines/epoch/site.ts';
import type { Address, Cluster, ClusterOptions, InvariantError, Lock, Notice } from '../index.ts';
import { joinWith } from '../join.ts';
import type { Store } from '../store/store.ts';

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

/** `statechart` runs the locks. Default: the one that the runtime runs. `store`: as if it were opened by the site. */
export async function openMember(
  options: ClusterOptions,
  statechart: AnyStateMachine = siteMachine,
  store?: Store,
): Promise<Member> {
  const cluster = await joinWith(statechart, options, store);
  return { cluster, lock: cluster.lock('main') };
}

/** Opens the sites `ids`, in code-unit order, the first one the root of every lock, and waits until all are connected. */
export async function openMembers(
  ids: readonly SiteId[],
  overrides: Partial<ClusterOptions> = {},
  statechart?: AnyStateMachine,
): Promise<Members> {
  const addresses: Record<SiteId, Address> = Object.fromEntries(ids.map((id) => [id, nowhere]));
  const notices = new Map<SiteId, Notice[]>(ids.map((id) => [id, []]));
  const crashes: InvariantError[] = [];
  const members: Member[] = [];
  // The first of a pair dials, so its peers are opened before it.
  for (const id of [...ids].reverse()) {
    const { [id]: _, ...peers } = addresses;
    const options = {
      cluster: 'test',
      site: id,
      listen: anyPort,
      peers,
      root: ids[0]!,
      onCrash: (error: InvariantError) => crashes.push(error),
      ...overrides,
    };
    const member = await openMember(options, statechart);
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
