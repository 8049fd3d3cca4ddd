import { describe, expect, test } from 'vitest';
import { changing } from './changing.ts';
import { lyingMutants, simulatedMutants } from './mutants.ts';

/* The place of one voter is taken by a liar (M6). */

test('no site believes a liar while it reaches a majority of the others, and all are served afterwards', async () => {
  let grants = 0;
  for (const seed of [1, 2, 3, 4])
    grants += (await changing({ sites: 3, seed, liar: true }, 1_000)).granted.length;
  expect(grants).toBeGreaterThan(100);
});

describe('each mutant that believes a liar is seen', () => {
  test.each(lyingMutants)('%s', async (name) => {
    const { mutated } = simulatedMutants.get(`members/${name}`)!;
    const found = (async () => {
      for (let seed = 1; seed <= 30; seed++)
        for (const sites of [3, 4]) await changing({ sites, seed, liar: true, ...mutated }, 1_000);
    })();
    await expect(found).rejects.toThrow(/^M6: [a-e] believes a configuration that [a-e] alone has told/);
  });
});
