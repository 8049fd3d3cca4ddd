import { expect, test } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { check } from '../../check/check.ts';
import { putOffMutants } from './mutants.ts';
import { putOffCandidacies } from './put-off.ts';

const broken = async (machine?: AnyStateMachine) => {
  const { complete, properties } = await check(putOffCandidacies(machine));
  expect(complete).toBe(true);
  return properties.filter(({ verdict }) => verdict !== 'holds').map(({ name }) => name);
};

test('a candidacy that was put off is not forgotten, also where the voters change meanwhile', async () => {
  expect(await broken()).toEqual([]);
});

test.each(Object.entries(putOffMutants))('%s: is refuted', async (_, mutant) => {
  expect(await broken(mutant)).toEqual([
    'a site that put a candidacy off votes or stands when its promise is over',
  ]);
});
