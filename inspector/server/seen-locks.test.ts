import { expect, it } from 'vitest';
import type { LockReport, LockReports } from '../../runtime/api/lock-report.ts';
import { SeenLocks } from './seen-locks.ts';

const report = (lock: string): LockReport => ({
  lock,
  epoch: 0,
  holder: null,
  former: [],
  token: 'a',
  queue: [],
  frozen: [],
  changedMs: 0,
});
const answer = (locks: readonly string[], silent: readonly string[], more = false): LockReports => ({
  locks: locks.map(report),
  more,
  sites: [],
  silent: silent.map((url) => ({ url, reason: 'no answer' })),
});
const seenOf = (seen: SeenLocks, given: LockReports, like: string, nowMs: number) =>
  seen.after(given, like, nowMs).map(({ lock, seenMs }) => [lock, seenMs]);

it('tells of a lock that is missing while a site is silent, and since when', () => {
  const seen = new SeenLocks();
  expect(seenOf(seen, answer(['jobs', 'orders'], []), '', 0)).toEqual([]);
  expect(seenOf(seen, answer(['jobs'], ['ws://a']), '', 3_000)).toEqual([['orders', 3_000]]);
  expect(seenOf(seen, answer([], ['ws://a']), 'ord', 4_000)).toEqual([['orders', 4_000]]);
  expect(seenOf(seen, answer([], ['ws://a']), 'none', 4_000)).toEqual([]);
  expect(seenOf(seen, answer(['orders'], ['ws://a']), 'ord', 5_000)).toEqual([]);
});

it('forgets a lock that is missing while every site answers', () => {
  const seen = new SeenLocks();
  seen.after(answer(['jobs', 'orders'], []), '', 0);
  seen.after(answer(['jobs'], []), 'o', 1_000);
  expect(seenOf(seen, answer([], ['ws://a']), '', 2_000)).toEqual([['jobs', 1_000]]);
});

it('takes no lock for missing where an answer may have had room for no more', () => {
  const seen = new SeenLocks();
  seen.after(answer(['orders'], []), '', 0);
  expect(seenOf(seen, answer(['jobs'], ['ws://a'], true), '', 1_000)).toEqual([]);
});

it('keeps the 5,000 that were seen last', () => {
  const seen = new SeenLocks();
  const names = Array.from({ length: 5_001 }, (_, at) => `lock ${at}`);
  seen.after(answer(names, []), '', 0);
  const told = seen.after(answer([], ['ws://a']), '', 1_000);
  expect(told).toHaveLength(5_000);
  expect(told[0]!.lock).toBe('lock 1');
});
