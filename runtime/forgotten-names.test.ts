import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from './api/clock.ts';
import { type Member, type Members, openMembers } from './testing/cluster.ts';
import { eventually } from './testing/eventually.ts';
import type { ForgottenNames } from './testing/forgotten-names.ts';

const program = join(import.meta.dirname, 'testing/forgotten-names.ts');

test('a lock for each order number is no leak, and a name that comes back has higher fences', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'names-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true }));
  const names = 600;
  const words = [
    '--expose-gc',
    '--import',
    import.meta.resolve('tsx'),
    program,
    '3',
    String(names),
    '200',
    dataDir,
  ];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  const found = JSON.parse(stdout) as ForgottenNames;
  expect(found.kept).toBe(0);
  expect(found.diskBytes).toBeLessThan(3 * 64 * 1024);
  expect(found.risen).toBe(found.back);
});

const three = ['a', 'b', 'c'];
const known = ({ members }: Members) => members.map(({ cluster }) => cluster.status().locks);
/** The first of a group takes and releases each of these names. */
const passAll = ({ members }: Members, from: number, to: number) =>
  Promise.all(
    Array.from({ length: to - from }, (_, index) =>
      members[0]!.cluster.lock(`order ${from + index}`).run(() => undefined, { timeoutMs: 20_000 }),
    ),
  );
/** That a peer was given up, or a link began anew, or a name was refused. */
const troubles = ({ notices }: Members) =>
  [...notices.values()]
    .flat()
    .filter(({ type }) => ['down', 'restarted', 'dropped', 'error', 'no-majority'].includes(type));
const unhurried = { failureTimeoutMs: 20_000, heartbeatMs: 1_000 };

test('names that are due at once are told of a few at a time, and no outbox is overrun', async () => {
  const timing = { ...unhurried, forgetAfterMs: 1_000 };
  await using group = await openMembers(three, { timing, limits: { maxOutbox: 1_000 } });
  for (let from = 0; from < 2_000; from += 100) await passAll(group, from, from + 100);
  await eventually(() => expect(known(group)).toEqual([0, 0, 0]));
  expect(troubles(group)).toEqual([]);
});

test('names used once take the place of none in use, though they outrun the room for them', async () => {
  let skippedMs = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + skippedMs };
  // Elections are counted: none is to begin again because the machine is busy.
  const timing = { ...unhurried, forgetAfterMs: 600_000, electionMinMs: 20_000, electionMaxMs: 20_000 };
  const maxLocksOfPeer = 1_000;
  await using group = await openMembers(three, { timing, limits: { maxLocksOfPeer }, clock });
  const use = () => passAll(group, 0, 20);
  const overwhelm = async (from: number) => {
    for (let next = from; next < from + 400; next += 100) {
      await passAll(group, next, next + 100);
      skippedMs += 1_000;
      await eventually(() => expect(known(group)[0]).toBeLessThan(0.1 * maxLocksOfPeer));
    }
  };
  const [{ cluster }] = group.members as [Member];
  const elections = () => cluster.counters().elections;

  await use();
  skippedMs += 2_000;
  await use();
  await overwhelm(100);
  const before = elections();
  await use();
  expect(elections()).toBe(before);

  // A name that was forgotten and is back is in use from then on.
  await passAll(group, 100, 120);
  expect(elections()).toBe(before + 20);
  await overwhelm(2_000);
  const after = elections();
  await passAll(group, 100, 120);
  expect(elections()).toBe(after);
  expect(troubles(group)).toEqual([]);
});
