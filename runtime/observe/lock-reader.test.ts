import { createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import type { SiteLock } from '../../machines/watch.ts';
import type { LockReports } from '../api/lock-report.ts';
import { eventually } from '../testing/eventually.ts';
import { freePorts } from '../testing/free-ports.ts';
import { watchedCluster } from '../testing/watched-cluster.ts';
import { LockReader, readLocks } from './lock-reader.ts';
import { reportsOf } from './lock-table.ts';
import { membersAt } from './members-client.ts';

it('reads the holder of a lock and the waiting sites, in the order in which they are served', async () => {
  const { clusters, urls } = await watchedCluster({ token: 't' });
  const [a, b, c] = clusters;
  const held = await b.lock('orders').acquire();
  const waits = [];
  for (const cluster of [c, a, a]) {
    waits.push(cluster.lock('orders').run(() => undefined));
    // A request must have arrived before the next is sent, so that the order is known.
    await eventually(() => expect(b.lock('orders').status().line[0]).toBe('c'));
  }
  await eventually(() => expect(c.lock('orders').status().line[0]).toBe('a'));
  await a.lock('free').run(() => undefined);

  const reader = new LockReader(urls);
  onTestFinished(() => reader.close());
  const { locks, sites: answered, silent, more } = await reader.read({ like: 'orders' });
  expect([answered, silent, more]).toEqual([['a', 'b', 'c'], [], false]);
  const [report, ...others] = locks;
  expect(others).toEqual([]);
  expect(report).toMatchObject({
    ...{ lock: 'orders', epoch: 0, token: 'b', former: [], frozen: [] },
    holder: { site: 'b', fence: held.fence },
  });
  expect(report!.queue.map(({ site, waiting }) => [site, waiting])).toEqual([
    ['c', 1],
    ['a', 2],
  ]);
  const { heldMs } = report!.holder!;
  expect(report!.queue.map(({ waitedMs }) => waitedMs.length)).toEqual([1, 2]);
  expect(b.lock('orders').status().heldMs).toBeGreaterThanOrEqual(heldMs);
  expect(a.lock('orders').status().waitedMs).toHaveLength(2);

  held.release();
  await Promise.all(waits);
  const after = await reader.read();
  expect(after.locks.map(({ lock, holder, queue }) => [lock, holder, queue])).toEqual([
    ['free', null, []],
    ['orders', null, []],
  ]);
});

it('names the sites that do not answer, and reads the others', async () => {
  const { clusters, urls } = await watchedCluster({ token: 't' });
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  onTestFinished(() => void silent.close());
  await eventually(() => expect(silent.address()).not.toBeNull());
  const { port } = silent.address() as { port: number };
  const [gone] = await freePorts(1);
  await clusters[1].lock('x').run(() => undefined);
  const wrong = urls[0]!.replace('token=t', 'token=u');
  const never = await readLocks([`ws://127.0.0.1:${port}/?token=secret`], { timeoutMs: 100 });
  expect(never.silent).toEqual([{ url: `ws://127.0.0.1:${port}/`, reason: 'no answer within 100 ms' }]);
  const given = [urls[1]!, `ws://127.0.0.1:${gone}/`, wrong];
  const { locks, sites: answered, silent: told } = await readLocks(given, { timeoutMs: 20_000 });
  expect(answered).toEqual(['b']);
  expect(locks).toMatchObject([{ lock: 'x', token: 'b', holder: null }]);
  expect(told).toEqual([
    { url: `ws://127.0.0.1:${gone}/`, reason: expect.stringContaining('ECONNREFUSED') },
    { url: wrong.replace(/\?.*/, ''), reason: expect.stringContaining('401') },
  ]);
  await expect(readLocks(['http://127.0.0.1/'])).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
  await expect(readLocks([])).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
});

it('takes no answer from a site that is closed, though its watch port is open', async () => {
  const { clusters, urls } = await watchedCluster();
  const [a, b] = clusters;
  await b.lock('at b').run(() => undefined);
  await a.lock('at a').run(() => undefined);
  const reader = new LockReader(urls);
  onTestFinished(() => reader.close());
  const namesOf = ({ locks }: LockReports) => locks.map(({ lock }) => lock);
  await eventually(async () => expect(namesOf(await reader.read())).toContain('at b'));
  await b.close({ graceful: false });
  const { sites: answered, silent, ...after } = await reader.read();
  expect(answered).not.toContain('b');
  expect(silent).toEqual([{ url: urls[1], reason: expect.stringContaining('the site is closed') }]);
  expect(after.locks.every(({ token }) => token !== 'b')).toBe(true);
  // Also over a connection of its own, and about the members.
  expect((await readLocks(urls)).sites).toEqual(answered);
  expect(await membersAt(urls[1]!)).toBe('the site is closed (1001)');
});

it('tells a holder of an earlier epoch from that of the newest', () => {
  const row = (epoch: number, more: Partial<SiteLock>): SiteLock => ({
    ...{ lock: 'x', epoch, frozen: false, token: false, line: [], held: null },
    ...{ waitedMs: [], waiting: 0, changedMs: 9 },
    ...more,
  });
  const fence = (epoch: number) => ({ generation: 1, epoch, k: 1 });
  const [report] = reportsOf([
    { site: 'a', locks: [row(1, { token: true, held: { fence: fence(1), heldMs: 900 } })] },
    { site: 'b', locks: [row(2, { token: true, line: ['c'], held: { fence: fence(2), heldMs: 50 } })] },
    { site: 'c', locks: [row(2, { waiting: 1, waitedMs: [30], changedMs: 2 })] },
    { site: 'd', locks: [row(2, { waiting: 1, waitedMs: [10] })] },
    { site: 'e', locks: [row(2, { waiting: 1, waitedMs: [40], frozen: true })] },
  ]);
  expect(report).toMatchObject({ epoch: 2, token: 'b', frozen: ['e'], changedMs: 2 });
  expect(report!.holder).toMatchObject({ site: 'b', heldMs: 50 });
  expect(report!.former).toMatchObject([{ site: 'a', heldMs: 900 }]);
  // The place of d and e is not known.
  expect(report!.queue.map(({ site }) => site)).toEqual(['c', 'e', 'd']);
  // Others stood for new epochs, and the holder kept the token in each.
  const [kept] = reportsOf([
    { site: 'b', locks: [row(4, {})] },
    { site: 'c', locks: [row(4, { token: true, held: { fence: fence(1), heldMs: 700 } })] },
  ]);
  expect(kept).toMatchObject({ epoch: 4, token: 'c', holder: { site: 'c', heldMs: 700 }, former: [] });
});
