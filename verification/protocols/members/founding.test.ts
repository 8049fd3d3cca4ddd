import { describe, expect, test } from 'vitest';
import { check, type Report } from '../../check/check.ts';
import { possible } from '../../check/possible.ts';
import { every } from '../../system/properties.ts';
import { type FoundingOptions, founding } from './founding.ts';
import { foundingMutants } from './mutants.ts';

type Options = Omit<FoundingOptions, 'machine'>;

const two = { a: ['a1'], b: ['b1'] };
const proposerLost = { a: ['a1', 'a2'], b: ['b1'] };
const otherLost = { a: ['a1'], b: ['b1', 'b2'] };

const broken = ({ properties }: Report) =>
  properties.filter(({ verdict }) => verdict !== 'holds').map(({ name }) => name);

describe('a cluster is founded by all of its founders', () => {
  test.each<readonly [string, Options, number, readonly string[]]>([
    ['two', { ids: two }, 46, []],
    ['two, each may crash and come back with its disk', { ids: two, crashes: 1 }, 550, []],
    ['the proposer may lose its disk', { ids: proposerLost }, 7_821, []],
    ['and each may crash', { ids: proposerLost, crashes: 1, generations: 2 }, 70_060, []],
    // As long as the proposer is one and the same, it takes one founding alone for accepted.
    ['another founder may lose its disk', { ids: otherLost }, 13_156, ['two foundings are accepted by all']],
  ])('%s', async (_, options, states, never) => {
    const report = await check(founding(options));
    expect([report.complete, broken(report), report.states]).toEqual([true, never, states]);
  });

  test('from every state, as long as no id is lost, all can still come to know of it', async () => {
    const founded = every((site) => site.in('founded'));
    const { stuck, from } = await possible(
      founding({ ids: { a: ['a1'], b: ['b1'], c: ['c1'] } }),
      every(() => true),
      founded,
    );
    expect(stuck).toBeNull();
    expect(from).toBeGreaterThan(1_000);
  });
});

test('each broken rule is refuted: after how many steps, and what breaks first', async () => {
  const lines: string[] = [];
  for (const [name, [options, machine]] of Object.entries(foundingMutants)) {
    const { properties } = await check(founding({ ...options, machine }), {
      maxStates: 2_000_000,
      stopAtFirst: true,
    });
    const violated = properties.filter((one) => one.verdict === 'violated' && one.trace !== undefined);
    const [first] = violated;
    lines.push(
      `${name}: ${first?.verdict === 'violated' ? first.trace?.steps.length : 'no trace'}, ${violated.map((one) => one.name).join(', ')}`,
    );
  }
  expect(`\n${lines.join('\n')}\n`).toMatchInlineSnapshot(`
    "
    M8: a majority founds: 5, every founder has accepted what is founded
    M8: it is proposed before all founders are known: 1, a founding names every founder
    M8: a founding of a lower generation is accepted: 8, no id that knows of a founding is part of a later one
    M8: a founding that names another id is accepted: 8, a site takes part in a founding that names its id
    M8: a founder that knows of a founding accepts another: 11, no id that knows of a founding is part of a later one
    M8: late news of a founding undo a later acceptance: 13, every founder has accepted what is founded, no id that knows of a founding is part of a later one
    M8: an acceptance of an earlier proposal counts: 6, every founder has accepted what is founded
    M8: a restart forgets what was accepted: 4, every founder has accepted what is founded
    M8: a restart forgets that the cluster is founded: 13, no id that knows of a founding is part of a later one
    "
  `);
});
