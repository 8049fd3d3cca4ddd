import { expect, test } from 'vitest';
import { check } from '../../check/check.ts';
import { epochOvertaking } from './system.ts';

test('within an epoch a request in the line of the token is overtaken by at most N - 1 entries, with two changes', async () => {
  const report = await check(epochOvertaking({ sites: 3, network: { order: 'fifo' }, changes: 2 }));
  expect(report.properties.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
  expect(report).toMatchObject({ states: 4_406_461, complete: true });
});
