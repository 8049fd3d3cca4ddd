import { describe, expect, test } from 'vitest';
import { check, type Report } from '../../check/check.ts';
import { type EpochMembersOptions, epochMembers } from './members.ts';
import { configuredMutants } from './mutants.ts';

const verdictsOf = ({ properties }: Report, is: (verdict: string) => boolean) =>
  properties.filter(({ verdict }) => is(verdict)).map(({ name }) => name);

describe('epochs while the voters change', () => {
  test.each<[string, EpochMembersOptions, number]>([
    ['one, then two', { plan: [['a'], ['a', 'b']] }, 338],
    ['a site in place of another', { plan: [['a'], ['a', 'b'], ['b']], changes: 2 }, 11_849],
    ['two, then one; the one that goes may crash', { plan: [['a', 'b'], ['b']], crashes: ['a'] }, 15_832],
  ])('%s: all holds', async (_, options, states) => {
    const report = await check(epochMembers(options));
    expect(report).toMatchObject({ states, complete: true });
    expect(verdictsOf(report, (verdict) => verdict !== 'holds')).toEqual([]);
  });

  test.each<[string, EpochMembersOptions]>(Object.entries(configuredMutants))(
    '%s: is refuted',
    async (_, options) => {
      const report = await check(epochMembers(options), { stopAtFirst: true });
      expect(verdictsOf(report, (verdict) => verdict === 'violated')).not.toEqual([]);
    },
  );
});
