import { describe, expect, test } from 'vitest';
import { check, type Report } from '../../check/check.ts';
import type { Network, System } from '../../system/system.ts';
import { OptionsError } from '../sites.ts';
import { line, lineCombined, lineLeaving, lineOvertaking } from './system.ts';

/* The counts are those of docs/protocol.md, section 2. */

const fifo: Network = { order: 'fifo' };

async function holds(system: System, counts: Partial<Report>, liveness = false) {
  const report = await check(system, { liveness });
  expect(report.properties.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
  expect(report).toMatchObject({ ...counts, complete: true });
}

test.each<[Network['order'], number, Partial<Report>]>([
  ['fifo', 2, { states: 16, transitions: 28, depth: 7 }],
  ['fifo', 3, { states: 300, transitions: 702, depth: 17 }],
  ['fifo', 4, { states: 8_848, transitions: 26_104, depth: 25 }],
  ['unordered', 3, { states: 360, transitions: 852 }],
  ['unordered', 4, { states: 10_936, transitions: 32_512 }],
  ['unordered-by-target', 3, { states: 240 }],
  ['unordered-by-target', 4, { states: 5_016 }],
])('line on %s with %i sites holds', (order, sites, counts) =>
  holds(line({ sites, network: { order } }), counts),
);

test.each<[Network['order'], number, Partial<Report>]>([
  ['fifo', 4, { states: 72_288, transitions: 422_112 }],
  ['unordered-by-target', 3, { states: 1_068 }],
  ['unordered-by-target', 4, { states: 40_320 }],
])('line on %s with %i sites that withdraw holds', (order, sites, counts) =>
  holds(line({ sites, network: { order }, withdraw: true }), counts),
);

test('line-combined with 4 sites, up to 2 in a row while others wait, holds', () =>
  holds(lineCombined({ sites: 4, network: fifo }), { states: 10_816 }));

test.each([
  { sites: 2, states: 64 },
  { sites: 3, states: 3_474 },
  { sites: 4, states: 365_780 },
])('line-leaving with $sites sites holds', ({ sites, states }) =>
  holds(lineLeaving({ sites, network: fifo }), { states }),
);

test('line-leaving wants a fifo network', () => {
  expect(() => lineLeaving({ sites: 2, network: { order: 'unordered' } })).toThrow(OptionsError);
});

describe('a request in the line of the token is overtaken', () => {
  test.each([3, 4])('by at most N - 1 entries, %i sites', (sites) =>
    holds(lineOvertaking({ sites, network: fifo }), {}),
  );

  test('by at most (N - 1)(B + 1) entries where a client goes on B times, and sites withdraw', () =>
    holds(lineOvertaking({ sites: 3, network: fifo, inARow: 2, withdraw: true }), {}));
});

describe('every site that requests is served', () => {
  test.each<[Network['order'], number]>([
    ['fifo', 3],
    ['fifo', 4],
    ['unordered', 4],
  ])('on %s with %i sites', (order, sites) =>
    holds(line({ sites, network: { order }, liveness: true }), {}, true),
  );

  test('though sites withdraw and leave', () =>
    holds(lineLeaving({ sites: 3, network: fifo, liveness: true }), {}, true));
});
