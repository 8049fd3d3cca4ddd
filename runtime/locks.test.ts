import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Ledger, takeTurns } from '../harness/simulation/ledger.ts';
import type { RecordLine } from '../machines/record.ts';
import { type Notice, rootOf } from './index.ts';
import { defaultTiming } from './options/schema.ts';
import { Admission } from './site/admission.ts';
import { type Members, openMembers } from './testing/cluster.ts';
import { eventually } from './testing/eventually.ts';

const three = ['a', 'b', 'c'];

const isBreak = ({ type }: Notice) => ['restarted', 'connection-lost', 'dropped', 'down'].includes(type);

describe('locks of one cluster', () => {
  test('are held at the same time, each by one', async () => {
    await using group = await openMembers(three);
    const names = ['invoices', 'orders', 'mail'];
    const ledgers = new Map(names.map((name) => [name, new Ledger()]));
    const locks = names.map((name) =>
      takeTurns(
        group.members.map(({ cluster }) => ({ lock: cluster.lock(name) })),
        30,
        ledgers.get(name)!,
      ),
    );
    const [a, b] = group.members;
    await using one = await a!.cluster.lock('one').acquire();
    await using other = await b!.cluster.lock('other').acquire();
    expect([one.lock, other.lock]).toEqual(['one', 'other']);
    await Promise.all(locks);
    for (const ledger of ledgers.values()) expect(ledger).toMatchObject({ entries: 90, overlaps: 0 });
    expect(group.crashes).toEqual([]);
  });

  test('begin at roots of their own, which need no message to enter', async () => {
    await using group = await openMembers(three);
    // As it is without `root`: openMembers has one for all locks.
    await using hashed = await openMembers(three, { root: undefined as never });
    for (const name of ['x', 'y', 'z', 'w']) {
      const root = hashed.members[three.indexOf(rootOf(name, three))]!;
      const before = root.cluster.counters().sent;
      await root.cluster.lock(name).run(() => undefined);
      expect(root.cluster.counters().sent).toEqual(before);
      await group.members[0]!.cluster.lock(name).run(() => undefined);
    }
    expect(group.members[0]!.cluster.counters().sent).toEqual({});
  });

  test('cost nothing before they are used', async () => {
    await using group = await openMembers(three);
    const [a, b] = group.members;
    for (let index = 0; index < 1_000; index++) a!.cluster.lock(`lock ${index}`);
    expect(a!.cluster.status().locks).toBe(0);
    await b!.cluster.lock('lock 1').run(() => undefined);
    expect(group.members.map(({ cluster }) => cluster.status().locks)).toEqual([1, 1, 0]);
  });

  test.each(['', 'a\nb', 'x'.repeat(1_025), '\u0000'])('have printable names: %j is none', async (name) => {
    await using group = await openMembers(['a']);
    expect(() => group.members[0]!.cluster.lock(name)).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID' }),
    );
  });

  test('outlive the death of a site, those first used after it too', async () => {
    await using group = await openMembers(three, { root: 'a' });
    const [a, b, c] = group.members;
    await a!.cluster.lock('held').acquire();
    await a!.cluster.close({ graceful: false });
    await eventually(() => expect(b!.cluster.status().connected).toEqual(['c']));
    for (const name of ['held', 'never used before']) {
      await b!.cluster.lock(name).run(() => undefined);
      await c!.cluster.lock(name).run(() => undefined);
    }
    expect(group.crashes).toEqual([]);
  });

  test('are told apart in one record', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'baton-locks-'));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const group = await openMembers(three, { traceDir: dir });
    for (const name of ['one', 'other'])
      for (const { cluster } of group.members) await cluster.lock(name).run(() => undefined);
    await Promise.all(group.members.map(({ cluster }) => cluster.close({ graceful: false })));
    for (const id of three) {
      const lines = readFileSync(join(dir, `${id}.ndjson`), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as RecordLine);
      for (const name of ['one', 'other']) {
        const [first, ...rest] = lines.filter(({ lock }) => lock === name);
        expect(first).toMatchObject({ kind: 'start', site: id });
        expect(rest.map((line) => (line.kind === 'event' ? line.seq : null))).toEqual(
          rest.map((_, n) => n + 1),
        );
      }
    }
  });
});

describe('limits', () => {
  test('a site makes no more locks than it may', async () => {
    await using group = await openMembers(['a', 'b'], { limits: { maxLocks: 2 } });
    const [a] = group.members;
    for (const name of ['one', 'two', 'one']) await a!.cluster.lock(name).run(() => undefined);
    await expect(a!.cluster.lock('three').acquire()).rejects.toMatchObject({ code: 'TOO_MANY_LOCKS' });
    await a!.cluster.lock('two').run(() => undefined);
  });

  const told = (group: Members, id: string, code: string) =>
    (group.notices.get(id) ?? []).filter((notice) => notice.type === 'error' && notice.error.code === code);

  test('a peer that names too many is told, and goes on with what it has; no link breaks', async () => {
    await using group = await openMembers(three, { root: 'c', limits: { maxLocksOfPeer: 2 } });
    const [a, b, c] = group.members;
    for (const name of ['one', 'two']) await a!.cluster.lock(name).run(() => undefined);
    await b!.cluster.lock('four').run(() => undefined);
    const held = await a!.cluster.lock('two').acquire();
    // b has room for two more of a's, and elects without c.
    const over = Array.from({ length: 20 }, (_, n) => a!.cluster.lock(`over ${n}`).run(() => n));
    const outcomes = await Promise.allSettled(over);
    const granted = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    expect(granted).toHaveLength(2);
    expect(refused).toEqual(
      Array.from({ length: 18 }, () => expect.objectContaining({ code: 'TOO_MANY_LOCKS' })),
    );
    expect(c!.cluster.counters().untaken).toBeGreaterThanOrEqual(20);
    for (const id of three) {
      expect(told(group, id, 'TOO_MANY_LOCKS'), id).not.toEqual([]);
      expect(group.notices.get(id)!.filter(isBreak), id).toEqual([]);
    }
    for (const { cluster } of [b!, c!]) {
      const { suspicions, refused: connections } = cluster.counters();
      expect([suspicions, connections]).toEqual([0, {}]);
    }
    expect(held.signal.aborted).toBe(false);
    held.release();
    for (const { cluster } of group.members)
      for (const name of ['one', 'two']) await cluster.lock(name).run(() => undefined);
    expect(group.crashes).toEqual([]);
  });

  test('a site that had no room for a lock does not believe to have its token', async () => {
    await using group = await openMembers(three, { root: 'c', limits: { maxLocksOfPeer: 1 } });
    const [a, b, c] = group.members;
    await a!.cluster.lock('one').run(() => undefined);
    const held = await a!.cluster.lock('two').acquire();
    expect(held.fence).toMatchObject({ epoch: 1, k: 1 });
    expect(c!.cluster.lock('two').tryAcquire()).toBeNull();
    const there = c!.cluster.lock('two').acquire();
    await eventually(() => expect(c!.cluster.lock('two').status().epoch).toBeGreaterThan(0));
    held.release();
    expect((await there).fence.epoch).toBeGreaterThan(0);
    (await there).release();
    // This lock was refused to a and is named by b: its caller does not wait forever.
    await a!.cluster
      .lock('three')
      .acquire()
      .catch(() => undefined);
    expect((await b!.cluster.lock('three').acquire({ timeoutMs: 5_000 })).fence.epoch).toBeGreaterThan(0);
    expect(group.crashes).toEqual([]);
  });

  test('a site is told when a root wrongly takes the lock for a refused one, and is served in another epoch', async () => {
    await using group = await openMembers(three, { root: 'c' });
    // As when the name meets another's mark: a knows nothing of it, c does.
    const marks = vi
      .spyOn(Admission.prototype, 'mayHaveRefused')
      .mockReturnValueOnce(false)
      .mockReturnValue(true);
    onTestFinished(() => marks.mockRestore());
    const held = await group.members[0]!.cluster.lock('x').acquire({ timeoutMs: 5_000 });
    expect(held.fence).toMatchObject({ epoch: 1, k: 1 });
    held.release();
  });

  test('a refused site among two does not stand in vain', async () => {
    await using group = await openMembers(['a', 'c'], { root: 'c', limits: { maxLocksOfPeer: 1 } });
    const { cluster } = group.members[0]!;
    await cluster.lock('one').run(() => undefined);
    await expect(cluster.lock('two').acquire()).rejects.toMatchObject({ code: 'TOO_MANY_LOCKS' });
    await sleep(4 * defaultTiming.suspectMaxMs);
    expect(cluster.counters().suspicions).toBe(0);
  });

  test('a lock that nobody can be granted is stood for only while a caller waits', async () => {
    await using group = await openMembers(three, { root: 'c', limits: { maxLocksOfPeer: 1 } });
    const [a] = group.members;
    for (const name of ['one', 'two']) await a!.cluster.lock(name).run(() => undefined);
    const inVain = () => a!.cluster.lock('three').acquire({ timeoutMs: 5_000 });
    await expect(inVain()).rejects.toMatchObject({ code: 'TOO_MANY_LOCKS' });
    const { suspicions } = a!.cluster.counters();
    await sleep(4 * defaultTiming.electionMinMs);
    expect(a!.cluster.counters().suspicions).toBe(suspicions);
    await expect(inVain()).rejects.toMatchObject({ code: 'TOO_MANY_LOCKS' });
  });
});
