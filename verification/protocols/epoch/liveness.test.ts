import { describe, expect, test } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { siteMachine } from '../../../machines/epoch/site.ts';
import { check } from '../../check/check.ts';
import { epochLiveness, possibilities } from './liveness.ts';
import { forgetfulMutants, starvingMutants, stuckMutants } from './mutants.ts';
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

  test.each([
    ['at most twice in a row', 2, 'holds'],
    ['not without end', 'unbounded', 'violated'],
  ] as const)('though others go on %s', async (_, inARow, verdict) => {
    const { properties } = await check(epochLiveness(of({ inARow })));
    expect(properties.slice(1).map((property) => property.verdict)).toEqual(Array(3).fill(verdict));
  });

  test.each(Object.entries(forgetfulMutants))('not when %s', async (_, machine) => {
    const { properties } = await check(epochLiveness(of({ machine })));
    expect(properties.some(({ verdict }) => verdict === 'violated')).toBe(true);
  });
});

describe('in one epoch, messages in any order, each site that waits is served', () => {
  const served = async (machine: AnyStateMachine) => {
    const system = epochLiveness(
      of({ changes: 0, crashes: 'none', network: { order: 'unordered' }, machine }),
    );
    return (await check(system)).properties.slice(1).map(({ verdict }) => verdict);
  };

  test('by the line rule', async () => {
    expect(await served(siteMachine)).toEqual(Array(3).fill('holds'));
  });

  test.each(Object.entries(starvingMutants))('not where %s', async (_, machine) => {
    expect(await served(machine)).toEqual(Array(3).fill('violated'));
  });
});

const {
  'a waiting site can still be served': canBeServed,
  'a site that missed the last epoch can still join it': canJoin,
} = possibilities;

describe('while a majority is up and an epoch is left, each site that waits can still be served', () => {
  test.each<[string, Partial<EpochOptions>]>([
    ['one change, any site may crash', { crashes: 'all' }],
    ['one change, a crash and a break', { breaks: 1 }],
    ['one change, any site may leave', { crashes: 'leavers' }],
  ])('%s', async (_, options) => {
    for (const id of ['a', 'b', 'c']) {
      const { stuck, from } = await canBeServed(epoch(of(options)), id, of(options));
      expect(stuck).toBeNull();
      expect(from).toBeGreaterThan(100);
    }
  });

  test('in strict mode, though leases and promises run out', async () => {
    const options = of({ strict: true, sites: 2, crashes: 'none', stands: 1 });
    const { stuck, from } = await canBeServed(epochStrict(options), 'b', options);
    expect(stuck).toBeNull();
    expect(from).toBeGreaterThan(100);
  });

  test('not when a deferred vote is forgotten', async () => {
    const machine = stuckMutants['a deferred vote is forgotten'];
    const options = of({ strict: true, sites: 2, crashes: 'none', stands: 1, machine });
    expect((await canBeServed(epochStrict(options), 'b', options)).stuck).not.toBeNull();
  });

  test('not when nobody is elected', async () => {
    const options = of({ machine: stuckMutants['nobody is elected'] });
    expect((await canBeServed(epoch(options), 'b', options)).stuck).not.toBeNull();
  });
});

describe('a site that missed the last epoch, because its NEW was lost, can still join it by standing', () => {
  const joins = (machine: AnyStateMachine) => {
    const options = of({ crashes: 'none', breaks: 1, machine });
    return canJoin(epoch(options), 'b', options);
  };

  test('since it is refused with that epoch when it stands', async () => {
    const { stuck, from } = await joins(siteMachine);
    expect(stuck).toBeNull();
    expect(from).toBeGreaterThan(100);
  });

  test('not when only candidates below the promise are refused', async () => {
    const { stuck } = await joins(stuckMutants['R10: only candidates below the promise are refused']);
    expect(stuck).not.toBeNull();
  });
});
