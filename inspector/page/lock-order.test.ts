import { expect, it } from 'vitest';
import type { LockReport } from '../protocol.ts';
import { queueText, shownLocks } from './lock-order.ts';

const fence = { generation: 1, epoch: 0, k: 1 };
const report = (lock: string, more: Partial<LockReport> = {}): LockReport => ({
  ...{ lock, epoch: 0, holder: null, former: [], token: 'a', queue: [], frozen: [], changedMs: 9 },
  ...more,
});
const locks = [
  report('free'),
  report('long', { holder: { site: 'b', fence, heldMs: 900 }, epoch: 2, changedMs: 1 }),
  report('busy', {
    holder: { site: 'a', fence, heldMs: 50 },
    queue: [
      { site: 'b', waiting: 6, waitedMs: [40, 30, 20, 10, 5, 1] },
      { site: 'c', waiting: 1, waitedMs: [45] },
    ],
  }),
];
const named = (...given: Parameters<typeof shownLocks>) => shownLocks(...given).map(({ lock }) => lock);

it('orders a table by each of its columns, equals by name', () => {
  expect(named(locks, 'name', false)).toEqual(['busy', 'free', 'long']);
  expect(named(locks, 'holder', false)).toEqual(['busy', 'long', 'free']);
  expect(named(locks, 'held', false)).toEqual(['long', 'busy', 'free']);
  expect(named(locks, 'waited', false)).toEqual(['busy', 'free', 'long']);
  expect(named(locks, 'epoch', false)).toEqual(['long', 'busy', 'free']);
  expect(named(locks, 'changed', false)).toEqual(['long', 'busy', 'free']);
  expect(named(locks, 'name', true)).toEqual(['busy']);
});

it('orders by the longest wait, whichever place in the queue and however many wait', () => {
  const slow = report('slow', {
    queue: [
      { site: 'c', waiting: 1, waitedMs: [5] },
      { site: 'b', waiting: 1, waitedMs: [46] },
    ],
  });
  expect(named([...locks, slow], 'waited', false)).toEqual(['slow', 'busy', 'free', 'long']);
});

it('tells each wait in the order of the queue', () => {
  expect(queueText(locks[2]!)).toMatch(/^b .*, .*, .*, .* and 2 more; c [^;]*$/);
});
