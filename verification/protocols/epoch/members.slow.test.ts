import { expect, test } from 'vitest';
import { check } from '../../check/check.ts';
import { epochMembers } from './members.ts';
import { shrinking } from './mutants.ts';

test('two voters, then three, with an epoch change in between: all holds', async () => {
  const plan = [
    ['a', 'b'],
    ['a', 'b', 'c'],
  ];
  const { states, complete, properties } = await check(epochMembers({ plan }));
  expect([states, complete]).toEqual([157_314, true]);
  expect(properties.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
}, 120_000);

test('three voters, then two, then one, and candidates across the changes: all holds', async () => {
  const { states, complete, properties } = await check(epochMembers(shrinking));
  expect([states, complete]).toEqual([102_638, true]);
  expect(properties.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
}, 120_000);
