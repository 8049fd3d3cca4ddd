import { describe, expect, test } from 'vitest';
import { naimiTrehel, type OperatingError, type Site } from '../index.ts';
import { allCodes, type Cluster, openCluster } from '../testing/cluster.ts';
import { eventually } from '../testing/eventually.ts';
import { Ledger, takeTurns } from '../testing/ledger.ts';

const five = ['a', 'b', 'c', 'd', 'e'];

describe('several callers at one site', () => {
  test('are served in order, one at a time', async () => {
    await using cluster = await openCluster(['a', 'b']);
    const ledger = new Ledger();
    const order: number[] = [];
    const [, b] = cluster.sites;
    const call = async (i: number) => {
      await b!.run(async () => {
        order.push(i);
        await ledger.write();
      });
    };
    await Promise.all([0, 1, 2, 3, 4].map(call));
    expect(order).toEqual([0, 1, 2, 3, 4]);
    expect(ledger.overlaps).toBe(0);
  });

  test('do not keep the lock from another site, though they never pause', async () => {
    await using cluster = await openCluster(['a', 'b']);
    const [a, b] = cluster.sites;
    const done = { yet: false };
    const greedy = (async () => {
      while (!done.yet) (await a!.acquire()).release();
    })();
    await b!.run(() => undefined);
    done.yet = true;
    await greedy;
  });

  test('releasing twice releases once', async () => {
    await using cluster = await openCluster(['a', 'b']);
    const [a] = cluster.sites;
    const first = await a!.acquire();
    first.release();
    const second = await a!.acquire();
    first.release();
    expect(a!.status().client).toBe('inCS');
    await second[Symbol.asyncDispose]();
    expect(a!.status().client).toBe('idle');
  });

  test('a failing critical section is released, and its error passed on', async () => {
    await using cluster = await openCluster(['a', 'b']);
    const work = () => {
      throw new Error('of the application');
    };
    await expect(cluster.sites[1]!.run(work)).rejects.toThrow('of the application');
    await cluster.sites[0]!.run(() => undefined);
  });
});

describe('a wait that is given up', () => {
  test.each([
    ['by time-out', () => ({ timeoutMs: 20 }), { code: 'ACQUIRE_TIMEOUT' }],
    ['by its signal', () => ({ signal: AbortSignal.timeout(20) }), { name: 'TimeoutError' }],
    ['before it began', () => ({ signal: AbortSignal.abort(new Error('no need')) }), { message: 'no need' }],
  ])('%s: the token stays alive', async (_, options, reason) => {
    await using cluster = await openCluster(['a', 'b', 'c']);
    const [a, b, c] = cluster.sites;
    const held = await a!.acquire();
    await expect(b!.acquire(options())).rejects.toMatchObject(reason);
    const later = c!.run(() => 'c');
    held.release();
    await expect(later).resolves.toBe('c');
    await expect(b!.run(() => 'b')).resolves.toBe('b');
    await expect(a!.run(() => 'a')).resolves.toBe('a');
    expect(cluster.crashes).toEqual([]);
  });

  test('and begun again before the token came is one request', async () => {
    await using cluster = await openCluster(['a', 'b']);
    const [a, b] = cluster.sites;
    const held = await a!.acquire();
    for (let i = 0; i < 5; i++) {
      await expect(b!.acquire({ timeoutMs: 1 })).rejects.toMatchObject({ code: 'ACQUIRE_TIMEOUT' });
    }
    const again = b!.run(() => 'granted');
    held.release();
    await expect(again).resolves.toBe('granted');
    expect(b!.counters().sent).toEqual({ REQUEST: 1 });
  });

  test('does not disturb the caller behind it', async () => {
    await using cluster = await openCluster(['a', 'b']);
    const [a, b] = cluster.sites;
    const held = await a!.acquire();
    const first = b!.acquire({ timeoutMs: 10 });
    const second = b!.run(() => 'second');
    await expect(first).rejects.toMatchObject({ code: 'ACQUIRE_TIMEOUT' });
    held.release();
    await expect(second).resolves.toBe('second');
  });

  test('under load leaves the cluster going, with no overlap', async () => {
    await using cluster = await openCluster(five);
    const ledger = new Ledger();
    const outcomes: string[] = [];
    const impatient = async (site: Site, i: number) => {
      for (let turn = 0; turn < 60; turn++) {
        const timeoutMs = (turn * 7 + i * 3) % 6;
        const work = site.run(() => ledger.write(), timeoutMs === 5 ? {} : { timeoutMs });
        const outcome = await work.then(
          () => 'granted',
          (error: OperatingError) => error.code,
        );
        outcomes.push(outcome);
      }
    };
    await Promise.all(cluster.sites.map(impatient));
    const granted = outcomes.filter((outcome) => outcome === 'granted').length;
    expect(new Set(outcomes)).toEqual(new Set(['granted', 'ACQUIRE_TIMEOUT']));
    expect(ledger).toMatchObject({ entries: granted, overlaps: 0 });
    await takeTurns(cluster.sites, 5, ledger);
    expect([ledger.overlaps, cluster.crashes]).toEqual([0, []]);
  });
});

describe('a site that leaves without failures', () => {
  const openPlain = () => openCluster(five, { protocol: naimiTrehel });
  const goOn = async (cluster: Cluster, stay: readonly Site[]) => {
    const ledger = new Ledger();
    await takeTurns(stay, 20, ledger);
    expect(ledger).toMatchObject({ entries: 20 * stay.length, overlaps: 0 });
    expect([allCodes(cluster), cluster.crashes]).toEqual([[], []]);
  };

  test('as the idle holder', async () => {
    await using cluster = await openPlain();
    const [a, ...stay] = cluster.sites;
    await a!.leave();
    await goOn(cluster, stay);
    expect(stay.map((site) => site.status().connected.length)).toEqual([3, 3, 3, 3]);
  });

  test('from its place in the queue', async () => {
    await using cluster = await openPlain();
    const [a, b, ...rest] = cluster.sites;
    const held = await a!.acquire();
    const before = rest[0]!.run(() => undefined);
    const leaving = b!.leave();
    const after = rest[1]!.run(() => undefined);
    await expect(b!.acquire()).rejects.toMatchObject({ code: 'SITE_LEAVING' });
    held.release();
    await Promise.all([before, leaving, after]);
    await goOn(cluster, [a!, ...rest]);
  });

  test('while others point at it, and it has no token', async () => {
    await using cluster = await openPlain();
    const [a, b, ...rest] = cluster.sites;
    await b!.run(() => undefined);
    expect(a!.status()).toMatchObject({ last: 'b', token: false, client: 'idle' });
    for (const site of rest) expect(site.status().last).toBe('a');
    await a!.leave();
    await goOn(cluster, [b!, ...rest]);
  });

  test('while the others keep asking, one after another, down to the last', async () => {
    await using cluster = await openPlain();
    const ledger = new Ledger();
    await Promise.all(
      cluster.sites.map(async (site, i) => {
        await takeTurns([site], 10 + 10 * i, ledger);
        await site.leave();
      }),
    );
    expect(ledger).toMatchObject({ entries: 150, overlaps: 0 });
    expect([allCodes(cluster), cluster.crashes]).toEqual([[], []]);
    await expect(cluster.sites[4]!.acquire()).rejects.toMatchObject({ code: 'SITE_CLOSED' });
  });
});

describe('a site that leaves others that survive', () => {
  const three = ['a', 'b', 'c'];

  test('waits for the holder, hands the token on, and costs whoever waits no time-out', async () => {
    await using cluster = await openCluster(three);
    const [a, b, c] = cluster.sites;
    const held = await a!.acquire();
    const next = b!.acquire();
    await eventually(() => expect(a!.status().next).toBe('b'));
    const leaving = a!.leave();
    await expect(a!.acquire()).rejects.toMatchObject({ code: 'SITE_LEAVING' });
    expect(held.signal.aborted).toBe(false);
    held.release();
    await leaving;
    const { fence, release } = await next;
    expect(fence).toEqual({ epoch: 0, k: 2 });
    release();
    await b!.run(() => c!.status());
    await c!.run(() => 'c');
    expect(cluster.notices.get('c')).toContainEqual({ type: 'down', peer: 'a', why: 'left' });
    expect([allCodes(cluster), cluster.crashes]).toEqual([[], []]);
  });

  test('tells its own callers that wait, and goes without whoever holds on for too long', async () => {
    await using cluster = await openCluster(three, { limits: { closeTimeoutMs: 50 } });
    const [a, b] = cluster.sites;
    const held = await a!.acquire();
    const waiting = expect(a!.acquire()).rejects.toMatchObject({ code: 'SITE_LEAVING' });
    const next = b!.acquire();
    await a!.leave();
    await waiting;
    expect(held.signal.reason).toMatchObject({ code: 'SITE_CLOSED' });
    held.release();
    expect((await next).fence.epoch).toBeGreaterThan(0);
  });

  test('as the idle holder: who asks next begins another epoch', async () => {
    await using cluster = await openCluster(three);
    const [a, b, c] = cluster.sites;
    await a!.leave();
    const ledger = new Ledger();
    await takeTurns([b!, c!], 20, ledger);
    expect(ledger).toMatchObject({ entries: 40, overlaps: 0 });
    expect(b!.counters().elections + c!.counters().elections).toBe(1);
    expect([allCodes(cluster), cluster.crashes]).toEqual([[], []]);
  });
});

test('a grant without failures has no fence to show, and says so', async () => {
  await using cluster = await openCluster(['a', 'b'], { protocol: naimiTrehel });
  const held = await cluster.sites[0]!.acquire();
  expect(() => held.fence).toThrow(expect.objectContaining({ code: 'NO_FENCE' }));
});
