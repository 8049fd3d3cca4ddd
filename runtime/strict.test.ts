import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type InvariantError, joinCluster, systemClock } from './index.ts';
import { anyPort, openMembers } from './testing/cluster.ts';
import { eventually } from './testing/eventually.ts';

const three = ['a', 'b', 'c'];
const strict = { leaseMs: 300 };
const settings = { strict, timing: { heartbeatMs: 50, silentMs: 200, electionMaxMs: 200 } };
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('a critical section outlives its lease, which a majority renews', async () => {
  await using group = await openMembers(three, settings);
  const held = await group.members[1]!.lock.acquire();
  await sleep(4 * strict.leaseMs);
  expect(held.signal.aborted).toBe(false);
  const { sent } = group.members[1]!.cluster.counters();
  expect(sent['HEARTBEAT']).toBeGreaterThan(4);
  held.release();
});

test('an idle lock sends nothing, and without leases nothing is sent for them', async () => {
  await using group = await openMembers(three, settings);
  await group.members[0]!.lock.run(() => undefined);
  await sleep(strict.leaseMs);
  const before = group.members.map((site) => site.cluster.counters().sent);
  await sleep(2 * strict.leaseMs);
  expect(group.members.map((site) => site.cluster.counters().sent)).toEqual(before);
  await using plain = await openMembers(three);
  await plain.members[1]!.lock.run(() => sleep(50));
  expect(Object.keys(plain.members[1]!.cluster.counters().sent).sort()).toEqual(['REQUEST']);
});

test('who loses the majority has lost the lock when its lease ends, and is told so', async () => {
  await using group = await openMembers(three, settings);
  const [a, b, c] = group.members;
  const held = await a!.lock.acquire();
  await Promise.all([b!.cluster.close({ graceful: false }), c!.cluster.close({ graceful: false })]);
  const gone = performance.now();
  await new Promise((lost) => held.signal.addEventListener('abort', lost));
  expect(held.signal.reason).toMatchObject({ code: 'LOCK_LOST' });
  expect(performance.now() - gone).toBeGreaterThan(strict.leaseMs / 4);
  expect(a!.lock.status().token).toBe(true);
  await expect(a!.lock.acquire({ timeoutMs: 2 * strict.leaseMs })).rejects.toMatchObject({
    code: 'ACQUIRE_TIMEOUT',
  });
});

test('the next enters only after the lease of who is gone', async () => {
  await using group = await openMembers(three, settings);
  const [a, b] = group.members;
  const held = await a!.lock.acquire();
  await sleep(2 * strict.leaseMs);
  const waits = b!.lock.acquire();
  // Four rounds of heartbeats a lease: the last one was sent at most a quarter of a lease before this.
  const gone = performance.now();
  await a!.cluster.close({ graceful: false });
  const next = await waits;
  expect(performance.now() - gone).toBeGreaterThan(strict.leaseMs / 2);
  expect(next.fence.epoch).toBeGreaterThan(held.fence.epoch);
  next.release();
});

test('who gives up as the promises of its earlier life end is not taken for one inside', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'baton-strict-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true }));
  let skippedMs = 0;
  const crashes: InvariantError[] = [];
  const options = {
    ...{ cluster: 'test', site: 'a', peers: {}, listen: anyPort, dataDir, strict: { leaseMs: 60_000 } },
    clock: { ...systemClock, now: () => systemClock.now() + skippedMs },
    onCrash: (error: InvariantError) => void crashes.push(error),
  };
  const before = await joinCluster({ ...options, newcomer: true });
  await before.close();
  await using cluster = await joinCluster(options);
  const patience = new AbortController();
  const waits = cluster.lock('x').acquire({ signal: patience.signal });
  await eventually(() => expect(cluster.counters().suspicions).toBe(1));
  skippedMs = 120_000;
  patience.abort();
  await expect(waits).rejects.toMatchObject({ name: 'AbortError' });
  expect(crashes).toEqual([]);
  expect(cluster.counters()).toMatchObject({ elections: 1, entered: 1 });
  expect(cluster.lock('x').status()).toMatchObject({ client: 'idle', token: true });
});

test.each([
  [{ leaseMs: 10 }, /strict.leaseMs: .* from 50 to 3600000, 10 came/],
  [{ leaseMs: 3e9 }, /strict.leaseMs: .* from 50 to 3600000, 3000000000 came/],
  [{ leaseMs: 100, driftShare: 1 }, /strict.driftShare: .* from 0 to 0.5/],
])('%j is refused where it makes no sense', async (leases, reason) => {
  const options = { cluster: 'test', site: 'a', root: 'a', peers: {}, listen: anyPort };
  await expect(joinCluster({ ...options, strict: leases })).rejects.toThrow(reason);
});
