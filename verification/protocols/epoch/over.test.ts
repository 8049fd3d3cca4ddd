import { describe, expect, test } from 'vitest';
import { check } from '../../check/check.ts';
import { overMutants } from './mutants.ts';
import { epochOver, type OverOptions } from './over.ts';

const three = { sites: 3, network: { order: 'fifo' } } as const;

const verdicts = async (options: Partial<OverOptions>) => {
  const { complete, properties, states } = await check(epochOver({ ...three, ...options }));
  expect(complete).toBe(true);
  const [fails, ...served] = properties.map(({ verdict }) => verdict);
  expect(fails).toBe('holds');
  return { states, served };
};

describe('M5: a request that is not taken is answered, so nobody waits for ever', () => {
  test.each([
    ['crashes', 54_615],
    ['has no room', 613],
  ] as const)('where the root of epoch 0 %s', async (founder, states) => {
    expect(await verdicts({ founder })).toEqual({ states, served: ['holds', 'holds'] });
  });

  test.each(Object.entries(overMutants))('not when %s', async (_, options) => {
    expect((await verdicts(options)).served).toEqual(['violated', 'violated']);
  });
});
