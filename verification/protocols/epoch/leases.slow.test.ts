import { expect, test } from 'vitest';
import { check } from '../../check/check.ts';
import { epochStrict } from './system.ts';

test('strict mode, three sites, one change: all holds', async () => {
  const report = await check(
    epochStrict({ sites: 3, network: { order: 'fifo' }, crashes: 'none', refusals: 'none' }),
  );
  expect(report).toMatchObject({ states: 2_187_397, complete: true });
  expect(report.properties.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
}, 300_000);
