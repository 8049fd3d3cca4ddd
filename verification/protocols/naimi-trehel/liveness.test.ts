import { describe, expect, test } from 'vitest';
import { check } from '../../check/check.ts';
import { compile, replayTrace } from '../../system/index.ts';
import type { Options } from '../sites.ts';
import { liveness, unfair } from '../token.ts';
import { naimiTrehel, naimiTrehelCombined, naimiTrehelLeaving } from './system.ts';

const network = { order: 'fifo' } as const;

/** With no property but that each site is served. */
async function judged(options: Options, fair: boolean) {
  const system = { ...naimiTrehel(options), properties: liveness(options, fair ? undefined : unfair) };
  const { properties } = await check(system);
  return { system, ofRuns: properties.slice(1) };
}

describe.each(['fifo', 'unordered', 'unordered-by-target'] as const)('naimi-trehel on %s', (order) => {
  test.each([3, 4])('%i sites: each site is served, while nothing is delayed for ever', async (sites) => {
    const { ofRuns } = await judged({ sites, network: { order } }, true);
    expect(ofRuns.map(({ verdict }) => verdict)).toEqual(Array.from({ length: sites }, () => 'holds'));
  });

  test('without fairness none is: a run shows it, and the system takes it', async () => {
    const { system, ofRuns } = await judged({ sites: 3, network: { order } }, false);
    expect(ofRuns.map(({ name }) => name)).toEqual(['a is served', 'b is served', 'c is served']);
    const compiled = compile(system);
    for (const { verdict, trace } of ofRuns) {
      expect(verdict).toBe('violated');
      expect(trace?.loop).toBeLessThanOrEqual(trace!.steps.length);
      expect(replayTrace(compiled, trace!)).toHaveLength(trace!.steps.length);
    }
  });
});

test('a site that may withdraw or leave is served or stops waiting', async () => {
  const options = { sites: 3, network, liveness: true };
  const { properties } = await check(naimiTrehelLeaving(options), { liveness: true });
  expect(properties.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
  expect(properties.filter(({ kind }) => kind === 'leadsTo')).toHaveLength(3);
  const rules = liveness(options, unfair);
  const { properties: without } = await check({ ...naimiTrehelLeaving(options), properties: rules });
  expect(without.slice(1).map(({ verdict }) => verdict)).toEqual(['violated', 'violated', 'violated']);
});

test.each([
  ['at most twice in a row: each site is served', 2, 'holds'],
  ['without end: other sites wait for ever', 'unbounded', 'violated'],
] as const)('who goes on %s', async (_, inARow, verdict) => {
  const options = { sites: 3, network, liveness: true, inARow };
  const { properties } = await check(naimiTrehelCombined(options), { liveness: true });
  const ofRuns = properties.filter(({ kind }) => kind === 'leadsTo');
  expect(ofRuns.map((property) => property.verdict)).toEqual([verdict, verdict, verdict]);
});

test('liveness is judged only on request', async () => {
  const ofRuns = (liveness: boolean) =>
    naimiTrehel({ sites: 3, network, liveness }).properties.filter(({ kind }) => kind === 'leadsTo');
  expect([ofRuns(false).length, ofRuns(true).length]).toEqual([0, 3]);
});
