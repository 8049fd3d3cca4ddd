import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OperatingError } from '../api/errors.ts';
import type { Held, HeldAll, Lock } from '../api/lock.ts';
import { openMembers } from '../testing/cluster.ts';
import { eventually } from '../testing/eventually.ts';
import { Storm } from '../testing/storm.ts';
import { acquireAll } from './acquire-all.ts';

describe('several locks', () => {
  test('are held together, once each, in the order of their code units', async () => {
    await using group = await openMembers(['a', 'b']);
    const [a, b] = group.members;
    const all = await b!.cluster.acquireAll(['z', 'B', 'a', 'z']);
    expect([...all.locks.keys()]).toEqual(['B', 'a', 'z']);
    expect(all.fence('z')).toMatchObject({ epoch: 0, k: 1 });
    expect(() => all.fence('other')).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }));
    const later = a!.cluster.lock('a').acquire();
    await eventually(() => expect(b!.cluster.lock('a').status().line[0]).toBe('a'));
    expect(all.signal.aborted).toBe(false);
    const { release } = all;
    release();
    release();
    (await later).release();
  });

  test('none of them is held when one is not granted', async () => {
    await using group = await openMembers(['a', 'b']);
    const [a, b] = group.members;
    const held = await a!.cluster.lock('m').acquire();
    // From here on both tokens are at b: only m is waited for.
    (await b!.cluster.acquireAll(['a', 'z'])).release();
    const late = b!.cluster.acquireAll(['a', 'm', 'z'], { timeoutMs: 20 });
    await expect(late).rejects.toMatchObject({
      code: 'ACQUIRE_TIMEOUT',
      message: expect.stringContaining('m was not granted'),
    });
    const reason = new Error('no need');
    const given = b!.cluster.acquireAll(['a', 'm', 'z'], { signal: AbortSignal.timeout(20) });
    await expect(given).rejects.toMatchObject({ name: 'TimeoutError' });
    const never = b!.cluster.acquireAll(['a', 'm'], { signal: AbortSignal.abort(reason) });
    await expect(never).rejects.toBe(reason);
    await expect(b!.cluster.acquireAll(['a', 'm', ''])).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
    await eventually(() => {
      for (const name of ['a', 'z']) expect(b!.cluster.lock(name).status().client).toBe('idle');
    });
    held.release();
    await using all = await b!.cluster.acquireAll(['a', 'm', 'z']);
    expect(all.locks.size).toBe(3);
  });

  test('none of them is held when one that is held is lost', async () => {
    const lost = new AbortController();
    const released: string[] = [];
    const lockOf = (name: string): Lock =>
      ({
        name,
        acquire: ({ signal }: { signal: AbortSignal }) =>
          name === 'b'
            ? new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
            : Promise.resolve({ signal: lost.signal, release: () => released.push(name) } as unknown as Held),
      }) as Lock;
    const all = acquireAll(['b', 'a'], lockOf, { now: () => 0 } as never);
    await Promise.resolve();
    const reason = new OperatingError('LOCK_LOST', 'it is lost');
    lost.abort(reason);
    await expect(all).rejects.toBe(reason);
    expect(released).toEqual(['a']);
  });
});

type AcquireAll = typeof acquireAll;

/** As it must not be: in the order in which they are named. */
const inGivenOrder: AcquireAll = async (names, lockOf) => {
  const held: Held[] = [];
  for (const name of new Set(names)) held.push(await lockOf(name).acquire());
  return { release: () => held.forEach((one) => void one.release()) } as unknown as HeldAll;
};

const sets = fc.array(
  fc.tuple(
    fc.constantFrom('a', 'b', 'c'),
    fc.uniqueArray(fc.constantFrom('l0', 'l1', 'l2', 'l3'), { minLength: 1 }),
  ),
  { minLength: 2, maxLength: 12 },
);

/** Checks that callers that each want a set of locks all get them. */
function neverStuck(acquire: AcquireAll) {
  return fc.check(
    fc.asyncProperty(fc.nat(), sets, async (seed, wanted) => {
      const storm = await Storm.open({ sites: 3, locks: 4, seed });
      let served = 0;
      const asked: Promise<void>[] = [];
      for (const [site, names] of wanted) {
        // As a NamedLock does: the queue of a lock that nobody used for a while is another one.
        const lockOf = (name: string) =>
          ({
            name,
            acquire: (options) => storm.sites.get(site)!.actor(name).queue.acquire(options),
          }) as Lock;
        const all = acquire(names, lockOf, storm.clock);
        const done = all.then(({ release }) => {
          served += 1;
          release();
        });
        asked.push(done);
        await storm.step('deliver');
      }
      for (let turn = 0; turn < 400 && served < wanted.length; turn++) {
        await storm.step(turn % 4 === 0 ? 'tick' : 'deliver');
      }
      storm.close();
      await Promise.allSettled(asked);
      expect(served).toBe(wanted.length);
    }),
    { numRuns: 60, seed: 3, endOnFailure: true },
  );
}

describe('callers that each want some of four locks, at three sites', () => {
  test('never wait for each other in a circle', async () => {
    expect(await neverStuck(acquireAll)).toMatchObject({ failed: false });
  });

  test('would, if they took them in the order they name them', async () => {
    expect(await neverStuck(inGivenOrder)).toMatchObject({ failed: true });
  });
});
