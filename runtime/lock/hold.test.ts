import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { Collector } from '../observe/testing/collector.ts';
import type { Member, Members } from '../testing/cluster.ts';
import { openMembers } from '../testing/cluster.ts';
import { eventually } from '../testing/eventually.ts';

const three = ['a', 'b', 'c'];
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const told = ({ notices }: Members, type: string) =>
  [...notices.values()].flat().filter((notice) => notice.type === type);
const timedOut = expect.objectContaining({ code: 'ACQUIRE_TIMEOUT' });

describe('to take a lock if it is free', () => {
  test('acquire({ timeoutMs: 0 }) has it, wherever it was used last', async () => {
    await using group = await openMembers(three);
    for (const member of [...group.members, ...group.members].reverse()) {
      await using held = await member.lock.acquire({ timeoutMs: 0 });
      expect(held.fence.k).toBeGreaterThan(0);
    }
    expect(await group.members[1]!.lock.run(() => 'done', { timeoutMs: 0 })).toBe('done');
  });

  test('and not when it is held, at this site or another, nor waits in line', async () => {
    await using group = await openMembers(three);
    const [a, b] = group.members as [Member, Member];
    const held = await a.lock.acquire();
    await expect(a.lock.acquire({ timeoutMs: 0 })).rejects.toEqual(timedOut);
    await expect(b.lock.acquire({ timeoutMs: 0 })).rejects.toEqual(timedOut);
    expect([a, b].map(({ lock }) => lock.status().waiting)).toEqual([0, 0]);
    const waits = a.lock.acquire();
    held.release();
    const next = await waits;
    next.release();
    await eventually(async () => (await b.lock.acquire({ timeoutMs: 0 })).release());
  });

  test('alone, at once', async () => {
    await using group = await openMembers(['a']);
    (await group.members[0]!.lock.acquire({ timeoutMs: 0 })).release();
  });
});

describe('a job that is to run once, though every site starts it', () => {
  test('holds the lock for as long as minHoldMs, and its caller does not wait', async () => {
    await using group = await openMembers(three);
    let ran = 0;
    const began = performance.now();
    const runs = group.members.map(({ lock }) =>
      lock.run(() => void ran++, { timeoutMs: 0, minHoldMs: 600 }).catch(({ code }) => code),
    );
    expect((await Promise.all(runs)).filter((outcome) => outcome === 'ACQUIRE_TIMEOUT')).toHaveLength(2);
    expect(ran).toBe(1);
    (await group.members[2]!.lock.acquire()).release();
    expect(performance.now() - began).toBeGreaterThan(590);
  });

  test('which neither a late release nor a close has to wait for', async () => {
    await using group = await openMembers(three);
    const [a, b] = group.members as [Member, Member];
    await a.lock.run(() => sleep(30), { minHoldMs: 20 });
    (await b.lock.acquire({ timeoutMs: 2_000 })).release();
    const held = await a.lock.acquire({ minHoldMs: 60_000 });
    held.release();
    expect(() => held.check()).toThrow(/was released/);
    await a.cluster.close();
    (await b.lock.acquire({ timeoutMs: 5_000 })).release();
  });
});

describe('a lock that is held for long', () => {
  test('is told of, and stays held', async () => {
    await using group = await openMembers(['a']);
    const held = await group.members[0]!.lock.acquire({ maxHoldMs: 20 });
    await eventually(() => expect(told(group, 'held-long')).toMatchObject([{ lock: 'main', forced: false }]));
    held.check();
    held.release();
  });

  test('is released by force where that is wanted', async () => {
    await using group = await openMembers(three);
    const [a, b] = group.members as [Member, Member];
    const held = await a.lock.acquire({ maxHoldMs: 20, force: true });
    const next = await b.lock.acquire({ timeoutMs: 5_000 });
    expect(held.signal.reason).toMatchObject({
      code: 'LOCK_LOST',
      message: expect.stringContaining('by force'),
    });
    expect(told(group, 'held-long')).toMatchObject([{ forced: true }]);
    held.release();
    next.check();
    next.release();
  });

  test('one that is released in time is told nothing of', async () => {
    await using group = await openMembers(['a']);
    await group.members[0]!.lock.run(() => undefined, { maxHoldMs: 20, force: true });
    await sleep(60);
    expect(told(group, 'held-long')).toEqual([]);
  });
});

describe('a grant that was forgotten', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;

  async function forgetful({ lock }: Member): Promise<void> {
    const held = await lock.acquire();
    if (held.fence.k > 0) throw new Error('of the work');
    held.release();
  }

  test('is reported with the place where it was taken', async () => {
    await using group = await openMembers(['a']);
    await forgetful(group.members[0]!).catch(() => undefined);
    await eventually(async () => {
      collect();
      await sleep(5);
      expect(told(group, 'leaked')).toMatchObject([
        { lock: 'main', taken: expect.stringMatching(/forgetful .*hold\.test\.ts/) },
      ]);
    });
  });

  test('is reported while metrics and spans are taken, too', async () => {
    const collector = new Collector();
    await using group = await openMembers(['a'], { telemetry: collector.providers });
    await forgetful(group.members[0]!).catch(() => undefined);
    await eventually(async () => {
      collect();
      await sleep(5);
      expect(told(group, 'leaked')).toMatchObject([{ lock: 'main' }]);
    });
  });

  test('is not reported if it was released or is still referenced', async () => {
    await using group = await openMembers(['a']);
    const { lock } = group.members[0]!;
    for (let i = 0; i < 20; i++) (await lock.acquire()).release();
    {
      using once = await lock.acquire();
      once.check();
    }
    const { release } = await lock.acquire();
    for (let i = 0; i < 10; i++) {
      collect();
      await sleep(5);
    }
    expect(told(group, 'leaked')).toEqual([]);
    release();
  });
});

test('names that will soon be too many are told of before the first is refused', async () => {
  await using group = await openMembers(['a', 'b'], { limits: { maxLocks: 20, maxLocksOfPeer: 10 } });
  const [a] = group.members as [Member];
  const use = (i: number) => a.cluster.lock(`order:${i}`).run(() => undefined, { timeoutMs: 2_000 });
  for (let i = 0; i < 19; i++) await use(i).catch(() => undefined);
  expect(told(group, 'many-locks')).toMatchObject([{ known: 16, most: 20, limit: 'maxLocks', peer: null }]);
});
