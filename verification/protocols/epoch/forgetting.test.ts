import { describe, expect, test } from 'vitest';
import { check } from '../../check/check.ts';
import { aboveEpoch, epochForgetting, type ForgettingOptions } from './forgetting.ts';
import { forgettingMutants } from './mutants.ts';

const checked = async (options: Partial<ForgettingOptions>) => {
  const whole = { sites: 2, network: { order: 'fifo' }, ...options } as const;
  const { complete, properties, states } = await check(epochForgetting(whole));
  expect(complete).toBe(true);
  const broken = properties.filter(({ verdict }) => verdict !== 'holds').map(({ name }) => name);
  return { states, broken };
};

describe('R13: a lock that nobody uses is forgotten, and nobody waits for ever or meets a holder', () => {
  test.each<[Partial<ForgettingOptions>, number]>([
    [{}, 411],
    [{ sites: 3 }, 94_688],
    [{ changes: 2, floorOf: aboveEpoch }, 1_460],
  ])('%j', async (options, states) => {
    expect(await checked(options)).toEqual({ states, broken: [] });
  });

  test.each<[Partial<ForgettingOptions>, number]>([
    [{ asks: 2 }, 2_253],
    [{ asks: 2, changes: 2, floorOf: aboveEpoch }, 6_684],
    [{ sites: 3, asks: 1 }, 29_014],
  ])('fences rise: %j', async (options, states) => {
    expect(await checked(options)).toEqual({ states, broken: [] });
  });

  test.each(Object.entries(forgettingMutants))('not when %s', async (_, options) => {
    expect((await checked(options)).broken).not.toEqual([]);
  });
});
