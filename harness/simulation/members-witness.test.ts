import { expect, test } from 'vitest';
import type { Configuration } from '../../machines/members/configuration.ts';
import { MembersWitness } from './members-witness.ts';

const made = (term: number, version: number, voters: string, base = 0): Configuration => ({
  ...{ term, version, base },
  voters: Object.fromEntries([...voters].map((voter) => [voter, true as const])),
});
const [first, again] = [made(0, 1, 'abc'), made(1, 1, 'abc')];
const wrote = (configuration: Configuration, parent: Configuration) =>
  ({ type: 'written', configuration, parent }) as const;
const committed = (configuration: Configuration) => ({ type: 'committed', configuration }) as const;

/** `a` has won term 1, and has written and committed the configuration again. */
function begun() {
  const witness = new MembersWitness();
  const broken = witness.took('a', [{ type: 'coordinates', term: 1 }, wrote(again, first), committed(again)]);
  return { witness, broken };
}

test('a coordinator that makes a change breaks no promise', () => {
  const { witness, broken } = begun();
  const next = made(1, 2, 'ab', 3);
  witness.stood('b', 3);
  expect([
    broken,
    witness.elected('b', 3, first),
    witness.took('a', [wrote(next, again)]),
    witness.synced('a'),
    witness.took('a', [committed(next)]),
    witness.holds(
      new Map([
        ['a', next],
        ['b', again],
        ['c', again],
      ]),
    ),
  ]).toEqual([null, null, null, null, null, null]);
});

test('a term has one coordinator, and a place one configuration', () => {
  const { witness } = begun();
  witness.took('b', [{ type: 'coordinates', term: 1 }]);
  expect(witness.synced('b')).toMatch('a term has one coordinator: a and b have won 1');
  witness.took('b', [wrote(again, first)]);
  expect(witness.synced('b')).toMatch('a term and version is of one configuration: (1, 1) is written again');
});

test('what a site did and nobody knows has not happened if it crashes', () => {
  const { witness } = begun();
  witness.took('b', [{ type: 'coordinates', term: 1 }, wrote(again, first)]);
  witness.crashed('b');
  expect(witness.synced('b')).toBe(null);
});

test('a committed configuration is an ancestor of each that is committed later', () => {
  const { witness } = begun();
  const [lost, other] = [made(1, 2, 'ab'), made(2, 1, 'abc')];
  expect(witness.took('a', [wrote(lost, again), committed(lost)])).toBe(null);
  expect(witness.took('c', [wrote(other, again), committed(other)])).toMatch(
    'no committed configuration is lost: (2, 1) and (1, 2) are committed',
  );
});

test('quorums that can still decide meet (S7)', () => {
  const { witness } = begun();
  const next = made(1, 2, 'ad');
  const held = (of: Record<string, Configuration | null>) => new Map(Object.entries(of));
  expect(witness.holds(held({ a: next, b: again, c: again, d: null }))).toMatch(
    'S7: two quorums of (1, 2) and (1, 1)',
  );
  expect(witness.holds(held({ a: next, b: next, c: again, d: null }))).toBe(null);
});

test('an epoch is above each that was decided before its candidate stood (S8)', () => {
  const { witness } = begun();
  for (const [site, epoch] of [['a', 1] as const, ['b', 4] as const]) witness.stood(site, epoch);
  expect(witness.elected('b', 4, again)).toBe(null);
  expect(witness.elected('a', 1, again)).toBe(null);
  witness.stood('c', 3);
  expect(witness.elected('c', 3, again)).toMatch('S8: c has won epoch 3, and 4 was decided before it stood');
});

test.each([
  ['before the change', true],
  ['after it', false],
])(
  'an epoch that is decided under an older configuration is at most the base of a change: %s (S9)',
  (_, isBefore) => {
    const { witness } = begun();
    witness.stood('c', 2);
    const decide = () => witness.elected('c', 2, first);
    const change = () => witness.took('a', [wrote(made(1, 2, 'ab', 1), again)]) ?? witness.synced('a');
    const [one, other] = isBefore ? [decide, change] : [change, decide];
    expect(one()).toBe(null);
    expect(other()).toMatch(
      'S9: epoch 2 was decided under (0, 1), and is above the base of (1, 2), which changes (1, 1)',
    );
  },
);
