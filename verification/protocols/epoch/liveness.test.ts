import { describe, expect, test } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { type SiteContext, type SiteEvent, siteMachine } from '../../../machines/epoch/site.ts';
import { check } from '../../check/check.ts';
import { possible } from '../../check/possible.ts';
import { and, count, every, some } from '../../system/properties.ts';
import type { ActorView } from '../../system/system.ts';
import { epochLiveness } from './liveness.ts';
import { forgetfulMutants } from './mutants.ts';
import { follows, isInside, messages, promiseOf, putOffBy, tokens, waits } from './observed.ts';
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

describe('who missed the last epoch, whose NEW was lost, can still join it by suspecting', () => {
  const joins = (machine: AnyStateMachine) => {
    const missed = (site: ActorView) =>
      site.id === 'b' &&
      waits(site) &&
      promiseOf(site) === 0 &&
      messages(site).every(({ type }) => type !== 'NEW');
    const decided = (site: ActorView) => site.id === 'b' || (follows(site) && promiseOf(site) === 1);
    const served = some((site) => site.id === 'b' && isInside(site));
    const token = some((site) => site.id !== 'b' && tokens(site).some(({ epoch }) => epoch === 1));
    const options = of({ crashes: 'none', breaks: 1, machine });
    return possible(epoch(options), and(some(missed), every(decided), token), served);
  };

  test('since it is told so when it stands', async () => {
    const { stuck, from } = await joins(siteMachine);
    expect(stuck).toBeNull();
    expect(from).toBeGreaterThan(100);
  });

  test('not when those alone are refused who stand below the promise', async () => {
    const below = ({ context, event }: { readonly context: SiteContext; readonly event: SiteEvent }) =>
      event.type === 'VOTE_REQUEST' && event.epoch < context.promised;
    expect((await joins(siteMachine.provide({ guards: { stale: below } }))).stuck).not.toBeNull();
  });
});
