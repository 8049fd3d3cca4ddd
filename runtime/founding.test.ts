import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { SiteId } from '../machines/actor.ts';
import { type Cluster, compareFences, FenceGate, foundAnew, type Held, rootOf } from './index.ts';
import { eventually } from './testing/eventually.ts';
import { endFleets, type Fleet, fleet } from './testing/fleet.ts';
import { freePorts } from './testing/free-ports.ts';

/* How a cluster of real sites is founded, also when sites start late, under another list, or without their data. */

afterEach(endFleets);

const three = ['a', 'b', 'c'];
const locks = Array.from({ length: 12 }, (_, number) => `lock-${number}`);
const fenceOf = (cluster: Cluster, lock: string, timeoutMs = 5_000) =>
  cluster.lock(lock).run(({ fence }) => fence, { timeoutMs });

/** On a busy machine no vote is late, so that no holder is left out of a majority. */
const patient = { heartbeatMs: 100, failureTimeoutMs: 1_000, electionMinMs: 1_000, electionMaxMs: 2_000 };

describe('a site that starts late', () => {
  test('nothing is granted before it has started, and a waiting caller is told for which sites', async () => {
    const { start } = await fleet(three, 'disks');
    const [a, b] = [await start('a'), await start('b')];
    await eventually(() => expect(a.status()).toMatchObject({ majority: true, founded: false }));
    for (const cluster of [a, b]) {
      const asked = cluster.lock('invoices').acquire({ timeoutMs: 300 });
      await expect(asked).rejects.toThrow('the cluster is not founded yet (never met: c)');
      const { hindrance } = cluster.lock('invoices').status();
      expect(hindrance).toBe('the cluster is not founded yet (never met: c)');
      expect(cluster.lock('invoices').tryAcquire()).toBeNull();
    }
  });

  test('after the others were restarted, it is served as they are, one at a time, under fences that rise', async () => {
    const { start, kill } = await fleet(three, 'disks');
    for (const site of ['a', 'b']) await start(site);
    for (const site of ['a', 'b']) await kill(site);
    const clusters = [await start('a'), await start('b'), await start('c')];
    await Promise.all(clusters.map((cluster) => cluster.ready()));
    const gate = new FenceGate();
    let inside = 0;
    await Promise.all(
      locks.flatMap((lock) =>
        clusters.map((cluster) =>
          cluster.lock(lock).run(
            async ({ fence }) => {
              expect(gate.accept(lock, fence)).toBe(true);
              if (lock === 'lock-0') expect(++inside).toBe(1);
              await sleep(1);
              if (lock === 'lock-0') inside -= 1;
            },
            { timeoutMs: 10_000 },
          ),
        ),
      ),
    );
  });
});

test('a founder that another one has called in vain so far is not taken for dead: no site stands at the start', async () => {
  const { start, notices } = await fleet(three, 'nothing', { timing: patient });
  const a = await start('a', three, { limits: { dialMaxMs: 20 } });
  // It would call c again long after c has met a, and the cluster is founded.
  const b = await start('b', three, { limits: { dialMinMs: 20_000, dialMaxMs: 20_000 } });
  await eventually(() =>
    expect(notices('b')).toContainEqual(expect.objectContaining({ type: 'down', peer: 'c' })),
  );
  const asked = [a, b].map((cluster) => cluster.lock('invoices').run(() => sleep(50)));
  const c = await start('c');
  await Promise.all([...asked, c.lock('invoices').run(() => sleep(50))]);
  await b.ready();
  for (const cluster of [a, b, c])
    expect(cluster.counters()).toMatchObject({ suspicions: 0, elections: 0, entered: 1 });
});

describe('another list of members', () => {
  test('a site that names itself a founder, when the cluster is founded without it, is told so and is not added', async () => {
    const { start, kill } = await fleet(three, 'disks');
    const [a, b] = [await start('a', ['a', 'b']), await start('b', ['a', 'b'])];
    await Promise.all([a.ready(), b.ready()]);
    const c = await start('c', three, { founders: three });
    const why = expect.stringContaining('the cluster was founded without c');
    const refused = expect.objectContaining({ code: 'NOT_A_MEMBER', message: why });
    await expect(fenceOf(c, 'x')).rejects.toEqual(refused);
    // Longer than a site that asks to be added waits for it.
    await sleep(1_500);
    for (const cluster of [a, b]) expect(cluster.members()).toMatchObject({ version: 1 });
    await expect(fenceOf(c, 'x')).rejects.toEqual(refused);
    await expect(c.removeMember('a')).rejects.toEqual(refused);
    await kill('c');
    const gate = new FenceGate();
    for (const cluster of [a, b, await start('c')])
      expect(gate.accept('x', await fenceOf(cluster, 'x'))).toBe(true);
  });

  test('never becomes a cluster of its own: the data name the members, and a new site joins them', async () => {
    const five = ['a', 'b', 'c', 'd', 'e'];
    const { start, kill } = await fleet(five, 'disks', { timing: patient });
    const [, b] = [await start('a', three), await start('b', three), await start('c', three)];
    const held = await b.lock('invoices').acquire({ timeoutMs: 5_000 });
    await kill('a');
    const [a, d] = [await start('a', five), await start('d', five), await start('e', five)];
    await eventually(() => {
      for (const cluster of [a, b, d])
        expect(cluster!.members().voters.map(({ site }) => site)).toEqual(five);
    });
    expect(held.signal.aborted).toBe(false);
    await expect(d!.lock('invoices').acquire({ timeoutMs: 300 })).rejects.toThrow('ACQUIRE_TIMEOUT');
    const gate = new FenceGate();
    expect(gate.accept('invoices', held.fence)).toBe(!held.signal.aborted);
    held.release();
    for (const cluster of [d!, a!, b!])
      expect(gate.accept('invoices', await fenceOf(cluster, 'invoices'))).toBe(true);
  });
});

describe('a site whose data are gone', () => {
  test('is another one, which takes the place of the one before while a majority is up', async () => {
    const { start, kill, dataDir } = await fleet(three, 'disks');
    const [a, b] = [await start('a'), await start('b'), await start('c')];
    const gate = new FenceGate();
    gate.accept('x', await fenceOf(b!, 'x'));
    const { id: before } = b!.members().voters[2]!;
    await kill('c');
    rmSync(dataDir('c'), { recursive: true });
    const c = await start('c');
    for (const cluster of [a!, b!, c]) expect(gate.accept('x', await fenceOf(cluster, 'x'))).toBe(true);
    const { id: after } = a!.members().voters[2]!;
    expect(after).not.toBe(before);
    expect(c.members()).toEqual({ ...a!.members(), voters: expect.anything() });
    // It is a voter as good as the one before: with it, b is a majority, and without it none.
    await kill('a');
    await eventually(() => expect(b!.status().majority).toBe(true));
    expect(gate.accept('x', await fenceOf(b!, 'x'))).toBe(true);
    await kill('c');
    await eventually(() => expect(b!.status().majority).toBe(false));
    expect(b!.lock('x').status().hindrance).toBe('no majority of the voters is in reach (missing: a, c)');
    await expect(fenceOf(b!, 'x', 300)).rejects.toThrow('no majority of the voters is in reach');
  });

  test('votes for nothing before a majority has added it, so that nothing is granted twice, and everything when one is back', async () => {
    const { start, kill, dataDir } = await fleet(three, 'disks');
    const [a, b] = [await start('a'), await start('b'), await start('c')];
    const gate = new FenceGate();
    for (const cluster of [a!, b!]) expect(gate.accept('x', await fenceOf(cluster, 'x'))).toBe(true);
    // The two others go on without the first one: it does not know what they promise.
    await kill('b');
    const decided = await fenceOf(a!, 'x');
    await kill('a');
    await kill('c');
    rmSync(dataDir('c'), { recursive: true });
    const [back, emptied] = [await start('b'), await start('c')];
    await eventually(() => expect(back.status().connected).toEqual(['c']));
    await expect(fenceOf(back, 'x', 500)).rejects.toThrow(
      'no majority of the voters is in reach (missing: a, c; up with other data than the voter of that name: c)',
    );
    await expect(fenceOf(emptied, 'x', 100)).rejects.toThrow('this site is no member yet');
    const again = await start('a');
    for (const cluster of [back, emptied, again]) {
      const fence = await fenceOf(cluster, 'x');
      expect(compareFences(fence, decided)).toBeGreaterThan(0);
      expect(gate.accept('x', fence)).toBe(true);
    }
  });

  test('a caller that waited there from the start is served when its site is a member', async () => {
    const { start, kill, dataDir } = await fleet(three, 'disks');
    const clusters = [await start('a'), await start('b'), await start('c')];
    await Promise.all(clusters.map((cluster) => cluster.ready()));
    const { fence } = await clusters[0]!.lock('x').acquire();
    await kill('c');
    await kill('a');
    rmSync(dataDir('c'), { recursive: true });
    const c = await start('c');
    const asked = c.lock('x').acquire({ timeoutMs: 300 });
    await expect(asked).rejects.toThrow('this site is no member yet: it asks a, b, c to be added');
    const waiting = fenceOf(c, 'x', 10_000);
    await start('a');
    const gate = new FenceGate();
    gate.accept('x', fence);
    expect(gate.accept('x', await waiting)).toBe(true);
  });

  test('asks as soon as it has started, for a lock of which its name is the first root, and enters beside no holder', async () => {
    const { start, kill, dataDir } = await fleet(three, 'disks', { timing: patient });
    const clusters = [await start('a'), await start('b'), await start('c')];
    await Promise.all(clusters.map((cluster) => cluster.ready()));
    const own = locks.find((lock) => rootOf(lock, three) === 'c')!;
    await kill('c');
    rmSync(dataDir('c'), { recursive: true });
    const held = await clusters[0]!.lock(own).acquire({ timeoutMs: 5_000 });
    const c = await start('c');
    let isInside = true;
    const entered = c.lock(own).run(({ fence }) => ({ fence, isInside }), { timeoutMs: 20_000 });
    await c.ready();
    await sleep(300);
    isInside = false;
    expect(held.signal.aborted).toBe(false);
    held.release();
    const { fence, ...beside } = await entered;
    expect(beside).toEqual({ isInside: false });
    expect(compareFences(fence, held.fence)).toBeGreaterThan(0);
  });

  test('and whose old copy is put back is refused by those that met a later run of them', async () => {
    const { start, kill, dataDir, notices } = await fleet(three, 'disks');
    const clusters = [await start('a'), await start('b'), await start('c')];
    await Promise.all(clusters.map((cluster) => cluster.ready()));
    await kill('c');
    cpSync(dataDir('c'), `${dataDir('c')}-copy`, { recursive: true });
    const again = await start('c');
    await again.ready();
    await kill('c');
    rmSync(dataDir('c'), { recursive: true });
    cpSync(`${dataDir('c')}-copy`, dataDir('c'), { recursive: true });
    const old = await start('c');
    await eventually(() =>
      expect(notices('a')).toContainEqual(
        expect.objectContaining({
          type: 'error',
          error: expect.objectContaining({ code: 'PEER_RESTARTED' }),
        }),
      ),
    );
    await expect(old.lock('x').acquire({ timeoutMs: 500 })).rejects.toThrow('no majority');
  });

  test('and whose copy is started elsewhere, while it is up, takes nothing from it', async () => {
    const { start, kill, notices, dataDir } = await fleet(three, 'disks');
    const clusters = [await start('a'), await start('b'), await start('c')];
    const gate = new FenceGate();
    await Promise.all(clusters.map((cluster) => cluster.ready()));
    // The root of the present epoch: its copy would begin with a token of it.
    await kill('c');
    gate.accept('x', await fenceOf(clusters[0]!, 'x'));
    clusters[2] = await start('c');
    await Promise.all(clusters.map((cluster) => cluster.ready()));
    const held = await clusters[1]!.lock('x').acquire({ timeoutMs: 5_000 });
    expect(gate.accept('x', held.fence)).toBe(true);
    const copied = `${dataDir('a')}-copy`;
    // Without what says which process has them.
    cpSync(join(dataDir('a'), 'a.json'), join(copied, 'a.json'));
    const [port] = await freePorts(1);
    const copy = await start('a', three, { dataDir: copied, listen: { host: '127.0.0.1', port: port! } });
    // The fleet knows one site of a name.
    await using _first = { [Symbol.asyncDispose]: () => clusters[0]!.close({ graceful: false }) };
    await expect(fenceOf(copy, 'x', 1_500)).rejects.toThrow('no majority');
    const refused = expect.objectContaining({ code: 'PEER_RESTARTED' });
    expect(notices('b')).toContainEqual(expect.objectContaining({ type: 'error', error: refused }));
    expect(held.signal.aborted).toBe(false);
    held.release();
    for (const cluster of clusters) expect(gate.accept('x', await fenceOf(cluster, 'x'))).toBe(true);
  });
});

describe('all data are gone', () => {
  test('at once: a cluster founded again has a higher generation, and no gate refuses it', async () => {
    const { start, kill, dataDir } = await fleet(three, 'disks');
    const gate = new FenceGate();
    for (let time = 0; time < 2; time++) {
      const clusters = [await start('a'), await start('b'), await start('c')];
      for (const cluster of clusters) expect(gate.accept('x', await fenceOf(cluster, 'x'))).toBe(true);
      for (const site of three) await kill(site);
      for (const site of three) rmSync(dataDir(site), { recursive: true });
    }
  });

  test.each(['gracefully', 'by a kill'] as const)(
    'one after the other, as sites without disks are deployed %s: one holder at a time, and fences rise throughout',
    async (how) => {
      const { start, kill } = await fleet(three, 'nothing');
      const gate = new FenceGate();
      const clusters = new Map<SiteId, Cluster>();
      for (const site of three) clusters.set(site, await start(site));
      await Promise.all([...clusters.values()].map((cluster) => cluster.ready()));
      for (let deploy = 0; deploy < 2; deploy++) {
        for (const site of three) {
          if (how === 'gracefully') await clusters.get(site)!.close();
          await kill(site);
          const again = await start(site);
          clusters.set(site, again);
          // The majority that is to add the next one is made of this one.
          await eventually(() => expect(again.status().founded).toBe(true));
          const asked = [...clusters.values()].map((cluster) =>
            cluster.lock('x').acquire({ timeoutMs: 400 }),
          );
          const granted = (await Promise.allSettled(asked)).flatMap((result) =>
            result.status === 'fulfilled' ? [result.value] : [],
          );
          expect(granted.filter((held: Held) => !held.signal.aborted).length).toBeLessThanOrEqual(1);
          for (const held of granted) {
            if (!held.signal.aborted) expect(gate.accept('x', held.fence)).toBe(true);
            held.release();
          }
        }
        await Promise.all([...clusters.values()].map((cluster) => cluster.ready()));
        for (const cluster of clusters.values())
          expect(gate.accept('x', await fenceOf(cluster, 'x'))).toBe(true);
      }
    },
    60_000,
  );
});

describe('a majority is lost for good', () => {
  const anew = (dataDir: string, site = 'a') => foundAnew({ dataDir, site, cluster: 'test' });
  const refused = expect.objectContaining({ code: 'FOUNDED_ANEW' });

  test('the site that is left founds anew: fences rise, others join with empty disks, and one that comes back with its data is refused', async () => {
    const { start, kill, dataDir } = await fleet(three, 'disks');
    const clusters = [await start('a'), await start('b'), await start('c')];
    const gate = new FenceGate();
    for (const cluster of clusters) expect(gate.accept('x', await fenceOf(cluster, 'x'))).toBe(true);
    const { generation } = clusters[0]!.members();
    for (const site of ['b', 'c']) await kill(site);
    await expect(anew(dataDir('a'))).rejects.toThrow('STORE_IN_USE');
    await kill('a');
    rmSync(dataDir('b'), { recursive: true });
    const founded = await anew(dataDir('a'));
    expect(founded).toMatchObject({ before: generation, dropped: ['b', 'c'] });
    expect(founded.generation).toBeGreaterThan(generation!);
    const a = await start('a');
    expect(gate.accept('x', await fenceOf(a, 'x'))).toBe(true);
    expect(a.members()).toMatchObject({ generation: founded.generation, voters: [{ site: 'a', up: true }] });
    const b = await start('b');
    expect(gate.accept('x', await fenceOf(b, 'x'))).toBe(true);
    const c = await start('c');
    await expect(c.ready({ timeoutMs: 5_000 })).rejects.toEqual(refused);
    await expect(fenceOf(c, 'x')).rejects.toEqual(refused);
    await expect(c.addMember('c')).rejects.toEqual(refused);
    // Also where it does not meet the others again.
    for (const site of three) await kill(site);
    const alone = await start('c');
    await expect(fenceOf(alone, 'x')).rejects.toThrow('start it with an empty data directory');
    await kill('c');
    rmSync(dataDir('c'), { recursive: true });
    for (const cluster of [await start('a'), await start('b'), await start('c')])
      expect(gate.accept('x', await fenceOf(cluster, 'x', 10_000))).toBe(true);
    expect(a.members().voters.map(({ site }) => site)).not.toContain('c');
  });

  test('where it was not: those that still run lose what they hold when they meet the new cluster', async () => {
    const { start, kill, dataDir } = await fleet(three, 'disks');
    const [a0, b, c] = [await start('a'), await start('b'), await start('c')];
    await a0!.ready();
    await kill('a');
    const held = await b!.lock('x').acquire({ timeoutMs: 5_000 });
    const waiting = c!.lock('x').acquire({ timeoutMs: 30_000 });
    await anew(dataDir('a'));
    const a = await start('a');
    await expect(waiting).rejects.toEqual(refused);
    await eventually(() => expect(held.signal.aborted).toBe(true));
    const gate = new FenceGate();
    gate.accept('x', held.fence);
    expect(gate.accept('x', await fenceOf(a, 'x'))).toBe(true);
    expect(a.members().voters.map(({ site }) => site)).toEqual(['a']);
  });

  test('a clock that was set back does not matter: the generation is above the one before', async () => {
    const { start, kill, dataDir } = await fleet(['a'], 'disks');
    const { generation } = (await start('a')).members();
    await kill('a');
    const early = { dataDir: dataDir('a'), site: 'a', cluster: 'test', generation: 1 };
    expect((await foundAnew(early)).generation).toBe(generation! + 1);
    expect((await foundAnew(early)).generation).toBe(generation! + 2);
  });

  test.each([
    ['there is none', () => {}, 'DISK_MISSING'],
    [
      'it is of no cluster',
      async ({ start, kill }: Fleet) => {
        await start('a');
        await kill('a');
      },
      'NOT_A_MEMBER',
    ],
  ])('a data directory is left as it is where %s', async (_, begin, code) => {
    const all = await fleet(['a', 'b'], 'disks');
    await begin(all);
    await expect(anew(all.dataDir('a'))).rejects.toEqual(expect.objectContaining({ code }));
  });
});

test('no lock is called as what sites say of the cluster itself', async () => {
  const { start } = await fleet(['a'], 'nothing');
  const a = await start('a');
  expect(() => a.lock('@members')).toThrow('other than @members');
});
