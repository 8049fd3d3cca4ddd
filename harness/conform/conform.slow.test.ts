import { expect, test } from 'vitest';
import { mutants } from '../../verification/protocols/epoch/mutants.ts';
import { conform } from './conform.ts';

/* Minutes of elections among sites that run, and of crashes. */

test('three sites go through every transition of elections in which one asks and each may stand', async () => {
  expect(await conform({ sites: 3, asking: ['b'] })).toMatchObject({ states: 4_486, transitions: 13_742 });
});

test('three sites go through every transition of elections in which all ask and one stands', async () => {
  expect(await conform({ sites: 3, standing: ['c'] })).toMatchObject({
    states: 49_563,
    transitions: 186_000,
  });
});

test.each([
  [
    { sites: 2, founder: 'crashes' },
    { states: 514, transitions: 1_493 },
  ],
  [
    { sites: 2, founder: 'returns' },
    { states: 1_387, transitions: 3_714 },
  ],
  [
    { sites: 3, founder: 'crashes', changes: 0 },
    { states: 480, transitions: 1_348 },
  ],
  [
    { sites: 3, founder: 'returns', changes: 0 },
    { states: 1_104, transitions: 3_072 },
  ],
] as const)('sites go through every transition where the root crashes: %j', async (options, counts) => {
  expect(await conform(options)).toMatchObject(counts);
});

test.each(['R7: a vote is not written down', 'R7: an adoption is not written down'])(
  'a site with a mistake does not, where it returns: %s',
  async (name) => {
    const [, statechart] = mutants[name]!;
    const driven = conform({ sites: 2, founder: 'returns', statechart, patienceMs: 500 });
    await expect(driven).rejects.toMatchObject({ code: expect.stringMatching(/^SITE_(DIFFERS|CRASHED)$/) });
  },
);
