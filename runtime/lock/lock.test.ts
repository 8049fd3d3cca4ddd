import { describe, expect, test } from 'vitest';
import { Ledger, takeTurns } from '../../harness/simulation/ledger.ts';
import type { OperatingError } from '../index.ts';
import { allCodes, type Member, openMembers } from '../testing/cluster.ts';
import { eventually } from '../testing/eventually.ts';

const five = ['a', 'b', 'c', 'd', 'e'];

describe('several callers at one site', () => {
  test('are served in order, one at a time', async () => {
    await using group = await openMembers(['a', 'b']);
    const ledger = new Ledger();
    const order: number[] = [];
    const [, b] = group.members;
    const call = async (i: number) => {
      await b!.lock.run(async () => {
        order.push(i);
        await ledger.write();
      });
    };
    await Promise.all([0, 1, 2, 3, 4].map(call));
    expect(order).toEqual([0, 1, 2, 3, 4]);
    expect(ledger.overlaps).toBe(0);
  });

  test('do not keep the lock from another site, though they never pause', async () => {
    await using group = await openMembers(['a', 'b']);
    const [a, b] = group.members;
    const done = { yet: false };
    const greedy = (async () => {
      while (!done.yet) (await a!.lock.acquire()).release();
    })();
    await b!.lock.run(() => undefined);
    done.yet = true;
    await greedy;
  });

  test('releasing twice releases once', async () => {
    await using group = await openMembers(['a', 'b']);
    const [a] = group.members;
    const first = await a!.lock.acquire();
    first.release();
    const second = await a!.lock.acquire();
    first.release();
    expect(a!.lock.status().client).toBe('inCS');
    await second[Symbol.asyncDispose]();
    await eventually(() => expect(a!.lock.status().client).toBe('idle'));
  });

  test('a failing critical section is released, and its error passed on', async () => {
    await using group = await openMembers(['a', 'b']);
    const work = () => {
      throw new Error('of the application');
    };
    await expect(group.members[1]!.lock.run(work)).rejects.toThrow('of the application');
    await group.members[0]!.lock.run(() => undefined);
  });
});

describe('a wait that is given up', () => {
  test.each([
    ['by time-out', () => ({ timeoutMs: 20 }), { code: 'ACQUIRE_TIMEOUT' }],
    ['by its signal', () => ({ signal: AbortSignal.timeout(20) }), { name: 'TimeoutError' }],
    ['before it began', () => ({ signal: AbortSignal.abort(new Error('no need')) }), { message: 'no need' }],
  ])('%s: the token stays alive', async (_, options, reason) => {
    await using group = await openMembers(['a', 'b', 'c']);
    const [a, b, c] = group.members;
    const held = await a!.lock.acquire();
    await expect(b!.lock.acquire(options())).rejects.toMatchObject(reason);
    const later = c!.lock.run(() => 'c');
    held.release();
    await expect(later).resolves.toBe('c');
    await expect(b!.lock.run(() => 'b')).resolves.toBe('b');
    await expect(a!.lock.run(() => 'a')).resolves.toBe('a');
    expect(group.crashes).toEqual([]);
  });

  test('and begun again before the token came is one request', async () => {
    await using group = await openMembers(['a', 'b']);
    const [a, b] = group.members;
    const held = await a!.lock.acquire();
    for (let i = 0; i < 5; i++) {
      await expect(b!.lock.acquire({ timeoutMs: 1 })).rejects.toMatchObject({ code: 'ACQUIRE_TIMEOUT' });
    }
    const again = b!.lock.run(() => 'granted');
    held.release();
    await expect(again).resolves.toBe('granted');
    expect(b!.cluster.counters().sent).toEqual({ REQUEST: 1 });
  });

  test('does not disturb the caller behind it', async () => {
    await using group = await openMembers(['a', 'b']);
    const [a, b] = group.members;
    const held = await a!.lock.acquire();
    const first = b!.lock.acquire({ timeoutMs: 10 });
    const second = b!.lock.run(() => 'second');
    await expect(first).rejects.toMatchObject({ code: 'ACQUIRE_TIMEOUT' });
    held.release();
    await expect(second).resolves.toBe('second');
  });

  test('under load leaves the cluster going, with no overlap', async () => {
    await using group = await openMembers(five);
    const ledger = new Ledger();
    const outcomes: string[] = [];
    const impatient = async (site: Member, i: number) => {
      for (let turn = 0; turn < 60; turn++) {
        const timeoutMs = (turn * 7 + i * 3) % 6;
        const work = site.lock.run(() => ledger.write(), timeoutMs === 5 ? {} : { timeoutMs });
        const outcome = await work.then(
          () => 'granted',
          (error: OperatingError) => error.code,
        );
        outcomes.push(outcome);
      }
    };
    await Promise.all(group.members.map(impatient));
    const granted = outcomes.filter((outcome) => outcome === 'granted').length;
    expect(new Set(outcomes)).toEqual(new Set(['granted', 'ACQUIRE_TIMEOUT']));
    expect(ledger).toMatchObject({ entries: granted, overlaps: 0 });
    await takeTurns(group.members, 5, ledger);
    expect([ledger.overlaps, group.crashes]).toEqual([0, []]);
  });
});

describe('a site that leaves', () => {
  const three = ['a', 'b', 'c'];

  test('waits for the holder, hands the token on, and costs waiting sites no time-out', async () => {
    await using group = await openMembers(three);
    const [a, b, c] = group.members;
    const held = await a!.lock.acquire();
    const next = b!.lock.acquire();
    await eventually(() => expect(a!.lock.status().line[0]).toBe('b'));
    const leaving = a!.cluster.close();
    await expect(a!.lock.acquire()).rejects.toMatchObject({ code: 'SITE_LEAVING' });
    expect(held.signal.aborted).toBe(false);
    held.release();
    await leaving;
    const { fence, release } = await next;
    expect(fence).toMatchObject({ epoch: 0, k: 2 });
    release();
    await b!.lock.run(() => c!.lock.status());
    await c!.lock.run(() => 'c');
    expect(group.notices.get('c')).toContainEqual({ type: 'down', peer: 'a', why: 'left' });
    expect([allCodes(group), group.crashes]).toEqual([[], []]);
  });

  test('tells its own callers that wait, and goes without a holder that holds on for too long', async () => {
    await using group = await openMembers(three, { limits: { closeTimeoutMs: 50 } });
    const [a, b] = group.members;
    const held = await a!.lock.acquire();
    const waiting = expect(a!.lock.acquire()).rejects.toMatchObject({ code: 'SITE_LEAVING' });
    const next = b!.lock.acquire();
    await a!.cluster.close();
    await waiting;
    expect(held.signal.reason).toMatchObject({ code: 'SITE_CLOSED' });
    held.release();
    expect((await next).fence.epoch).toBeGreaterThan(0);
  });

  test('as the idle holder: the next site that asks begins another epoch', async () => {
    await using group = await openMembers(three);
    const [a, b, c] = group.members;
    await a!.cluster.close();
    const ledger = new Ledger();
    await takeTurns([b!, c!], 20, ledger);
    expect(ledger).toMatchObject({ entries: 40, overlaps: 0 });
    expect(b!.cluster.counters().elections + c!.cluster.counters().elections).toBe(1);
    // Others may have told of the founding while it left.
    const told = allCodes(group).filter((code) => code !== 'UNDELIVERED');
    expect([told, group.crashes]).toEqual([[], []]);
  });
});
