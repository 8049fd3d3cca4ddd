import { setTimeout as sleep } from 'node:timers/promises';
import type { SiteId } from '../../machines/actor.ts';
import { type Address, type Cluster, joinCluster } from '../index.ts';

/*
 * A process of its own, run with --expose-gc: `<sites> <locks>`. Each lock is used once, by one of the sites. Prints, as
 * JSON, what is left of them.
 */

export interface ManyLocks {
  /** How many locks the sites know, each site by itself. */
  readonly places: number;
  /** Bytes of heap that are more than before. */
  readonly bytes: number;
  /** Timers that are more than before. */
  readonly timers: number;
  /** Messages that were sent in half a second in which nobody used a lock. */
  readonly idleMessages: number;
  readonly entered: number;
}

const [siteCount, lockCount] = process.argv.slice(2).map(Number) as [number, number];
const ids = Array.from({ length: siteCount }, (_, index) => String.fromCharCode(97 + index));
const nowhere: Address = { host: '127.0.0.1', port: 1 };
const addresses: Record<SiteId, Address> = Object.fromEntries(ids.map((id) => [id, nowhere]));
/** Room for so many that none is forgotten sooner. */
const limits = { maxLocks: 10_000_000, maxLocksOfPeer: 10_000_000 };
const sites: Cluster[] = [];
// The first of a pair dials, so its peers are opened before it.
for (const id of [...ids].reverse()) {
  const { [id]: _, ...peers } = addresses;
  const listen = { host: '127.0.0.1', port: 0 };
  const site = await joinCluster({ cluster: 'many', site: id, listen, peers, limits });
  addresses[id] = site.address;
  sites.push(site);
}
await Promise.all(sites.map((site) => site.ready()));

const take = (index: number) =>
  sites[index % siteCount]!.lock(`lock ${index}`).run(() => undefined, { timeoutMs: 60_000 });
/** Many at a time, one after another in each of the rows. */
const rows = 64;
const takeAll = (from: number, to: number) =>
  Promise.all(
    Array.from({ length: rows }, async (_, row) => {
      for (let index = from + row; index < to; index += rows) await take(index);
    }),
  );
const sum = (of: (site: Cluster) => number) => sites.reduce((total, site) => total + of(site), 0);
const sent = () =>
  sum((site) => Object.values(site.counters().sent).reduce((total, count) => total + count, 0));

/** When all that is used for a while only is given back. */
async function rest() {
  await sleep(1_000);
  for (let round = 0; round < 3; round++) globalThis.gc!();
  const timers = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  return { bytes: process.memoryUsage().heapUsed, timers, places: sum((site) => site.status().locks) };
}

await takeAll(lockCount, lockCount + 2_000);
const before = await rest();
await takeAll(0, lockCount);
const after = await rest();
const sentBefore = sent();
await sleep(500);
const found: ManyLocks = {
  places: after.places - before.places,
  bytes: after.bytes - before.bytes,
  timers: after.timers - before.timers,
  idleMessages: sent() - sentBefore,
  entered: sum((site) => site.counters().entered),
};
process.stdout.write(JSON.stringify(found));
process.exit(0);
