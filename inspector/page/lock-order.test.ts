import { expect, it } from 'vitest';
import type { LockReport } from '../protocol.ts';
import { type LockFilter, queueText, shownLocks } from './lock-order.ts';

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
const named = (filter: LockFilter, of = locks) => shownLocks(of, filter).map(({ lock }) => lock);

it('orders a table by each of its columns in both directions, equals by name, and what has no value at the end', () => {
  expect(named({ order: 'name' })).toEqual(['busy', 'free', 'long']);
  expect(named({ order: 'name', direction: 'descending' })).toEqual(['long', 'free', 'busy']);
  expect(named({ order: 'holder' })).toEqual(['busy', 'long', 'free']);
  expect(named({ order: 'holder', direction: 'descending' })).toEqual(['long', 'busy', 'free']);
  expect(named({ order: 'held' })).toEqual(['long', 'busy', 'free']);
  expect(named({ order: 'held', direction: 'ascending' })).toEqual(['busy', 'long', 'free']);
  expect(named({ order: 'waited' })).toEqual(['busy', 'free', 'long']);
  expect(named({ order: 'epoch' })).toEqual(['long', 'busy', 'free']);
  expect(named({ order: 'changed' })).toEqual(['long', 'busy', 'free']);
  expect(named({ order: 'changed', direction: 'descending' })).toEqual(['busy', 'free', 'long']);
  const numbered = ['invoice 10', 'invoice 9', 'invoice 100'].map((name) => report(name));
  expect(named({ order: 'name' }, numbered)).toEqual(['invoice 9', 'invoice 10', 'invoice 100']);
});

it('keeps the locks with waiting sites, or those that a site holds or waits for', () => {
  expect(named({ order: 'name', isWaited: true })).toEqual(['busy']);
  expect(named({ order: 'name', site: 'b' })).toEqual(['busy', 'long']);
  expect(named({ order: 'name', site: 'a' })).toEqual(['busy']);
  const former = report('old', { former: [{ site: 'c', fence, heldMs: 7 }] });
  expect(named({ order: 'name', site: 'c' }, [...locks, former])).toEqual(['busy', 'old']);
});

it('orders by the longest wait, whichever place in the queue and however many wait', () => {
  const slow = report('slow', {
    queue: [
      { site: 'c', waiting: 1, waitedMs: [5] },
      { site: 'b', waiting: 1, waitedMs: [46] },
    ],
  });
  expect(named({ order: 'waited' }, [...locks, slow])).toEqual(['slow', 'busy', 'free', 'long']);
});

it('tells each wait in the order of the queue', () => {
  expect(queueText(locks[2]!)).toMatch(/^b .*, .*, .*, .* and 2 more; c [^;]*$/);
});
