import { expect, test } from 'vitest';
import { check } from '../../check/check.ts';
import { epochMembers } from './members.ts';

test('two voters, then three, with an epoch change in between: all holds', async () => {
  const plan = [
    ['a', 'b'],
    ['a', 'b', 'c'],
  ];
  const { states, complete, properties } = await check(epochMembers({ plan }));
  expect([states, complete]).toEqual([157_314, true]);
  expect(properties.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
}, 120_000);
