import { expect, test } from 'vitest';
import { VirtualClock } from '../../harness/simulation/virtual-clock.ts';
import { MinorityWatch } from './minority-watch.ts';

/** The watch of a site without a majority, for which a caller waits, and its notices. */
function watched() {
  const clock = new VirtualClock();
  const told: string[] = [];
  const site = { hasMajority: false, waits: true };
  const watch = new MinorityWatch({
    clock,
    timing: { failureTimeoutMs: 1_000 },
    hasMajority: () => site.hasMajority,
    anyWaits: () => site.waits,
    voters: () => ['a', 'b', 'c'],
    missing: () => ['b', 'c'],
    notice: ({ type }) => told.push(type),
    majorityLost: ({ code }) => told.push(code),
  });
  return { clock, told, site, watch };
}

test('a caller that waits without a majority is reported once, and again after the next loss', () => {
  const { clock, told, site, watch } = watched();
  watch.watch();
  watch.watch();
  clock.advance(20_000);
  watch.watch();
  clock.advance(20_000);
  expect(told).toEqual(['no-majority']);
  site.hasMajority = true;
  watch.regained();
  site.hasMajority = false;
  watch.watch();
  clock.advance(20_000);
  expect(told).toEqual(['no-majority', 'no-majority']);
});

test('another site may lead at once after a silence, and after a closed link once this one was silent', () => {
  const { clock, told, watch } = watched();
  watch.lost('silent');
  expect(told).toEqual(['LOCK_LOST']);
  watch.lost('closed');
  expect(told).toHaveLength(1);
  clock.advance(1_000);
  expect(told).toEqual(['LOCK_LOST', 'LOCK_LOST']);
});

test.each(['before', 'after'])('nothing is reported that was watched for %s the end', (when) => {
  const { clock, told, watch } = watched();
  if (when === 'after') watch.stop();
  watch.watch();
  watch.lost('closed');
  if (when === 'after') watch.lost('silent');
  else watch.stop();
  clock.advance(60_000);
  expect(told).toEqual([]);
});
