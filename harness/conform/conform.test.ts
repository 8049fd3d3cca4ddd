import { describe, expect, test } from 'vitest';
import { mutants } from '../../verification/protocols/epoch/mutants.ts';
import { conform, environments } from './conform.ts';

/* Sites that run, over TCP, take every transition of the explored graphs. */

describe('running sites', () => {
  test('go through every transition of two sites, an election among them', async () => {
    const { states, transitions, steps } = await conform({ sites: 2 });
    expect({ states, transitions }).toEqual({ states: 396, transitions: 914 });
    expect(steps).toBeGreaterThan(transitions);
  });

  test('go through every transition of three sites', async () => {
    expect(await conform({ sites: 3, changes: 0 })).toMatchObject({ states: 300, transitions: 702 });
  });

  test('go through every transition of an election among three, in which two stand', async () => {
    const [, election] = environments[3];
    expect(await conform({ sites: 3, ...election })).toMatchObject({ states: 1_529, transitions: 4_291 });
  });

  test('go through every transition of two sites of which the root crashes and returns with its disk', async () => {
    const [, crash] = environments[2];
    expect(await conform({ sites: 2, ...crash })).toMatchObject({ states: 56, transitions: 117 });
  });

  test('a site that does not exist is named', async () => {
    await expect(conform({ sites: 2, asking: ['a', 'd'] })).rejects.toThrow(
      'no site is named d: expected some of a, b',
    );
  });
});

test('a site with a mistake does not, where it returns: R7: a restart goes on where it crashed', async () => {
  const [, statechart] = mutants['R7: a restart goes on where it crashed']!;
  const driven = conform({ sites: 2, changes: 0, founder: 'returns', statechart, patienceMs: 500 });
  await expect(driven).rejects.toMatchObject({ code: 'SITE_DIFFERS' });
});

test.each([
  'R1: a newer epoch is not adopted',
  'R2: the line is kept',
  'R5: a voter does not freeze',
  'R6: a vote alone elects',
  'R6: the winner takes the token from any holder',
])('a site with a mistake does not: %s', async (name) => {
  const [, statechart] = mutants[name]!;
  const driven = conform({ sites: 2, statechart, patienceMs: 500 });
  await expect(driven).rejects.toMatchObject({ code: expect.stringMatching(/^SITE_(DIFFERS|CRASHED)$/) });
});
