import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Held, type InvariantError, joinCluster, systemClock } from './index.ts';
import { anyPort, openMembers } from './testing/cluster.ts';
import { eventually } from './testing/eventually.ts';

const three = ['a', 'b', 'c'];
const strict = { leaseMs: 300 };
const settings = { strict, timing: { heartbeatMs: 50, failureTimeoutMs: 200, electionMaxMs: 200 } };
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

test('a holder without a majority loses the lock when its lease ends, and is told so', async () => {
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

/** As a long computation does, or a process that was stopped: everything is late afterwards. */
function block(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}

describe('nothing begins after the lease, however long the process was held up', () => {
  const longer = 1.5 * strict.leaseMs;
  const lost = expect.objectContaining({ code: 'LOCK_LOST' });

  test('signal.aborted, reason, throwIfAborted and check() tell the end at once', async () => {
    await using group = await openMembers(three, settings);
    const held = await group.members[1]!.lock.acquire();
    const told: string[] = [];
    held.signal.addEventListener('abort', () => told.push('abort'));
    held.check();
    expect(held.signal.aborted).toBe(false);
    block(longer);
    expect(held.signal.aborted).toBe(true);
    expect(told).toEqual(['abort']);
    expect(held.signal.reason).toEqual(lost);
    expect(() => held.signal.throwIfAborted()).toThrow(lost);
    expect(() => held.check()).toThrow(lost);
    await eventually(() => expect(told).toEqual(['abort']));
  });

  test.each(['aborted', 'reason', 'throwIfAborted', 'check', 'any'] as const)(
    'whichever is asked first: %s',
    async (what) => {
      await using group = await openMembers(three, settings);
      const held = await group.members[1]!.lock.acquire();
      const { signal } = held;
      block(longer);
      if (what === 'aborted') expect(signal.aborted).toBe(true);
      if (what === 'reason') expect(signal.reason).toEqual(lost);
      if (what === 'throwIfAborted') expect(() => signal.throwIfAborted()).toThrow(lost);
      if (what === 'check') expect(() => held.check()).toThrow(lost);
      if (what === 'any') expect(AbortSignal.any([signal]).aborted).toBe(true);
    },
  );

  test('timers, promises and I/O that are due as well see its end first', async () => {
    await using group = await openMembers(three, settings);
    const held = await group.members[1]!.lock.acquire();
    const { signal } = held;
    const told: string[] = [];
    const early = () => told.push('begun');
    const timers = [1, 5, 50, 100, 200].map((ms) => setTimeout(early, ms));
    const immediate = setImmediate(() => block(longer));
    let inTime = 0;
    signal.addEventListener('abort', () => {
      told.push('abort');
      for (const timer of timers) clearTimeout(timer);
    });
    const later = sleep(60).then(() => told.push(`promise ${signal.aborted}`));
    readFile(import.meta.filename).then(() => told.push(`file ${told.includes('abort') || ++inTime > 0}`));
    await later;
    clearImmediate(immediate);
    expect(told.filter((what) => what === 'begun')).toEqual([]);
    expect(told[0]).toBe('abort');
    expect(told).toContain('promise true');
    expect(inTime).toBe(0);
  });

  test('so do the leader, and a caller that holds several locks', async () => {
    await using group = await openMembers(three, settings);
    const { cluster } = group.members[1]!;
    const all = await cluster.acquireAll(['x', 'y']);
    let term: Held | null = null;
    cluster.lead('z', async (held) => {
      term = held;
      await new Promise((resolve) => held.signal.addEventListener('abort', resolve, { once: true }));
    });
    await eventually(() => expect(term).not.toBeNull());
    all.check();
    term!.check();
    const { signal } = all;
    block(longer);
    expect([signal.aborted, term!.signal.aborted]).toEqual([true, true]);
    expect(() => all.check()).toThrow(lost);
    expect(() => term!.check()).toThrow(lost);
  });

  test('a released lock is no longer held, with leases or without', async () => {
    for (const how of [settings, {}]) {
      await using group = await openMembers(three, how);
      const held = await group.members[1]!.lock.acquire();
      held.check();
      held.release();
      expect(() => held.check()).toThrow(/LOCK_LOST: main was released by its holder/);
      expect(held.signal.aborted).toBe(false);
    }
  });
});

test('the next enters only after the lease of the site that is gone', async () => {
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

test('a site that withdraws as the promises of its earlier run end does not count as inside', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'baton-strict-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true }));
  let skippedMs = 0;
  const crashes: InvariantError[] = [];
  const options = {
    ...{ cluster: 'test', site: 'a', peers: {}, listen: anyPort, dataDir, strict: { leaseMs: 60_000 } },
    clock: { ...systemClock, now: () => systemClock.now() + skippedMs },
    onCrash: (error: InvariantError) => void crashes.push(error),
  };
  const before = await joinCluster(options);
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
  await eventually(() => expect(cluster.lock('x').status()).toMatchObject({ client: 'idle', token: true }));
});

test.each([
  [{ leaseMs: 10 }, /strict.leaseMs: .* from 50 to 3600000, got 10/],
  [{ leaseMs: 3e9 }, /strict.leaseMs: .* from 50 to 3600000, got 3000000000/],
  [{ leaseMs: 100, driftShare: 1 }, /strict.driftShare: .* from 0 to 0.5/],
])('%j is refused where it makes no sense', async (leases, reason) => {
  const options = { cluster: 'test', site: 'a', root: 'a', peers: {}, listen: anyPort };
  await expect(joinCluster({ ...options, strict: leases })).rejects.toThrow(reason);
});
