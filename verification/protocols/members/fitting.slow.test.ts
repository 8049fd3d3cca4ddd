import { expect, test } from 'vitest';
import { check } from '../../check/check.ts';
import { type FittingOptions, fitting } from './fitting.ts';
import { fittingMutants, slowMutant } from './fitting-mutants.ts';

const three = ['a', 'b', 'c'];

test.each<readonly [string, FittingOptions, number]>([
  ['the first starts late', { processes: three, size: 2, later: ['a'] }, 61_863],
  ['a founder hands over', { processes: three, size: 1, founder: 'a', leavers: ['a'] }, 97_752],
  [
    'a founder ends, and its successor too',
    { processes: three, size: 1, founder: 'a', leavers: ['a', 'b'] },
    1_712_042,
  ],
  [
    'a founder ends, and its successor too, both shown until then',
    { processes: three, size: 1, founder: 'a', leavers: ['a', 'b'], shownToEnd: true },
    731_697,
  ],
  [
    'a founder hands over beside a process that is killed',
    { processes: three, size: 1, founder: 'a', leavers: ['a'], dying: ['b'] },
    817_443,
  ],
  [
    'one of two members ends beside a process that is killed',
    { processes: three, size: 2, founder: 'a', leavers: ['a'], dying: ['b'] },
    3_271_779,
  ],
  ['of two members both end', { processes: three, size: 2, founder: 'a', leavers: ['a', 'b'] }, 20_161_240],
  [
    'the first starts when the founder may be shown no more',
    { processes: three, size: 1, founder: 'b', leavers: ['b'], later: ['a'] },
    260_780,
  ],
  [
    'a founder ends without a successor',
    { processes: three, size: 1, founder: 'a', leavers: ['a'], late: true },
    423_802,
  ],
])('three processes: %s', async (_, options, states) => {
  const report = await check(fitting(options));
  expect(report.properties.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
  expect(report).toMatchObject({ complete: true, states });
});

test('a process that has ended between two rounds of calls may have been a member', async () => {
  const { properties } = await check(fitting(fittingMutants[slowMutant]!), {
    maxStates: 20_000_000,
    stopAtFirst: true,
  });
  const [violated] = properties.filter(({ verdict }) => verdict === 'violated');
  expect(violated).toMatchObject({ name: 'no cluster is founded where a process is a member' });
  expect(violated!.verdict === 'violated' && violated!.trace!.steps.length).toBe(52);
});
