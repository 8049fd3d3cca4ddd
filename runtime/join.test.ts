import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { assign } from 'xstate';
import { Ledger, takeTurns } from '../harness/simulation/ledger.ts';
import { siteMachine } from '../machines/epoch/site.ts';
import type { EventLine, RecordLine } from '../machines/record.ts';
import { compareFences, InvariantError, joinCluster, type Notice } from './index.ts';
import { openStore } from './store/store.ts';
import { allCodes, anyPort, codes, openMember, openMembers } from './testing/cluster.ts';
import { eventually } from './testing/eventually.ts';
import { foundedBy, foundedStore } from './testing/founded.ts';
import { data, frameBytes, hello, plain, RawPeer, welcome } from './testing/peer.ts';

const five = ['a', 'b', 'c', 'd', 'e'];

describe('five sites over TCP', () => {
  test('take turns and never overlap', async () => {
    await using group = await openMembers(five);
    const ledger = new Ledger();
    await takeTurns(group.members, 200, ledger);
    expect(ledger).toMatchObject({ entries: 1_000, overlaps: 0 });
    expect(group.members.map((site) => site.cluster.counters().entered)).toEqual([200, 200, 200, 200, 200]);
    expect([allCodes(group), group.crashes]).toEqual([[], []]);
  });

  test('the ledger above would have seen an overlap', async () => {
    const ledger = new Ledger();
    await Promise.all([ledger.write(), ledger.write()]);
    expect(ledger.overlaps).toBe(1);
  });

  test('count what they send, receive and enter alike', async () => {
    await using group = await openMembers(five);
    await takeTurns(group.members, 20, new Ledger());
    const total = (count: 'sent' | 'received', type: string) =>
      group.members.reduce((sum, site) => sum + (site.cluster.counters()[count][type] ?? 0), 0);
    await eventually(() => expect(total('received', 'REQUEST')).toBe(total('sent', 'REQUEST')));
    expect(total('received', 'TOKEN')).toBe(total('sent', 'TOKEN'));
    expect(total('sent', 'TOKEN')).toBeGreaterThan(20);
  });
});

test('recorded sites leave one line for each event, and a cause for each message', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'baton-record-'));
  const group = await openMembers(five, { traceDir: dir });
  await takeTurns(group.members, 10, new Ledger());
  for (const site of group.members) await site.cluster.close();
  const read = (id: string): RecordLine[] =>
    readFileSync(join(dir, `${id}.ndjson`), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  const records = new Map(five.map((id) => [id, read(id)]));
  rmSync(dir, { recursive: true });
  for (const [i, lines] of [...records.values()].entries()) {
    const events = lines.filter((line) => line.kind === 'event');
    expect(lines[0]).toMatchObject({ kind: 'start', site: five[i], lock: 'main', machine: 'epoch' });
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, n) => n + 1));
    const received = Object.values(group.members[i]!.cluster.counters().received).reduce(
      (sum, n) => sum + n,
      0,
    );
    const causes = events.flatMap(({ cause }) => cause ?? []);
    expect(causes).toHaveLength(received);
    for (const { site, seq } of causes) {
      const sender = records.get(site)![seq] as EventLine;
      expect(sender.effects.map(({ type }) => type)).toEqual(
        expect.arrayContaining([expect.stringMatching(/^(send|broadcast)$/)]),
      );
    }
  }
});

describe('three sites that survive', () => {
  const three = ['a', 'b', 'c'];

  test('go on when the holder is gone, under a higher fence', async () => {
    await using group = await openMembers(three);
    const [a, b, c] = group.members;
    const { fence } = await a!.lock.acquire();
    const waiting = Promise.race([b!.lock.acquire(), c!.lock.acquire()]);
    await a!.cluster.close({ graceful: false });
    expect(compareFences((await waiting).fence, fence)).toBeGreaterThan(0);
    expect([...group.notices.values()].flat().map(({ type }) => type)).toEqual(
      expect.arrayContaining(['down', 'suspected', 'elected', 'adopted']),
    );
    const { suspicions, elections } = b!.cluster.counters();
    expect(suspicions + c!.cluster.counters().suspicions).toBeGreaterThanOrEqual(1);
    expect(elections + c!.cluster.counters().elections).toBeGreaterThanOrEqual(1);
  });

  test('grant nothing in a minority, and say that they are frozen', async () => {
    await using group = await openMembers(three);
    const [a, b, c] = group.members;
    await a!.lock.run(() => undefined);
    await b!.cluster.close({ graceful: false });
    await c!.cluster.close({ graceful: false });
    await eventually(() => expect(a!.cluster.status().connected).toEqual([]));
    await expect(a!.lock.acquire({ timeoutMs: 100 })).rejects.toMatchObject({
      code: 'ACQUIRE_TIMEOUT',
      message:
        'ACQUIRE_TIMEOUT: no grant within 100 ms: no majority of the voters is in reach (missing: b, c)',
    });
    expect(a!.lock.status()).toMatchObject({ frozen: true, epoch: 0 });
  });

  test('one that votes for nobody need not be there', async () => {
    await using group = await openMembers(three, { voters: ['a', 'b'] });
    const [a, b, c] = group.members;
    await c!.cluster.close({ graceful: false });
    await takeTurns([a!, b!], 5, new Ledger());
    expect(group.crashes).toEqual([]);
  });

  test('one comes back with its disk, and without it is refused', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'baton-disk-'));
    onTestFinished(() => rmSync(dataDir, { recursive: true }));
    const options = { cluster: 'test', site: 'a', listen: anyPort, peers: {}, root: 'a', dataDir };
    const first = await openMember(options);
    const { fence } = await first.lock.acquire();
    await first.cluster.close({ graceful: false });
    const second = await openMember(options);
    expect(second.lock.status()).toMatchObject({ frozen: true, token: false });
    const held = await second.lock.acquire();
    expect(compareFences(held.fence, fence)).toBeGreaterThan(0);
    held.release();
    await second.cluster.close();
    await expect(joinCluster({ ...options, cluster: 'other' })).rejects.toMatchObject({
      code: 'DISK_FOREIGN',
    });
  });
});

test('a site whose disk refuses stops before a grant that it could not keep', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'baton-disk-'));
  const crashes: InvariantError[] = [];
  const store = await openStore({ dataDir, site: 'a', cluster: 'test', newId: 'a' });
  store.putFounding(foundedBy(['a', 'b']));
  const site = await openMember(
    {
      cluster: 'test',
      site: 'a',
      listen: anyPort,
      peers: { b: { host: '127.0.0.1', port: 1 } },
      root: 'b',
      voters: ['a'],
      timing: { heartbeatMs: 20, failureTimeoutMs: 50 },
      dataDir,
      onCrash: (error) => crashes.push(error),
    },
    siteMachine,
    store,
  );
  rmSync(dataDir, { recursive: true });
  await expect(site.lock.acquire()).rejects.toBeInstanceOf(InvariantError);
  expect(crashes).toMatchObject([{ code: 'EFFECT_FAILED', message: expect.stringContaining('DISK_FAILED') }]);
  expect(site.cluster.counters()).toMatchObject({ suspicions: 1, entered: 0 });
  await site.cluster.close({ graceful: false });
});

describe('input from outside', () => {
  test('10,000 random or truncated frames do not disturb a running cluster', async () => {
    await using group = await openMembers(five);
    const ledger = new Ledger();
    const running = takeTurns(group.members, 300, ledger);
    let seed = 1;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed % below;
    };
    const template = [hello('a', 'c'), data('a', 'c', { type: 'TOKEN' }), { type: 'bye', reason: 'left' }];
    const badFrame = (): Buffer => {
      const frame = frameBytes(JSON.stringify(template[random(3)]));
      if (random(2) === 0) return frame.subarray(0, 1 + random(frame.length - 1));
      for (let i = 0; i <= random(8); i++) frame[random(frame.length)] = random(256);
      return frame;
    };
    let frames = 0;
    while (frames < 10_000) {
      const attacks = Array.from({ length: 20 }, async () => {
        const { host, port } = group.members[random(5)]!.cluster.address;
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
    const refused = group.members.flatMap((site) => Object.values(site.cluster.counters().refused));
    expect(refused.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(900);
    expect(allCodes(group)).not.toContain('PEER_LOST');
    expect(group.crashes).toEqual([]);
    expect(group.members.map((site) => site.cluster.status().connected.length)).toEqual([4, 4, 4, 4, 4]);
  });

  test('a well-formed message that breaks the protocol costs its connection, and no caller notices', async () => {
    const crashes: InvariantError[] = [];
    const notices: Notice[] = [];
    const peers = { a: { host: '127.0.0.1', port: 1 } };
    const b = await openMember(
      {
        cluster: 'test',
        site: 'b',
        listen: anyPort,
        peers,
        root: 'b',
        onCrash: (error) => crashes.push(error),
      },
      siteMachine,
      foundedStore('b', ['a', 'b']),
    );
    b.cluster.on('notice', (notice) => notices.push(notice));
    const { codec, configuration } = plain;
    const a = await RawPeer.dial(b.cluster.address, codec);
    a.say(hello('a', 'b', { configuration }));
    a.say(welcome('a', 'b', { configuration }));
    const held = await b.lock.acquire();
    const waiter = b.lock.acquire();
    a.say(data('a', 'b', { type: 'TOKEN', epoch: 0, root: 'b', k: 1, line: [] }));
    await a.closed();
    expect(codes(notices)).toEqual(['PROTOCOL_BREACH']);
    expect(b.cluster.counters()).toMatchObject({ refused: { PROTOCOL_BREACH: 1 }, received: {} });
    expect(b.cluster.status()).toMatchObject({ connected: [] });
    expect(held.signal.aborted).toBe(false);
    held.release();
    (await waiter).release();
    expect(crashes).toEqual([]);
    await b.cluster.close({ graceful: false });
  });
});

test('a site whose statechart copies the token instead of moving it crashes before it sends the copy', async () => {
  const copies = siteMachine.provide({
    actions: { surrenderToken: assign(({ context }) => ({ line: [], last: context.line.at(-1)! })) },
  });
  await using group = await openMembers(five, {}, copies);
  const [a, b] = group.members;
  await expect(b!.lock.acquire({ timeoutMs: 200 })).rejects.toMatchObject({ code: 'ACQUIRE_TIMEOUT' });
  expect(group.crashes).toMatchObject([{ code: 'INVARIANT_BROKEN' }]);
  expect(a!.cluster.counters().sent).toEqual({});
  await a!.cluster.close();
});

test('by default a broken invariant ends the process, loudly, with its record on disk', () => {
  const dir = mkdtempSync(join(tmpdir(), 'baton-crash-'));
  const script = join(dir, 'crash.mts');
  const here = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  writeFileSync(
    script,
    `import { assign } from ${JSON.stringify(import.meta.resolve('xstate'))};
     import { siteMachine } from ${here('../machines/epoch/site.ts')};
     import { joinWith } from ${here('./join.ts')};
     import { data, hello, plain, RawPeer, welcome } from ${here('./testing/peer.ts')};
     import { foundedStore } from ${here('./testing/founded.ts')};
     const listen = { host: '127.0.0.1', port: 0 };
     const peers = { a: { host: '127.0.0.1', port: 1 } };
     const copies = siteMachine.provide({ actions: { surrenderToken: assign(({ context }) => ({ line: [], last: context.line.at(-1) })) } });
     const store = foundedStore('b', ['a', 'b']);
     const b = await joinWith(copies, { cluster: 'test', site: 'b', listen, peers, root: 'b', traceDir: ${JSON.stringify(dir)} }, store);
     const { codec, configuration } = plain;
     const a = await RawPeer.dial(b.address, codec);
     a.say(hello('a', 'b', { configuration }));
     a.say(welcome('a', 'b', { configuration }));
     a.say(data('a', 'b', { type: 'REQUEST', epoch: 0, root: 'b', origin: 'a' }));
     process.on('unhandledRejection', () => process.exit(0));`,
  );
  const run = spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'), script], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  const record = readFileSync(join(dir, 'b.ndjson'), 'utf8').trim().split('\n');
  rmSync(dir, { recursive: true });
  expect(run.status).toBe(1);
  expect(run.stderr).toMatch(/InvariantError: INVARIANT_BROKEN: b after REQUEST/);
  expect(record.map((line) => JSON.parse(line).kind)).toEqual(['start', 'event']);
});

describe('options', () => {
  const good = { cluster: 'test', site: 'a', listen: anyPort, peers: {}, root: 'a' };

  test.each([
    ['an id with a space', { site: 'a b' }],
    ['itself among its peers', { peers: { a: anyPort } }],
    ['a root that is no site', { root: 'z' }],
    ['a cluster without a name', { cluster: '' }],
    ['a voter that is no site', { voters: ['a', 'z'] }],
    ['a voter that is named twice', { voters: ['a', 'a'] }],
    ['an election without voters', { voters: [] }],
    ['a jitter that ends before it begins', { timing: { suspectMinMs: 70 } }],
    ['a silence shorter than a heartbeat', { timing: { failureTimeoutMs: 250 } }],
    ['a time that is none', { timing: { patienceMs: Number.NaN } }],
  ])('%s is refused', async (_, change) => {
    await expect(joinCluster({ ...good, ...change })).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
  });

  test('a site alone takes the lock and leaves', async () => {
    const site = await openMember(good);
    await site.cluster.ready();
    await expect(site.lock.run(() => 'alone')).resolves.toBe('alone');
    await site.cluster.close();
    await expect(site.cluster.ready()).resolves.toBeUndefined();
  });

  test('a site may be closed more than once', async () => {
    const site = await openMember(good);
    const held = await site.lock.acquire();
    const closing = [site.cluster.close(), site.cluster.close()];
    held.release();
    await Promise.all(closing);
    await site.cluster.close();
    await site.cluster[Symbol.asyncDispose]();
    await expect(site.lock.acquire()).rejects.toMatchObject({ code: 'SITE_CLOSED' });
  });

  test('a caller that does not want to wait closes it at once', async () => {
    const site = await openMember(good);
    const held = await site.lock.acquire();
    const patient = site.cluster.close();
    await site.cluster.close({ graceful: false });
    expect(held.signal.reason).toMatchObject({ code: 'SITE_CLOSED' });
    await patient;
  });

  test.each([undefined, null, 7, '', 'two\nlines', '\ud800', 'x'.repeat(1_025)])(
    '%j names no lock',
    async (name) => {
      await using group = await openMembers(['a']);
      expect(() => group.members[0]!.cluster.lock(name as string)).toThrow('OPTIONS_INVALID');
    },
  );

  test.each(['__proto__', 'constructor', ' ', '\u{1f512}'.repeat(1_024)])('%j names one', async (name) => {
    await using group = await openMembers(['a', 'b']);
    const fences = [];
    for (const { cluster } of group.members) fences.push(await cluster.lock(name).run(({ fence }) => fence));
    expect(fences).toMatchObject([
      { epoch: 0, k: 1 },
      { epoch: 0, k: 2 },
    ]);
  });

  test('a closed site says so to every waiting caller', async () => {
    const site = await openMember({ ...good, peers: { b: { host: '127.0.0.1', port: 1 } }, root: 'b' });
    const waiting = site.lock.acquire();
    const ready = site.cluster.ready();
    const outcome = Promise.allSettled([waiting, ready]);
    await site.cluster.close({ graceful: false });
    expect(await outcome).toMatchObject([
      { reason: { code: 'SITE_CLOSED' } },
      { reason: { code: 'SITE_CLOSED' } },
    ]);
  });
});

describe('a disk that fails under a site', () => {
  /** The crash and the files of a site in a process of its own, where `spoil` makes the disk fail. */
  function spoiled(spoil: string): { readonly crash: string; readonly left: readonly string[] } {
    const dir = mkdtempSync(join(tmpdir(), 'baton-disk-'));
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
    const script = `
      import { execFileSync } from 'node:child_process';
      import { mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
      import { joinCluster } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
      const dataDir = ${JSON.stringify(join(dir, 'data'))}, traceDir = ${JSON.stringify(join(dir, 'trace'))};
      const listen = { host: '127.0.0.1', port: 0 };
      const logger = { trace() {}, debug() {}, info() {}, warn() {}, error() { throw new Error('a logger that fails'); } };
      process.on('uncaughtException', () => undefined);
      const options = { cluster: 'test', site: 'a', listen, peers: {}, dataDir, traceDir, logger };
      // In its first life a founder of all its locks keeps nothing: of the second, every lock begins with a new epoch.
      await (await joinCluster(options)).close();
      const onCrash = (error) => {
        let left = null;
        try { left = readdirSync(dataDir); } catch {}
        writeSync(1, JSON.stringify({ crash: error.message, left }));
        process.exit(0);
      };
      const cluster = await joinCluster({ ...options, onCrash, timing: { suspectMinMs: 1, suspectMaxMs: 2 } });
      const file = dataDir + '/a.json';
      ${spoil}
      for (let i = 0; ; i++) await cluster.lock('lock ' + i).run(() => new Promise((done) => setImmediate(done)));`;
    const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', script];
    const run = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 });
    if (run.stdout === '') throw new Error(run.stderr);
    return JSON.parse(run.stdout);
  }

  test.runIf(process.platform === 'linux').each([
    [
      'full',
      `execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=1:unlimited']);`,
      /cannot keep .*: the file may not grow \(EFBIG/,
      ['a.json'],
    ],
    ['taken away', `rmSync(file);`, /is no longer the file that this process writes/, []],
    [
      'out of descriptors, and full',
      `try { for (;;) openSync('/dev/null'); } catch {}
       rmSync(file);`,
      /is no longer the file that this process writes/,
      null,
    ],
  ])('that is %s: onCrash is called, and the error names the cause', (_, spoil, cause, kept) => {
    const { crash, left } = spoiled(spoil);
    expect(crash).toMatch(/^EFFECT_FAILED: a cannot sync its disk: DISK_FAILED: /);
    expect(crash).toMatch(cause);
    if (kept) expect(left).toEqual(kept);
  });
});
