import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SiteId } from '../../machines/actor.ts';
import { type Address, type Cluster, type Fence, joinCluster } from '../index.ts';

/*
 * A process of its own, run with --expose-gc: `<sites> <names> <forgetAfterMs> [<dataDir>]`. Each name is used once, by one of the
 * sites, and is forgotten when it was not used for `forgetAfterMs`; the first 200 names come back at the end. Prints, as JSON, what was kept.
 */

export interface ForgottenNames {
  readonly names: number;
  readonly seconds: number;
  /** The highest number of locks that all sites together knew, each site by itself. */
  readonly mostKept: number;
  /** The number that they know in the end, when nobody has used any for a while. */
  readonly kept: number;
  /** Bytes of heap after a tenth of the names, after half of them, and after all, with what was forgotten by then. */
  readonly bytes: readonly number[];
  /** Bytes on the disk in the end. 0 without one. */
  readonly diskBytes: number;
  /** The names that came back, and how many of those were granted under a higher fence than before. */
  readonly back: number;
  /** Peers that were given up, links that began anew, and names that were refused. */
  readonly troubles: number;
  readonly risen: number;
}

const [siteCount, nameCount] = process.argv.slice(2, 4).map(Number) as [number, number];
const forgetAfterMs = Number(process.argv[4]);
const dataDir = process.argv[5];
const ids = Array.from({ length: siteCount }, (_, index) => String.fromCharCode(97 + index));
const nowhere: Address = { host: '127.0.0.1', port: 1 };
const addresses: Record<SiteId, Address> = Object.fromEntries(ids.map((id) => [id, nowhere]));
let troubles = 0;
const sites: Cluster[] = [];
// The first of a pair dials, so its peers are opened before it.
for (const id of [...ids].reverse()) {
  const { [id]: _, ...peers } = addresses;
  const site = await joinCluster({
    cluster: 'names',
    site: id,
    listen: { host: '127.0.0.1', port: 0 },
    peers,
    timing: { forgetAfterMs },
    ...(dataDir !== undefined && { dataDir: `${dataDir}/${id}` }),
  });
  site.on('notice', ({ type }) => {
    if (['down', 'restarted', 'dropped', 'error', 'no-majority'].includes(type)) troubles += 1;
  });
  addresses[id] = site.address;
  sites.push(site);
}
await Promise.all(sites.map((site) => site.ready()));

const take = (index: number): Promise<Fence> =>
  sites[index % siteCount]!.lock(`order ${index}`).run(({ fence }) => fence, { timeoutMs: 60_000 });
const kept = () => sites.reduce((sum, site) => sum + site.status().locks, 0);
/** Many at a time, one after another in each of the rows. */
const rows = 64;
let mostKept = 0;
const takeAll = (from: number, to: number) =>
  Promise.all(
    Array.from({ length: rows }, async (_, row) => {
      for (let index = from + row; index < to; index += rows) {
        await take(index);
        if (index % 64 === 0) mostKept = Math.max(mostKept, kept());
      }
    }),
  );
async function bytes(): Promise<number> {
  // A busy machine takes longer to forget.
  for (let left = 100; left > 0 && kept() > 0; left--) await sleep(forgetAfterMs / 2);
  for (let round = 0; round < 3; round++) globalThis.gc!();
  return process.memoryUsage().heapUsed;
}

const back = 200;
const before = await Promise.all(Array.from({ length: back }, (_, index) => take(index)));
const startedAt = performance.now();
await takeAll(back, nameCount / 10);
const heaps = [await bytes()];
await takeAll(nameCount / 10, nameCount / 2);
heaps.push(await bytes());
await takeAll(nameCount / 2, nameCount);
heaps.push(await bytes());
const keptInTheEnd = kept();
const files = dataDir === undefined ? [] : readdirSync(dataDir, { recursive: true, withFileTypes: true });
const diskBytes = files
  .filter((file) => file.isFile())
  .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
const seconds = (performance.now() - startedAt) / 1_000;
const after = await Promise.all(before.map((_, index) => take(index)));
const isAbove = (one: Fence, other: Fence) =>
  one.epoch > other.epoch || (one.epoch === other.epoch && one.k > other.k);
const found: ForgottenNames = {
  names: nameCount,
  seconds,
  mostKept,
  kept: keptInTheEnd,
  bytes: heaps,
  diskBytes,
  troubles,
  back,
  risen: after.filter((fence, index) => isAbove(fence, before[index]!)).length,
};
process.stdout.write(JSON.stringify(found));
process.exit(0);
