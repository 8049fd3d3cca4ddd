import { describe, expect, test } from 'vitest';
import { siteMachine } from '../../machines/epoch/site.ts';
import { check } from '../check.ts';
import { possible } from '../possible.ts';
import { and, count, every, some } from '../system/properties.ts';
import type { ActorView } from '../system/system.ts';
import { epochLiveness } from './liveness.ts';
import { forgetfulMutants } from './mutants.ts';
import { isInside, promiseOf, putOffBy, waits } from './observed.ts';
import { type EpochOptions, epoch, epochStrict } from './system.ts';

const of = (options: Partial<EpochOptions>): EpochOptions => ({
  sites: 3,
  network: { order: 'fifo' },
  ...options,
});

describe('each site that waits is served', () => {
  test('with one change, in which the founder may be gone', async () => {
    const { properties, complete } = await check(epochLiveness(of({})));
    expect(complete).toBe(true);
    expect(properties.map(({ verdict }) => verdict)).toEqual(Array(4).fill('holds'));
  });

  test('only as long as nothing is put off for ever', async () => {
    const { properties } = await check(epochLiveness(of({}), {}));
    expect(properties.slice(1).map(({ verdict }) => verdict)).toEqual(Array(3).fill('violated'));
  });

  test.each(Object.entries(forgetfulMutants))('not when %s', async (_, machine) => {
    const { properties } = await check(epochLiveness(of({ machine })));
    expect(properties.some(({ verdict }) => verdict === 'violated')).toBe(true);
  });
});

/** Who waits, with an epoch left and a majority up, can be served. */
const served = (id: string, options: EpochOptions, of = epoch) => {
  const at = (is: (site: ActorView) => boolean) => some((site) => site.id === id && is(site));
  const left = every((site) => Math.max(promiseOf(site), putOffBy(site)) < (options.changes ?? 1));
  const majority = count(
    ({ up }) => up,
    (sites) => 2 * sites > options.sites,
  );
  return possible(of(options), and(at(waits), left, majority), at(isInside));
};

describe('while a majority is up and an epoch is left, each site that waits can still be served', () => {
  test.each<[string, Partial<EpochOptions>]>([
    ['one change, any site may crash', { crashes: 'all' }],
    ['one change, a crash and a break', { breaks: 1 }],
  ])('%s', async (_, options) => {
    for (const id of ['a', 'b', 'c']) {
      const { stuck, from } = await served(id, of(options));
      expect(stuck).toBeNull();
      expect(from).toBeGreaterThan(100);
    }
  });

  test('in strict mode, though leases and promises run out', async () => {
    const { stuck, from } = await served('b', of({ strict: true, refusals: 'none' }), epochStrict);
    expect(stuck).toBeNull();
    expect(from).toBeGreaterThan(10_000);
  });

  test('not when a vote that was put off is forgotten', async () => {
    const machine = siteMachine.provide({ actions: { takeUpAgain: () => {} } });
    const options = of({ strict: true, sites: 2, crashes: 'none', stands: 1, machine });
    expect((await served('b', options, epochStrict)).stuck).not.toBeNull();
  });

  test('not when nobody stands for election', async () => {
    const machine = siteMachine.provide({ guards: { elected: () => false } });
    expect((await served('b', of({ machine }))).stuck).not.toBeNull();
  });
});
