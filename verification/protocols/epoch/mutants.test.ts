import { beforeAll, expect, test } from 'vitest';
import { siteMachine } from '../../../machines/epoch/site.ts';
import { check, type Report } from '../../check/check.ts';
import { mutants, type Place, systemWith } from './mutants.ts';

const reports = new Map<string, Report>();

beforeAll(async () => {
  for (const [name, [place, machine]] of Object.entries(mutants)) {
    reports.set(name, await check(systemWith(machine, place), { maxStates: 1_500_000, stopAtFirst: true }));
  }
}, 300_000);

test('each broken rule is refuted: after how many steps, and what breaks first', () => {
  expect(table()).toMatchInlineSnapshot(`
    "
    R0: a message below the promise is heard: 5, nothing unexpected
    R1: a newer epoch is not adopted: 5, nothing unexpected
    R2: every site that adopts makes the token: 3, L3
    R2: the line is kept: 7, L1, L3
    R2: the token of before is kept: 5, S1, L3
    R2: a waiting root does not enter: 4, L2
    R2: nobody is told that the section is lost: 6, L2, L3
    R2: the fence rises inside a critical section: 4, S5
    R3: a frozen holder hands the token on: 12, S4
    R4: a candidate does not promise what it stands for: 6, S1, S2, an epoch has one root
    R5: a vote is given twice: 6, S1, S2, an epoch has one root
    R5: a voter does not freeze: 2, promise
    R6: a vote alone elects: 2, S1, S2, an epoch has one root
    R6: the winner takes the token from any holder: 5, S4
    R6: the token of the lowest epoch counts: 9, S4
    R7: a restart goes on where it crashed: 2, L3
    R7: a vote is not written down: 8, S2, an epoch has one root
    R7: an adoption is not written down: 9, nothing unexpected
    R8: a restart without disk votes: 8, S1, S2, an epoch has one root, nothing unexpected
    R2: a site that adopts forgets where requests go: 2, nothing unexpected
    a root does not forget where requests went: 1, L3
    fence: it outlives its section: 2, fence
    fence: entries are not counted: 3, S3, S5
    again: it does not raise k: 2, S3, S5
    again: a frozen site goes on: 2, only a site that follows with the token, and a lease if it needs one, grants at once
    again: the token is passed: 4, L2, L3, only a site that follows with the token, and a lease if it needs one, grants at once
    try: a frozen site enters: 1, only a site that follows with the token, and a lease if it needs one, grants at once
    try: it enters without the token: 0, only a site that follows with the token, and a lease if it needs one, grants at once
    fence: the token forgets its count: 5, S3, S5
    R12: a site that hands the token on still takes itself for the root: 2, routing
    R12: an entry stands twice: 6, L1, L3
    R12: a site that asks again keeps its pointer: 4, L3
    R12: a site that asks again also sends a request: 4, L1
    R12: entries of the token go before the own line: 11, bounded overtaking
    "
  `);
});

test('each promise and each rule of a site is refuted by a mutant', () => {
  const refuted = new Set([...reports.values()].flatMap(violated));
  const of = (place: Place) =>
    systemWith(siteMachine, place).properties.filter(({ kind }) => kind === 'always');
  const names = [...of('one change'), ...of('counted'), ...of('combined')].map(({ name }) => name);
  expect(names.filter((name) => !refuted.has(name))).toEqual([]);
});

/** A line for each mutant: the length of the shortest trace, and the property that it violates. */
function table(): string {
  const lines = [...reports].map(([name, report]) => {
    const { trace } = report.properties.find(({ name: first }) => first === violated(report)[0])!;
    return `${name}: ${trace?.steps.length}, ${violated(report).join(', ')}`;
  });
  return `\n${lines.join('\n')}\n`;
}

function violated({ properties }: Report): readonly string[] {
  return properties
    .filter(({ verdict, trace }) => verdict === 'violated' && trace !== undefined)
    .map(({ name }) => name);
}
