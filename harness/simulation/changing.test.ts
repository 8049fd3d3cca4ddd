import { expect, test } from 'vitest';
import { siteMachine } from '../../machines/epoch/site.ts';
import { changing } from './changing.ts';

test('the promises are kept while the members change, and every member is served when nothing fails any more', async () => {
  let [changes, grants] = [0, 0];
  for (let seed = 1; seed <= 6; seed++) {
    const simulation = await changing({ sites: 3, seed }, 1_500);
    changes += simulation.changes;
    grants += simulation.granted.length;
  }
  expect(changes).toBeGreaterThan(10);
  expect(grants).toBeGreaterThan(1_000);
});

test('a site that takes part in epochs that went before it is seen', async () => {
  const statechart = siteMachine.provide({ guards: { joins: () => false } });
  await expect(
    (async () => {
      for (let seed = 1; seed <= 10; seed++) await changing({ sites: 3, seed, statechart }, 1_500);
    })(),
  ).rejects.toThrow(/INVARIANT_BROKEN|S1|S2|S3/);
});
