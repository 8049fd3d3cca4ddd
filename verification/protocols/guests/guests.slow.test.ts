import { expect, test } from 'vitest';
import { check } from '../../check/check.ts';
import { type GuestsOptions, guests } from './system.ts';

/* The sizes of verification/README.md that take longer. */

test.each<readonly [string, GuestsOptions, number]>([
  ['links are cut and heal', { members: 1 }, 31_831],
  ['guests move to another member', {}, 53_801],
  ['a member dies while links are cut', { deaths: 1 }, 408_653],
  ['a guest withdraws as its member dies', { deaths: 1, sessions: 1, withdraws: 1 }, 317_249],
  ['guests withdraw while links are cut', { members: 1, withdraws: 1 }, 391_759],
])('%s', async (_, options, states) => {
  const report = await check(guests({ ...options, liveness: true }), { liveness: true });
  expect(report.properties.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
  expect(report).toMatchObject({ complete: true, states });
});
