import { rmSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { type Cluster, FenceGate } from './index.ts';
import { eventually } from './testing/eventually.ts';
import { endFleets, fleet } from './testing/fleet.ts';
import { growAndShrink } from './testing/grow-and-shrink.ts';

/* The members of a cluster of real sites change while locks are held and asked for. */

afterEach(endFleets);

const namesOf = (cluster: Cluster) => cluster.members().voters.map(({ site }) => site);
const fenceOf = (cluster: Cluster, lock = 'x') =>
  cluster.lock(lock).run(({ fence }) => fence, { timeoutMs: 10_000 });

/** All agree on these members. */
const agreed = (clusters: readonly Cluster[], names: readonly string[]) =>
  eventually(() => {
    for (const cluster of clusters) expect(namesOf(cluster)).toEqual(names);
  });

describe('a fleet', () => {
  test.each([
    ['without leases', {}],
    ['with a secret', { secret: 'of at least thirty-two bytes, for a test alone' }],
  ])('grows from one to four and shrinks to one, and is one cluster throughout: %s', async (_, common) => {
    await growAndShrink(common);
  });

  test('whose sites leave in peace serves the last of them', async () => {
    const { start } = await fleet(['a', 'b', 'c'], 'nothing');
    const [a, b, c] = [await start('a'), await start('b'), await start('c')];
    for (const cluster of [a, b, c]) await cluster!.ready();
    await a!.close();
    await b!.close();
    await fenceOf(c!);
    expect([namesOf(c!), c!.status().majority]).toEqual([['c'], true]);
  });

  test('keeps as many voters as are asked for, and those that have their data', async () => {
    const { start } = await fleet(['a', 'b', 'c'], 'nothing', { members: { leastVoters: 3 } });
    const [a, b, c] = [await start('a'), await start('b'), await start('c')];
    for (const cluster of [a, b, c]) await cluster!.ready();
    await a!.close();
    expect(namesOf(b!)).toEqual(['a', 'b', 'c']);
    const disks = await fleet(['a', 'b', 'c'], 'disks');
    const kept = [await disks.start('a'), await disks.start('b'), await disks.start('c')];
    for (const cluster of kept) await cluster.ready();
    await kept[0]!.close();
    expect(namesOf(kept[1]!)).toEqual(['a', 'b', 'c']);
    // The two that are left must both be up to be a majority.
    await (await disks.start('a')).ready();
    await kept[2]!.close({ leave: true });
    await eventually(() => expect(namesOf(kept[1]!)).toEqual(['a', 'b']));
  });

  test('removes a site that has been down for long, and no more than it may', async () => {
    const { start, kill } = await fleet(['a', 'b', 'c'], 'disks', {
      // A busy machine keeps no site from another for so long.
      members: { removeAfterMs: 1_000, leastVoters: 2 },
    });
    const [a, b, c] = [await start('a'), await start('b'), await start('c')];
    for (const cluster of [a, b, c]) await cluster!.ready();
    await kill('c');
    await agreed([a!, b!], ['a', 'b']);
    await fenceOf(a!);
    // It comes back with its data, and is a member again.
    const back = await start('c');
    await fenceOf(back);
    await agreed([a!, b!, back], ['a', 'b', 'c']);
  });
});

describe('an operator', () => {
  test('replaces all sites by others, one at a time, and any that is left finds its cluster by its data', async () => {
    const { start, kill, dataDir } = await fleet(['a', 'b', 'c', 'd', 'e', 'f'], 'disks');
    const gate = new FenceGate();
    const clusters = new Map<string, Cluster>();
    for (const site of ['a', 'b', 'c']) clusters.set(site, await start(site, ['a', 'b', 'c']));
    for (const cluster of clusters.values()) await cluster.ready();
    const [first] = clusters.values();
    const { generation } = await fenceOf(first!);
    for (const [old, by] of [
      ['a', 'd'],
      ['b', 'e'],
      ['c', 'f'],
    ] as const) {
      clusters.set(by, await start(by, [...clusters.keys()], { join: true }));
      const members = await clusters.get('c')!.replaceMember(old, by);
      expect(members).toMatchObject({ generation });
      expect(members.voters.map(({ site }) => site)).not.toContain(old);
      const removed = clusters.get(old)!;
      await eventually(() => expect(() => removed.lock('x').tryAcquire()).toThrow('NOT_A_MEMBER: '));
      await expect(removed.lock('x').acquire()).rejects.toThrow(`${old} (`);
      await kill(old);
      clusters.delete(old);
      rmSync(dataDir(old), { recursive: true });
      for (const cluster of clusters.values()) expect(gate.accept('x', await fenceOf(cluster))).toBe(true);
      if (old === 'b') break;
    }
    // Its settings name no present member; the addresses of the others are on its disk.
    await kill('e');
    clusters.set('e', await start('e', ['a'], { join: true }));
    for (const cluster of clusters.values()) expect(gate.accept('x', await fenceOf(cluster))).toBe(true);
    await agreed([...clusters.values()], ['c', 'd', 'e']);
  });

  test('is told why a change is not made', async () => {
    const { start, kill } = await fleet(['a', 'b', 'c', 'd', 'e'], 'nothing');
    const three = ['a', 'b', 'c'];
    const [a, b, c] = [await start('a', three), await start('b', three), await start('c', three)];
    for (const cluster of [a, b, c]) await cluster!.ready();
    await expect(a!.addMember('d', { timeoutMs: 200 })).rejects.toThrow(
      'CHANGE_TIMEOUT: not done within 200 ms: a does not reach d, which is to be added; start it, with a among its peers',
    );
    await expect(a!.addMember('not a name')).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
    expect((await a!.removeMember('d')).voters).toHaveLength(3);
    await kill('b');
    await kill('c');
    await expect(a!.removeMember('b', { timeoutMs: 300 })).rejects.toThrow(
      'not done within 300 ms: no majority of a, b, c (not in reach: b, c) has agreed to remove b',
    );
    const alone = await start('e', []);
    await alone.ready();
    await expect(alone.removeMember('e')).rejects.toMatchObject({ code: 'TOO_FEW_VOTERS' });
    const outside = await start('d', ['a'], { join: true });
    await expect(outside.removeMember('a')).rejects.toMatchObject({ code: 'NOT_A_MEMBER' });
  });

  test('is told at once by a site that is removed while it is to change the members', async () => {
    const { start, kill } = await fleet(['a', 'b', 'c', 'd'], 'disks');
    const three = ['a', 'b', 'c'];
    const [a, , c] = [await start('a', three), await start('b', three), await start('c', three)];
    await Promise.all([a!.ready(), c!.ready()]);
    // It waits for a site that nobody has started.
    const change = c!.addMember('d', { timeoutMs: 60_000 });
    const told = expect(change).rejects.toThrow('NOT_A_MEMBER: c was removed before it was to add d');
    await a!.removeMember('c');
    await told;
    await agreed([a!], ['a', 'b']);
    await kill('c');
  });
});
