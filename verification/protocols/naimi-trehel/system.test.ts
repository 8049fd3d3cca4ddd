import { describe, expect, test } from 'vitest';
import { check, type Report } from '../../check/check.ts';
import type { Network } from '../../system/system.ts';
import { OptionsError } from '../sites.ts';
import { naimiTrehel, naimiTrehelCombined, naimiTrehelLeaving } from './system.ts';

/* The table of protocol.md, and every rule in every state. */

const published = {
  fifo: [
    { sites: 2, states: 14, transitions: 24, depth: 7 },
    { sites: 3, states: 282, transitions: 642, depth: 18 },
    { sites: 4, states: 9_352, transitions: 26_464, depth: 30 },
    { sites: 5, states: 440_120, transitions: 1_478_880, depth: 42 },
  ],
  unordered: [
    { sites: 2, states: 16 },
    { sites: 3, states: 318 },
    { sites: 4, states: 10_504 },
  ],
  'unordered-by-target': [
    { sites: 2, states: 16 },
    { sites: 3, states: 210 },
    { sites: 4, states: 4_728 },
  ],
} satisfies Record<Network['order'], readonly object[]>;

describe.each(['fifo', 'unordered', 'unordered-by-target'] as const)('naimi-trehel on %s', (order) => {
  test.each([...published[order]])('has $states states with $sites sites, and all holds', async (counts) => {
    const report = await check(naimiTrehel({ sites: counts.sites, network: { order } }));
    expect(report).toMatchObject({ ...counts, complete: true });
    expect(notHolding(report)).toEqual([]);
  });
});

describe('naimi-trehel-combined', () => {
  test.each([
    { sites: 2, states: 26, transitions: 70, depth: 7 },
    { sites: 3, states: 486, transitions: 1_662, depth: 18 },
    { sites: 4, states: 15_416, transitions: 63_248, depth: 31 },
  ])('has $states states with $sites sites, and all holds', async (counts) => {
    const report = await check(naimiTrehelCombined({ sites: counts.sites, network: { order: 'fifo' } }));
    expect(report).toMatchObject({ ...counts, complete: true });
    expect(notHolding(report)).toEqual([]);
  });

  test('is naimi-trehel, state by state, where nobody counts how often a client goes on', async () => {
    const report = await check(
      naimiTrehelCombined({ sites: 3, network: { order: 'fifo' }, inARow: 'unbounded' }),
    );
    expect(report).toMatchObject({ states: 282, transitions: 972, depth: 18, complete: true });
    expect(notHolding(report)).toEqual([]);
  });
});

describe('naimi-trehel-leaving', () => {
  test.each([
    { sites: 2, states: 56, transitions: 140, depth: 10 },
    { sites: 3, states: 3_570, transitions: 14_700, depth: 22 },
    { sites: 4, states: 454_100, transitions: 2_721_588, depth: 39 },
  ])('has $states states with $sites sites, and all holds', async (counts) => {
    const report = await check(naimiTrehelLeaving({ sites: counts.sites, network: { order: 'fifo' } }));
    expect(report).toMatchObject({ ...counts, complete: true });
    expect(notHolding(report)).toEqual([]);
  });

  test('wants a fifo network', () => {
    const options = { sites: 2, network: { order: 'unordered' } } as const;
    expect(() => naimiTrehelLeaving(options)).toThrow(OptionsError);
  });
});

test.each([1, 16, 2.5, Number.NaN])('%s sites are refused', (sites) => {
  const make = () => naimiTrehel({ sites, network: { order: 'fifo' } });
  expect(make).toThrow(expect.objectContaining({ code: 'SITES_OUT_OF_RANGE' }));
});

test('the reachable states, and their depths', async () => {
  const { properties } = await check(naimiTrehel({ sites: 4, network: { order: 'fifo' } }));
  const reached = properties.filter(({ kind }) => kind === 'reachable');
  expect(reached.map(({ name, trace }) => [name, trace?.steps.length])).toEqual([
    ['a site waits in line', 3],
    ['two sites wait in line', 6],
    ['a request is forwarded twice', 12],
  ]);
});

function notHolding({ properties }: Report) {
  return properties.filter(({ verdict }) => verdict !== 'holds');
}
