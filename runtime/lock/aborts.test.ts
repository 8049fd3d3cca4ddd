import { getEventListeners } from 'node:events';
import { afterEach, expect, test, vi } from 'vitest';
import { openMembers } from '../testing/cluster.ts';

afterEach(() => vi.restoreAllMocks());

test('a signal that outlives many waits keeps nothing of them', async () => {
  await using group = await openMembers(['a', 'b']);
  const [a, b] = group.members;
  const { signal } = new AbortController();
  // Node remembers each signal that was derived from another for as long as that one lives.
  const derived = vi.spyOn(AbortSignal, 'any');
  const blocker = await b!.cluster.lock('z').acquire();
  for (let i = 0; i < 10; i++) {
    (await a!.cluster.acquireAll(['x', 'y'], { signal, timeoutMs: 5_000 })).release();
    const late = a!.cluster.acquireAll(['x', 'z'], { signal, timeoutMs: 1 });
    await expect(late).rejects.toMatchObject({ code: 'ACQUIRE_TIMEOUT' });
    await a!.lock.run(() => undefined, { signal });
  }
  blocker.release();
  let terms = 0;
  let done = () => {};
  const served = new Promise<void>((resolve) => {
    done = resolve;
  });
  const work = () => {
    terms += 1;
    if (terms === 5) done();
  };
  const leadership = a!.cluster.lead('x', work, { signal, retryMs: 0 });
  await served;
  await leadership.close();
  expect(derived).not.toHaveBeenCalled();
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});

test('any number of callers may wait with one signal, and it ends all of them', async () => {
  const warned = vi.fn();
  process.on('warning', warned);
  await using group = await openMembers(['a', 'b']);
  const [a, b] = group.members;
  const held = await b!.lock.acquire();
  const stop = new AbortController();
  const callers = Array.from({ length: 30 }, () => a!.lock.acquire({ signal: stop.signal }));
  const all = a!.cluster.acquireAll(['main', 'x'], { signal: stop.signal });
  const served = a!.cluster.lock('free').acquire({ signal: stop.signal });
  (await served).release();
  const reason = new Error('enough');
  stop.abort(reason);
  for (const caller of [...callers, all]) await expect(caller).rejects.toBe(reason);
  held.release();
  (await a!.lock.acquire({ signal: new AbortController().signal })).release();
  await expect(a!.cluster.acquireAll(['x'], { signal: stop.signal })).rejects.toBe(reason);
  await new Promise(setImmediate);
  process.off('warning', warned);
  expect(warned).not.toHaveBeenCalled();
});
