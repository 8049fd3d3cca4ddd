import { expect, test } from 'vitest';
import { check } from '../../check/check.ts';
import { type FittingOptions, fitting } from './fitting.ts';
import { fittingMutants, slowMutant } from './fitting-mutants.ts';

const three = ['a', 'b', 'c'];

test.each<readonly [string, FittingOptions, number]>([
  ['the first starts late', { processes: three, size: 2, later: ['a'] }, 61_863],
  ['a founder hands over', { processes: three, size: 1, founder: 'a', leavers: ['a'] }, 121_410],
  [
    'a founder ends without a successor',
    { processes: three, size: 1, founder: 'a', leavers: ['a'], late: true },
    470_546,
  ],
])('three processes: %s', async (_, options, states) => {
  const report = await check(fitting(options));
  expect(report.properties.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
  expect(report).toMatchObject({ complete: true, states });
});

test('a process that has ended between two rounds of calls may have been a member', async () => {
  const { properties } = await check(fitting(fittingMutants[slowMutant]!), {
    maxStates: 10_000_000,
    stopAtFirst: true,
  });
  const [violated] = properties.filter(({ verdict }) => verdict === 'violated');
  expect(violated).toMatchObject({ name: 'no cluster is founded where a process is a member' });
  expect(violated!.verdict === 'violated' && violated!.trace!.steps.length).toBe(21);
});
