import type { NodeConnectionOptions } from '@nats-io/transport-node';
import type { SiteId } from '../../machines/actor.ts';
import {
  type Cluster,
  type ClusterOptions,
  compareFences,
  type Fence,
  type Held,
  joinCluster,
} from '../index.ts';
import type { NatsServer } from './nats-server.ts';

export interface OverNats extends AsyncDisposable {
  readonly members: readonly Cluster[];
  readonly guests: readonly Cluster[];
}

/** Members and guests, each by a connection of its own to the server. Resolves when all are ready. */
export async function overNats(
  server: NatsServer,
  ids: readonly SiteId[],
  guestCount: number,
  options: Partial<ClusterOptions> = {},
  login: NodeConnectionOptions = {},
): Promise<OverNats> {
  const at = (site: SiteId) => ({ host: site, port: 1 });
  const join = async (more: ClusterOptions) =>
    joinCluster({ ...more, nats: await server.connect(login), ...options });
  const members = await Promise.all(
    ids.map((site) => {
      const peers = Object.fromEntries(ids.filter((id) => id !== site).map((id) => [id, at(id)]));
      return join({ cluster: 'test', site, peers });
    }),
  );
  await Promise.all(members.map((one) => one.ready({ timeoutMs: 30_000 })));
  const guests = await Promise.all(
    Array.from({ length: guestCount }, () =>
      join({ cluster: 'test', site: 'web', guest: true, discovery: ids.map(at) }),
    ),
  );
  await Promise.all(guests.map((one) => one.ready({ timeoutMs: 120_000 })));
  const all = [...guests, ...members];
  return {
    members,
    guests,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(all.map((one) => one.close({ graceful: false })));
    },
  };
}

/** Takes down the critical sections of one lock, by the sites of one process. */
export class Sections {
  grants = 0;
  overlaps = 0;
  falls = 0;
  #inside: Held | null = null;
  #last: Fence | null = null;

  readonly enter = async (held: Held): Promise<void> => {
    if (this.#inside && !this.#inside.signal.aborted) this.overlaps += 1;
    if (this.#last !== null && compareFences(held.fence, this.#last) <= 0) this.falls += 1;
    this.#inside = held;
    this.#last = held.fence;
    this.grants += 1;
    await Promise.resolve();
    if (this.#inside === held) this.#inside = null;
  };
}

/** The messages that these sites have sent, by type. */
export function sentBy(sites: readonly Cluster[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const site of sites)
    for (const [type, count] of Object.entries(site.counters().sent)) sum[type] = (sum[type] ?? 0) + count;
  return sum;
}
