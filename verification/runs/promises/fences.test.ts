import { expect, test } from 'vitest';
import { eventsPerLife, type VectorClock } from '../../../machines/record.ts';
import type { OneWinner } from './epochs.ts';
import { ExcusedOverlaps } from './fences.ts';

const present = { wasAbsent: () => false } as unknown as OneWinner;
const refuse = (code: string, why: string): never => {
  throw new Error(`${code}: ${why}`);
};
const at = (fence: object | null) => ({ value: {}, context: { fence } });

/** `d` is inside under (1, 1) and leaves, then `b` is granted (8, 1) in its second run; `between` is a step of the first run of `b`. */
function judged(between: VectorClock | null, next: VectorClock): string {
  const overlaps = new ExcusedOverlaps(present);
  const step = (
    site: string,
    clock: VectorClock,
    before: object | null,
    after: object | null,
    fence?: object,
  ) =>
    overlaps.step({
      ...{ site, seq: clock[site]!, clock, cause: null, received: null, sent: [], refuse },
      ...{ before: at(before), after: at(after), effects: fence ? [{ type: 'grant', fence }] : [] },
    });
  const start = (site: string, life: number) =>
    overlaps.start({ site, life, input: {}, snapshot: at(null), effects: [], refuse });
  for (const site of ['b', 'c', 'd']) start(site, 0);
  const first = { epoch: 1, k: 1 };
  step('d', { d: 1 }, null, first, first);
  step('d', { d: 2 }, first, null);
  if (between) step('b', between, null, null);
  start('b', 1);
  const second = { epoch: 8, k: 1 };
  try {
    if ('c' in next) step('b', { b: eventsPerLife + 1 }, null, null);
    const site = 'c' in next ? 'c' : 'b';
    step(site, next, null, second, second);
    overlaps.end();
    return 'kept';
  } catch (error) {
    return (error as Error).message;
  }
}

test('a later run of a site comes after all that its earlier run had received (S4)', () => {
  const later = { b: eventsPerLife + 1 };
  expect(judged({ b: 1, d: 2 }, later)).toBe('kept');
  // And so does a site that the later run sends a message to.
  expect(judged({ b: 1, d: 2 }, { c: 1, ...later })).toBe('kept');
  // The earlier run had heard of the critical section, and not of its end; or of nothing.
  const overlap =
    'REPLAY_OVERLAP: no chain of messages puts it after the critical section of d under fence (1, 1)';
  expect(judged({ b: 1, d: 1 }, later)).toBe(overlap);
  expect(judged(null, later)).toBe(overlap);
  expect(judged({ b: 1, d: 2 }, { c: 1 })).toBe(overlap);
});
