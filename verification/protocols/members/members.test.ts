import { describe, expect, test } from 'vitest';
import { check, type Report } from '../../check/check.ts';
import { fourInReach, threeCoordinators } from './mutants.ts';
import { type MembersOptions, members, withLiar, withLiarOfTwoIds } from './system.ts';

type Options = Omit<MembersOptions, 'machine'>;

const lying = (from: number, to: number): Options => ({
  ...withLiar,
  liar: { ...withLiar.liar, lies: withLiar.liar.lies.slice(from, to) },
});

const broken = ({ properties }: Report) =>
  properties.filter(({ verdict }) => verdict !== 'holds').map(({ name, verdict }) => `${name}: ${verdict}`);

describe('the voters change, and every promise holds', () => {
  test.each<readonly [string, Options, number]>([
    [
      'one, two and three voters, two coordinators',
      { founders: 1, sites: 3, stands: { a: 1, b: 1 }, lockStands: { b: 1 }, changes: 2 },
      21_549,
    ],
    [
      'two or three, two coordinators at once',
      { founders: 2, sites: 3, stands: { a: 1, b: 1 }, lockStands: { a: 1 }, changes: 1 },
      36_138,
    ],
    [
      'three, two candidates for epochs and two changes',
      { founders: 3, sites: 3, stands: { a: 1 }, lockStands: { a: 1, b: 1 }, changes: 2 },
      41_698,
    ],
    [
      'from four to three',
      {
        founders: 4,
        sites: 4,
        stands: { a: 1, b: 1 },
        lockStands: {},
        changes: 1,
        change: { a: [{ remove: 'd' }], b: [{ remove: 'c' }] },
      },
      3_672,
    ],
    [
      'one takes the place of another, by one coordinator',
      {
        founders: 3,
        sites: 4,
        stands: { a: 1 },
        lockStands: { b: 1 },
        changes: 2,
        change: { a: [{ remove: 'c' }, { add: 'd' }] },
      },
      12_684,
    ],
    [
      'each of two is to replace the other by a third, and a coordinator crashes at any point',
      {
        founders: 2,
        sites: 3,
        stands: { a: 1, b: 1 },
        lockStands: {},
        changes: 2,
        change: { a: [{ remove: 'b' }, { add: 'c' }], b: [{ remove: 'a' }, { add: 'c' }] },
        crashes: { a: 'with disk' },
      },
      9_514,
    ],
    [
      'each restarts once with its disk, and messages to it stay under way',
      { founders: 2, sites: 2, stands: { a: 2, b: 1 }, lockStands: { a: 1 }, changes: 1, restarts: 1 },
      48_059,
    ],
    [
      'a voter crashes, and what was under way to it is lost',
      {
        founders: 3,
        sites: 3,
        stands: { a: 1 },
        lockStands: { b: 1 },
        changes: 1,
        crashes: { c: 'with disk' },
      },
      3_739,
    ],
    [
      'a site that is left behind is told, on links that keep their order',
      {
        founders: 2,
        sites: 2,
        stands: { a: 1, b: 1 },
        lockStands: { a: 1 },
        changes: 1,
        refusals: true,
        network: { order: 'fifo' },
      },
      748,
    ],
    [
      'every site tells every other',
      { founders: 2, sites: 2, stands: { a: 1, b: 1 }, lockStands: { b: 1 }, changes: 1, gossip: ['a', 'b'] },
      3_521,
    ],
    ['a member makes up a configuration', lying(0, 3), 38_696],
    ['a member makes up a configuration for which it was voted for', lying(3, 5), 1_944],
    ['a member makes up a configuration, and says it again under another id', withLiarOfTwoIds, 2_304],
  ])('%s', async (_, options, states) => {
    const report = await check(members(options));
    expect([report.complete, broken(report), report.states]).toEqual([true, [], states]);
  });
});

describe('from every state, the rest can go on: a coordinator is elected, a change can begin, an epoch be decided', () => {
  test.each<readonly [string, Options, number]>([
    [
      'two voters and one that joins',
      { founders: 2, sites: 3, stands: { a: 1 }, lockStands: { b: 1 }, changes: 1, liveness: true },
      576,
    ],
    [
      'and all are in reach',
      {
        founders: 2,
        sites: 3,
        stands: { a: 1 },
        lockStands: { b: 1 },
        changes: 1,
        liveness: true,
        reach: true,
      },
      576,
    ],
    [
      'three voters, in reach',
      { founders: 3, sites: 3, stands: { a: 1 }, lockStands: {}, changes: 1, liveness: true, reach: true },
      127,
    ],
    ['four voters; one can be removed; in reach', fourInReach, 216],
    [
      'three voters, two coordinators at once, in reach',
      {
        founders: 3,
        sites: 3,
        stands: { a: 1, b: 1 },
        lockStands: {},
        changes: 1,
        liveness: true,
        reach: true,
      },
      7_150,
    ],
    ['three voters, three coordinators in turn, in reach', threeCoordinators, 3_839],
    [
      'three voters and one that joins, in reach',
      {
        founders: 3,
        sites: 4,
        stands: { a: 1 },
        lockStands: {},
        changes: 1,
        change: { a: [{ add: 'd' }, { remove: 'c' }] },
        liveness: true,
        reach: true,
      },
      315,
    ],
  ])('%s', async (_, options, states) => {
    const report = await check(members(options));
    expect([report.complete, broken(report), report.states]).toEqual([true, [], states]);
  });
});
