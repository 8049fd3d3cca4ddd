import { describe, expect, test } from 'vitest';
import { openMembers } from '../testing/cluster.ts';
import { eventually } from '../testing/eventually.ts';

describe('a token that is here', () => {
  test('serves waiting callers in a row, each under the next fence, by one request', async () => {
    await using group = await openMembers(['a', 'b']);
    const [, b] = group.members;
    const fences: number[] = [];
    const call = () => b!.lock.run(({ fence }) => void fences.push(fence.k));
    await Promise.all(Array.from({ length: 10 }, call));
    expect(fences).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(b!.cluster.counters()).toMatchObject({ sent: { REQUEST: 1 }, entered: 10 });
  });

  test('goes to another site that waits after limits.maxBatch of them', async () => {
    await using group = await openMembers(['a', 'b'], { limits: { maxBatch: 3 } });
    const [a, b] = group.members;
    const order: string[] = [];
    const first = await a!.lock.acquire();
    const there = b!.lock.run(() => void order.push('b'));
    await eventually(() => expect(a!.lock.status().line[0]).toBe('b'));
    const here = Array.from({ length: 5 }, () => a!.lock.run(() => void order.push('a')));
    first.release();
    await Promise.all([there, ...here]);
    expect(order).toEqual(['a', 'a', 'b', 'a', 'a', 'a']);
  });

  test('lets timers and peers have their turn, though each section is of another lock', async () => {
    await using group = await openMembers(['a']);
    const { cluster } = group.members[0]!;
    let turns = 0;
    let isOver = false;
    const next = () => {
      turns += 1;
      if (!isOver) setImmediate(next);
    };
    setImmediate(next);
    for (let name = 0; name < 2_600; name++) await cluster.lock(`name ${name}`).run(() => undefined);
    isOver = true;
    expect(turns).toBeGreaterThanOrEqual(10);
  });

  test('can be tried for, without a message', async () => {
    await using group = await openMembers(['a', 'b']);
    const [a, b] = group.members;
    expect(b!.lock.tryAcquire()).toBeNull();
    const held = a!.lock.tryAcquire()!;
    expect(held.fence).toMatchObject({ epoch: 0, k: 1 });
    expect(a!.lock.tryAcquire()).toBeNull();
    held.release();
    for (let k = 2; k < 40; k++) {
      const next = a!.lock.tryAcquire();
      expect(next?.fence.k).toBe(k);
      next?.release();
    }
    expect([a!.cluster.counters().sent, b!.cluster.counters().sent]).toEqual([{}, {}]);
    await a!.cluster.close({ graceful: false });
    expect(() => a!.lock.tryAcquire()).toThrow(expect.objectContaining({ code: 'SITE_CLOSED' }));
  });
});

describe('re-entry', () => {
  test('is refused within the run that holds the lock, however deep, and is none elsewhere', async () => {
    await using group = await openMembers(['a', 'b']);
    const [a, b] = group.members;
    const other = a!.cluster.lock('other');
    await a!.lock.run(async () => {
      await expect(a!.lock.run(() => undefined)).rejects.toMatchObject({ code: 'REENTRY' });
      await other.run(async () => {
        await Promise.resolve();
        await expect(a!.lock.acquire()).rejects.toMatchObject({ code: 'REENTRY' });
        await expect(other.acquire()).rejects.toMatchObject({ code: 'REENTRY' });
      });
      await expect(b!.lock.acquire({ timeoutMs: 10 })).rejects.toMatchObject({ code: 'ACQUIRE_TIMEOUT' });
    });
    await a!.lock.run(() => undefined);
  });

  test('is over with the run: what has escaped from it may ask', async () => {
    await using group = await openMembers(['a', 'b']);
    const [a] = group.members;
    let over = () => {};
    const isOver = new Promise<void>((resolve) => {
      over = resolve;
    });
    const escaped = await a!.lock.run(() => ({ done: isOver.then(() => a!.lock.run(() => 'granted')) }));
    over();
    await expect(escaped.done).resolves.toBe('granted');
  });

  test('is over with the critical section', async () => {
    await using group = await openMembers(['a', 'b']);
    const [a] = group.members;
    await a!.lock.run(async (held) => {
      held.release();
      await a!.lock.run(() => undefined);
    });
  });
});

test('a signal that is read when the section is over tells so', async () => {
  await using group = await openMembers(['a', 'b']);
  const [a] = group.members;
  const [held, released] = [await a!.cluster.lock('one').acquire(), await a!.lock.acquire()];
  released.release();
  await a!.cluster.close({ graceful: false });
  expect(held.signal.reason).toMatchObject({ code: 'SITE_CLOSED' });
  expect(released.signal.aborted).toBe(false);
});
