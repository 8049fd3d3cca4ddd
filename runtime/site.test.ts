import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { assign } from 'xstate';
import { siteMachine } from '../machines/naimi-trehel/site.ts';
import {
  InvariantError,
  type Notice,
  naimiTrehel,
  type OperatingError,
  openSite,
  type Site,
} from './index.ts';
import { anyPort, type Cluster, codes, openCluster } from './testing/cluster.ts';
import { eventually } from './testing/eventually.ts';
import { frameBytes, hello, message, RawPeer } from './testing/peer.ts';

const five = ['a', 'b', 'c', 'd', 'e'];

/** A resource that notices when two are at it. */
class Ledger {
  entries = 0;
  overlaps = 0;
  #inside = false;

  async write(): Promise<void> {
    if (this.#inside) this.overlaps += 1;
    this.#inside = true;
    await new Promise(setImmediate);
    this.entries += 1;
    this.#inside = false;
  }
}

const takeTurns = (sites: readonly Site[], times: number, ledger: Ledger) =>
  Promise.all(
    sites.map(async (site) => {
      for (let i = 0; i < times; i++) await site.run(() => ledger.write());
    }),
  );

const allCodes = ({ notices }: Cluster) => [...notices.values()].flatMap(codes);

describe('five sites over TCP', () => {
  test('take turns and never overlap', async () => {
    await using cluster = await openCluster(five);
    const ledger = new Ledger();
    await takeTurns(cluster.sites, 200, ledger);
    expect(ledger).toMatchObject({ entries: 1_000, overlaps: 0 });
    expect(cluster.sites.map((site) => site.counters().entered)).toEqual([200, 200, 200, 200, 200]);
    expect([allCodes(cluster), cluster.crashes]).toEqual([[], []]);
  });

  test('the ledger above would have seen an overlap', async () => {
    const ledger = new Ledger();
    await Promise.all([ledger.write(), ledger.write()]);
    expect(ledger.overlaps).toBe(1);
  });

  test('count what they send, receive and enter alike', async () => {
    await using cluster = await openCluster(five);
    await takeTurns(cluster.sites, 20, new Ledger());
    const total = (count: 'sent' | 'received', type: string) =>
      cluster.sites.reduce((sum, site) => sum + (site.counters()[count][type] ?? 0), 0);
    await eventually(() => expect(total('received', 'REQUEST')).toBe(total('sent', 'REQUEST')));
    expect(total('received', 'TOKEN')).toBe(total('sent', 'TOKEN'));
    expect(total('sent', 'TOKEN')).toBeGreaterThan(20);
  });
});

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

describe('a site that leaves', () => {
  const goOn = async (cluster: Cluster, stay: readonly Site[]) => {
    const ledger = new Ledger();
    await takeTurns(stay, 20, ledger);
    expect(ledger).toMatchObject({ entries: 20 * stay.length, overlaps: 0 });
    expect([allCodes(cluster), cluster.crashes]).toEqual([[], []]);
  };

  test('as the idle holder', async () => {
    await using cluster = await openCluster(five);
    const [a, ...stay] = cluster.sites;
    await a!.leave();
    await goOn(cluster, stay);
    expect(stay.map((site) => site.status().connected.length)).toEqual([3, 3, 3, 3]);
  });

  test('from its place in the queue', async () => {
    await using cluster = await openCluster(five);
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
    await using cluster = await openCluster(five);
    const [a, b, ...rest] = cluster.sites;
    await b!.run(() => undefined);
    expect(a!.status()).toMatchObject({ last: 'b', token: false, client: 'idle' });
    for (const site of rest) expect(site.status().last).toBe('a');
    await a!.leave();
    await goOn(cluster, [b!, ...rest]);
  });

  test('while the others keep asking, one after another, down to the last', async () => {
    await using cluster = await openCluster(five);
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

describe('what comes from outside', () => {
  test('10,000 random or truncated frames do not disturb a running cluster', async () => {
    await using cluster = await openCluster(five);
    const ledger = new Ledger();
    const running = takeTurns(cluster.sites, 300, ledger);
    let seed = 1;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed % below;
    };
    const template = [hello('a', 'c'), message('a', 'c', { type: 'TOKEN' }), { type: 'bye', reason: 'left' }];
    const badFrame = (): Buffer => {
      const frame = frameBytes(JSON.stringify(template[random(3)]));
      if (random(2) === 0) return frame.subarray(0, 1 + random(frame.length - 1));
      for (let i = 0; i <= random(8); i++) frame[random(frame.length)] = random(256);
      return frame;
    };
    let frames = 0;
    while (frames < 10_000) {
      const attacks = Array.from({ length: 20 }, async () => {
        const { host, port } = cluster.sites[random(5)]!.address;
        const socket = connect({ host, port });
        socket.on('error', () => undefined);
        for (let i = 0; i < 10; i++, frames++) socket.write(badFrame());
        socket.end();
        await new Promise((resolve) => socket.on('close', resolve));
      });
      await Promise.all(attacks);
    }
    await running;
    expect(ledger).toMatchObject({ entries: 1_500, overlaps: 0 });
    const refused = cluster.sites.flatMap((site) => Object.values(site.counters().refused));
    expect(refused.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(900);
    expect(allCodes(cluster)).not.toContain('PEER_LOST');
    expect(cluster.crashes).toEqual([]);
    expect(cluster.sites.map((site) => site.status().connected.length)).toEqual([4, 4, 4, 4, 4]);
  });

  test('a well-formed message that breaks the protocol crashes the site it reaches, loudly, and its waiters', async () => {
    const crashes: InvariantError[] = [];
    const notices: Notice[] = [];
    const peers = { a: { host: '127.0.0.1', port: 1 } };
    const b = await openSite({
      cluster: 'test',
      site: 'b',
      listen: anyPort,
      peers,
      root: 'b',
      onNotice: (notice) => notices.push(notice),
      onCrash: (error) => crashes.push(error),
    });
    const held = await b.acquire();
    const waiter = b.acquire();
    const a = await RawPeer.dial(b.address);
    a.say(hello('a', 'b'));
    const token = frameBytes(JSON.stringify(message('a', 'b', { type: 'TOKEN' })));
    a.socket.write(Buffer.concat([token, token]));
    await expect(waiter).rejects.toBeInstanceOf(InvariantError);
    expect(crashes).toMatchObject([{ code: 'UNEXPECTED_EVENT' }]);
    expect(held.signal.aborted).toBe(true);
    await expect(b.acquire()).rejects.toBeInstanceOf(InvariantError);
    await a.closed();
    expect(notices.map(({ type }) => type)).toEqual(['listening', 'connected', 'crash']);
    await b.close();
    await expect(b.acquire()).rejects.toBeInstanceOf(InvariantError);
  });
});

test('a site whose statechart copies the token instead of moving it crashes before it sends the copy', async () => {
  const copies = siteMachine.provide({ actions: { surrenderToken: assign({ next: null }) } });
  await using cluster = await openCluster(five, { protocol: { ...naimiTrehel, machine: copies } });
  const [a, b] = cluster.sites;
  await expect(b!.acquire({ timeoutMs: 200 })).rejects.toMatchObject({ code: 'ACQUIRE_TIMEOUT' });
  expect(cluster.crashes).toMatchObject([{ code: 'INVARIANT_BROKEN' }]);
  expect(a!.counters().sent).toEqual({});
  expect(codes(cluster.notices.get('b'))).toEqual(['PEER_LOST']);
});

test('by default a broken invariant ends the process, loudly, with its record on disk', () => {
  const dir = mkdtempSync(join(tmpdir(), 'baton-crash-'));
  const script = join(dir, 'crash.mts');
  const here = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  writeFileSync(
    script,
    `import { openSite } from ${here('./index.ts')};
     import { hello, message, RawPeer } from ${here('./testing/peer.ts')};
     const listen = { host: '127.0.0.1', port: 0 };
     const peers = { a: { host: '127.0.0.1', port: 1 } };
     const b = await openSite({ cluster: 'test', site: 'b', listen, peers, root: 'b', traceDir: ${JSON.stringify(dir)} });
     const a = await RawPeer.dial(b.address);
     a.say(hello('a', 'b'));
     a.say(message('a', 'b', { type: 'TOKEN' }));
     process.on('unhandledRejection', () => process.exit(0));`,
  );
  const run = spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'), script], {
    encoding: 'utf8',
  });
  const record = readFileSync(join(dir, 'b.ndjson'), 'utf8').trim().split('\n');
  rmSync(dir, { recursive: true });
  expect(run.status).toBe(1);
  expect(run.stderr).toMatch(/InvariantError: UNEXPECTED_EVENT: no transition of b takes TOKEN/);
  expect(record.map((line) => JSON.parse(line).kind)).toEqual(['start', 'event']);
});

describe('options', () => {
  const good = { cluster: 'test', site: 'a', listen: anyPort, peers: {}, root: 'a' };

  test.each([
    ['an id with a space', { site: 'a b' }],
    ['itself among its peers', { peers: { a: anyPort } }],
    ['a root that is no site', { root: 'z' }],
    ['a cluster without a name', { cluster: '' }],
  ])('%s is refused', async (_, change) => {
    await expect(openSite({ ...good, ...change })).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
  });

  test('a site alone takes the lock and leaves', async () => {
    const site = await openSite(good);
    await site.ready();
    await expect(site.run(() => 'alone')).resolves.toBe('alone');
    await site.leave();
    await expect(site.ready()).resolves.toBeUndefined();
  });

  test('a closed site says so to everyone who waits', async () => {
    const site = await openSite({ ...good, peers: { b: { host: '127.0.0.1', port: 1 } }, root: 'b' });
    const waiting = site.acquire();
    const ready = site.ready();
    const outcome = Promise.allSettled([waiting, ready]);
    await site.close();
    expect(await outcome).toMatchObject([
      { reason: { code: 'SITE_CLOSED' } },
      { reason: { code: 'SITE_CLOSED' } },
    ]);
  });
});
