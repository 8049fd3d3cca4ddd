import { expect, onTestFinished } from 'vitest';
import {
  type Address,
  type Cluster,
  type ClusterOptions,
  compareFences,
  type Fence,
  fromFunction,
  joinCluster,
} from '../index.ts';
import { freePort } from './free-ports.ts';

const hasty = { heartbeatMs: 50, failureTimeoutMs: 400, suspectMinMs: 5, suspectMaxMs: 20 };

/** Processes that find each other by a list that is always right. */
export class FittingFleet {
  readonly running = new Map<Cluster, Address>();
  readonly #addresses: Address[] = [];
  readonly #timing: ClusterOptions['timing'];
  readonly #security: Pick<ClusterOptions, 'site' | 'tls' | 'secret'>;

  constructor(
    timing: ClusterOptions['timing'] = hasty,
    security: Pick<ClusterOptions, 'site' | 'tls' | 'secret'> = {},
  ) {
    this.#timing = timing;
    this.#security = security;
  }

  async start(count: number): Promise<readonly Cluster[]> {
    const ports = await Promise.all(Array.from({ length: count }, freePort));
    const addresses = ports.map((port) => ({ host: '127.0.0.1', port }));
    this.#addresses.push(...addresses);
    return Promise.all(
      addresses.map(async (listen) => {
        const cluster = await joinCluster({
          ...{ cluster: 'test', size: 3, listen, timing: this.#timing, ...this.#security },
          discovery: fromFunction(() => this.#addresses, { everyMs: 20 }),
          members: { removeAfterMs: 300, foundAfterMs: 300 },
        });
        this.running.set(cluster, listen);
        return cluster;
      }),
    );
  }

  async stop(cluster: Cluster, graceful = true): Promise<void> {
    this.#addresses.splice(this.#addresses.indexOf(this.running.get(cluster)!), 1);
    this.running.delete(cluster);
    await cluster.close({ graceful, leave: graceful });
  }

  get members(): readonly Cluster[] {
    return [...this.running.keys()].filter((one) => one.status().founded);
  }
}

export function openFittingFleet(...options: ConstructorParameters<typeof FittingFleet>): FittingFleet {
  const fleet = new FittingFleet(...options);
  onTestFinished(async () => {
    await Promise.all([...fleet.running.keys()].map((cluster) => cluster.close({ graceful: false })));
  });
  return fleet;
}

const patiently = { timeout: 30_000, interval: 50 };

/** Waits until there are `count` members, and all know it. */
export async function expectMembers(fleet: FittingFleet, count: number): Promise<void> {
  const votersOf = (one: Cluster) => one.members().voters.map(({ site }) => site);
  await expect
    .poll(() => fleet.members.map((one) => votersOf(one).length), patiently)
    .toEqual(new Array(count).fill(count));
  const [voters] = fleet.members.map(votersOf);
  for (const one of fleet.members) expect(votersOf(one)).toEqual(voters);
}

/** Each process is granted the lock in turn, and the fences rise. */
export async function expectGrants(fleet: FittingFleet, before: Fence | null = null): Promise<Fence> {
  let last = before;
  for (const cluster of fleet.running.keys()) {
    const fence = await cluster.lock('main').run((held) => held.fence, { timeoutMs: 10_000 });
    if (last !== null) expect(compareFences(fence, last)).toBeGreaterThan(0);
    last = fence;
  }
  return last!;
}
