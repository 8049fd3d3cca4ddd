import { describe, expect, test } from 'vitest';
import { check } from '../../check/check.ts';
import { possible } from '../../check/possible.ts';
import { type FittingOptions, fitting, fittingOf, fittingPossibilities } from './fitting.ts';
import { fittingMutants, slowMutant } from './fitting-mutants.ts';

describe('processes that find each other', () => {
  test.each<readonly [string, FittingOptions, number]>([
    ['three, two of them members', { processes: ['a', 'b', 'c'], size: 2 }, 26_506],
    ['both of two end', { processes: ['a', 'b'], size: 2, leavers: ['a', 'b'] }, 13_239],
    [
      'a founder ends without a successor',
      { processes: ['a', 'b'], size: 2, founder: 'a', leavers: ['a'], late: true },
      3_004,
    ],
    [
      'a founder ends, and its successor too',
      { processes: ['a', 'b'], size: 1, founder: 'a', leavers: ['a', 'b'] },
      3_163,
    ],
    ['one of two is killed', { processes: ['a', 'b'], size: 2, dying: ['a'] }, 2_131],
  ])('%s', async (_, options, states) => {
    const report = await check(fitting(options));
    expect(report.properties.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
    expect(report).toMatchObject({ complete: true, states });
  });

  test('a process that runs can become a member, from every state', async () => {
    const { from, to } = fittingPossibilities['a process that runs can become a member'];
    const { stuck, states } = await possible(fittingOf({ sites: 2, network: { order: 'fifo' } }), from, to);
    expect([stuck, states]).toEqual([null, 1_341]);
  });
});

test('each broken rule is refuted: after how many steps, and what breaks first', async () => {
  const lines: string[] = [];
  for (const [mutant, options] of Object.entries(fittingMutants)) {
    if (mutant === slowMutant) continue;
    const { properties } = await check(fitting(options), { stopAtFirst: true });
    const violated = properties.filter((one) => one.verdict === 'violated' && one.trace !== undefined);
    const [first] = violated;
    const steps = first?.verdict === 'violated' ? first.trace?.steps.length : 'no trace';
    lines.push(`${mutant}: ${steps}, ${violated.map((one) => one.name).join(', ')}`);
  }
  expect(`\n${lines.join('\n')}\n`).toMatchInlineSnapshot(`
    "
    M10: a process founds though it is not the first: 14, no cluster is founded where a process is a member
    M10: an address without an answer counts as one without a process: 14, no cluster is founded where a process is a member
    M10: one round is enough: 32, no cluster is founded where a process is a member
    M10: a process that starts between the calls is not heeded: 27, no cluster is founded where a process is a member
    M10: a process that knows of a member says that it is free: 14, no cluster is founded where a process is a member
    M10: a process that waits for the end of a member says that it is free: 17, no cluster is founded where a process is a member
    M10: a process that has met a member does not wait for its end: 8, no cluster is founded where a process is a member
    M10: a process that is shown no more counts as one that has ended: 5, no cluster is founded where a process is a member
    M11: a process that is invited does not ask: 16, at rest there are as many members as there should be, or as there are processes
    M11: a member invites nobody: 14, at rest there are as many members as there should be, or as there are processes
    M12: a member that leaves makes no room for another: 18, at rest there are as many members as there should be, or as there are processes
    M12: a member leaves though a guest could take its place: 13, the last member does not end before a guest that could take its place
    M12: a member leaves a guest that discovery does not show: 18, the last member does not end before a guest that could take its place
    M12: a member that joined while it was to end counts as the successor of all, and of itself: 13, of members that all end one has waited for a guest
    M12: a process that has asked to become a member ends at once: 27, at rest there are as many members as there should be, or as there are processes
    "
  `);
});
