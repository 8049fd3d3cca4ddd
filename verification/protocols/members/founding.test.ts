import { describe, expect, test } from 'vitest';
import { check, type Report } from '../../check/check.ts';
import { possible } from '../../check/possible.ts';
import { type FoundingOptions, founding, foundingPossibilities } from './founding.ts';
import { foundingMutants, joiner, proposerOfThreeLost, stuckFoundingMutants } from './mutants.ts';

type Options = Omit<FoundingOptions, 'machine'>;

const two = { a: ['a1'], b: ['b1'] };
const three = { ...two, c: ['c1'] };
const proposerLost = { a: ['a1', 'a2'], b: ['b1'] };
const otherLost = { a: ['a1'], b: ['b1', 'b2'] };

const broken = ({ properties }: Report) =>
  properties.filter(({ verdict }) => verdict !== 'holds').map(({ name }) => name);

describe('a cluster is founded by all of its founders', () => {
  test.each<readonly [string, Options, number, readonly string[]]>([
    ['two', { ids: two }, 58, []],
    ['two, each may crash and come back with its disk', { ids: two, crashes: 1 }, 1_381, []],
    ['the proposer may lose its disk', { ids: proposerLost }, 13_161, []],
    ['another site wants to join', { ids: two, joiner }, 616, []],
    ['and each may crash', { ids: proposerLost, crashes: 1, generations: 2 }, 469_695, []],
    // As long as the proposer is one and the same, it takes one founding alone for accepted.
    ['one founds anew', { ids: two, anew: { b1: 'b9' } }, 88, []],
    ['one founds anew, and another site wants to join', { ids: two, anew: { b1: 'b9' }, joiner }, 1_408, []],
    ['one founds anew, each may crash', { ids: two, anew: { b1: 'b9' }, crashes: 1 }, 2_563, []],
    [
      'two found anew, which is an error of the operator',
      { ids: two, anew: { a1: 'a9', b1: 'b9' } },
      184,
      ['no id that knows of a founding is part of a later one'],
    ],
    [
      'one founds anew while the proposer may lose its disk',
      { ids: proposerLost, anew: { b1: 'b9' }, generations: 2 },
      6_305,
      [],
    ],
    ['another founder may lose its disk', { ids: otherLost }, 23_220, ['two foundings are accepted by all']],
  ])('%s', async (_, options, states, never) => {
    const report = await check(founding(options));
    expect([report.complete, broken(report), report.states]).toEqual([true, never, states]);
  });

  test.each([
    ['all founders can come to know that the cluster is founded', {}],
    ['all founders can come to know that the cluster is founded', { ids: two, crashes: 1 }],
    [
      'a founder that knows of a founding can tell the others, whatever they accepted since',
      proposerOfThreeLost,
    ],
    ['every other site can come to know that the cluster was founded anew', { anew: { b1: 'b9' } }],
    ['once a lock may be used, the cluster goes on without the proposer', { proposerDies: true }],
  ] as const)('%s', async (name, options) => {
    const { stuck, from } = await asked(name, { ids: three, ...options });
    expect(stuck === null).toBe(true);
    expect(from).toBeGreaterThan(1_000);
  });
});

test('a site that is no founder can come to know of the cluster, though it is met no more', async () => {
  const { stuck, from } = await asked(
    'a site that is no founder can come to know of the cluster, though it is met no more',
    { ids: two, joiner },
  );
  expect([stuck === null, from > 100]).toEqual([true, true]);
});

const asked = (name: keyof typeof foundingPossibilities, options: FoundingOptions) =>
  possible(founding(options), foundingPossibilities[name].from, foundingPossibilities[name].to);

test.each(Object.entries(stuckFoundingMutants))('not when %s', async (_, [name, options, machine]) => {
  const { stuck } = await asked(name, { ...options, machine });
  expect(stuck).not.toBe(null);
});

test('each broken rule is refuted: after how many steps, and what breaks first', async () => {
  const lines: string[] = [];
  for (const [mutant, [options, machine]] of Object.entries(foundingMutants)) {
    const { properties } = await check(founding({ ...options, machine }), {
      maxStates: 2_000_000,
      stopAtFirst: true,
    });
    const violated = properties.filter((one) => one.verdict === 'violated' && one.trace !== undefined);
    const [first] = violated;
    lines.push(
      `${mutant}: ${first?.verdict === 'violated' ? first.trace?.steps.length : 'no trace'}, ${violated.map((one) => one.name).join(', ')}`,
    );
  }
  expect(`\n${lines.join('\n')}\n`).toMatchInlineSnapshot(`
    "
    M8: a majority founds: 5, every founder has accepted what is founded
    M8: it is proposed before all founders are known: 1, a founding names every founder
    M8: a founding of a lower generation is accepted: 8, no id that knows of a founding is part of a later one
    M8: a founding that names another id is accepted: 8, a site takes part in a founding that names its id
    M8: a founder that knows of a founding accepts another: 11, no id that knows of a founding is part of a later one
    M8: late news of a founding undo a later acceptance: 11, no id that knows of a founding is part of a later one
    M8: an acceptance of an earlier proposal counts: 6, every founder has accepted what is founded
    M8: a restart forgets what was accepted: 4, every founder has accepted what is founded
    M8: a lock is used before a majority knows of the founding: 7, a majority knows of a founding before a lock is used
    M9: the generation of a founding anew is by the clock alone: 6, no id that knows of a founding is part of a later one
    M9: an earlier founding supersedes a later one: 7, only a later founding supersedes one
    M9: a restart forgets that its cluster was founded anew: 10, an id that was superseded takes no part any more
    M9: an id that accepted a founding joins another cluster: 10, no id that accepted what is founded joins another cluster
    M9: a site heeds the founding that it was told of last: 10, no site turns from a later founding to an earlier one
    M8: a restart forgets that the cluster is founded: 10, no id that knows of a founding is part of a later one
    "
  `);
});
