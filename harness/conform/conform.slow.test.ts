import { expect, test } from 'vitest';
import { conform } from './conform.ts';

/* Minutes of elections among three sites that run. */

test('three sites go through every transition of elections in which one asks and each may stand', async () => {
  expect(await conform({ sites: 3, asking: ['b'] })).toMatchObject({ states: 4_486, transitions: 13_742 });
});

test('three sites go through every transition of elections in which all ask and one stands', async () => {
  expect(await conform({ sites: 3, standing: ['c'] })).toMatchObject({
    states: 49_563,
    transitions: 186_000,
  });
});
