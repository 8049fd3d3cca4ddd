import { describe, expect, test } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { siteMachine } from '../../../machines/line/site.ts';
import { check, type Report } from '../../check/check.ts';
import type { System } from '../../system/system.ts';
import {
  combinedMutants,
  forwardingMutant,
  leavingMutants,
  mutants,
  overtakingMutants,
  starvingMutants,
  withdrawMutants,
} from './mutants.ts';
import { line, lineCombined, lineLeaving, lineOvertaking } from './system.ts';

const fifo = { sites: 3, network: { order: 'fifo' } } as const;
const unordered = { sites: 3, network: { order: 'unordered' } } as const;

type Mutants = Readonly<Record<string, AnyStateMachine>>;

function violated({ properties }: Report): readonly string[] {
  return properties.filter(({ verdict }) => verdict === 'violated').map(({ name }) => name);
}

async function refute(
  machines: Mutants,
  systemOf: (machine: AnyStateMachine) => System,
): Promise<ReadonlyMap<string, Report>> {
  const reports = new Map<string, Report>();
  for (const [name, machine] of Object.entries(machines)) {
    // Some mutants have no end; each is refuted long before.
    reports.set(name, await check(systemOf(machine), { maxStates: 20_000 }));
  }
  return reports;
}

/** A line for each mutant: the length of the shortest trace, and the properties that it breaks. */
function table(reports: ReadonlyMap<string, Report>): string {
  const lines = [...reports].map(([name, report]) => {
    const traces = report.properties.flatMap(({ verdict, trace }) =>
      verdict === 'violated' && trace ? [trace.steps.length] : [],
    );
    return `${name}: ${traces.length === 0 ? 'never' : Math.min(...traces)}, ${violated(report).join(', ')}`;
  });
  return `\n${lines.join('\n')}\n`;
}

test('each mistake in the rule is refuted', async () => {
  const reports = await refute(mutants, (machine) => line({ ...fifo, machine }));
  expect(table(reports)).toMatchInlineSnapshot(`
    "
    an idle root copies the token: 2, mutual exclusion, L3, T, exactly one token
    a client enters without the token: 1, mutual exclusion, L2, L3, T, a waiting site keeps a request, the token carries a line, two sites stand in one line
    the token that arrives is not kept: 3, no machine fails, L1, L2, L3, T, exactly one token, no deadlock
    a busy site forgets a request: 3, L1, T, a waiting site keeps a request, the token carries a line, two sites stand in one line
    an idle root hands over to no site: 2, L3
    a site hands over from its critical section: 3, mutual exclusion, L2, L3
    a request is forwarded to no site: 4, L1, T
    the pointer is turned before the request is forwarded: 4, L2, T
    the pointer stays after asking: 1, no machine fails, L1, L2, L3, routing, T, exactly one token, no deadlock
    requests are not understood on the way: 3, L1, T, nothing unexpected
    the token is kept on release: 4, L3
    the token goes without its line: 5, L1, T
    an entry stands twice: 6, L1, L2, L3, T, exactly one token, no deadlock, nothing unexpected
    a site that asks again leaves no entry: 4, L1, T
    a site that asks again keeps its pointer: 4, L2, L3, T
    "
  `);
  const refuted = new Set([...reports.values()].flatMap(violated));
  const names = line(fifo).properties.map(({ name }) => name);
  expect(names.filter((name) => !refuted.has(name))).toEqual([]);
});

test('each mistake in withdrawing is refuted', async () => {
  expect(
    table(await refute(withdrawMutants, (machine) => line({ ...fifo, machine, withdraw: true }))),
  ).toMatchInlineSnapshot(`
    "
    a withdrawn site drops the line: 8, L1, T
    a withdrawn site keeps the token: 6, L3
    "
  `);
});

test('each mistake in leaving is refuted', async () => {
  expect(
    table(await refute(leavingMutants, (machine) => lineLeaving({ ...fifo, machine }))),
  ).toMatchInlineSnapshot(`
    "
    a site leaves with the token: 2, exactly one token, until all have left, left, nothing travels to a site that has left, no site points at one that has left, all have left
    a site leaves at the first goodbye: 5, no machine fails, L1, T, no deadlock, until all have left, nothing travels to a site that has left, no site points at one that has left, a leaver awaits the goodbyes that will come, nothing unexpected
    a leaver keeps the line: 8, L1, T, left
    a goodbye is said while last names the leaver: 3, no machine fails, L1, L3, T, no deadlock, until all have left, a leaver awaits the goodbyes that will come
    a leaver is not counted out: 11, a leaver awaits the goodbyes that will come, all have left
    a leaver waits for one goodbye too many: 4, a leaver awaits the goodbyes that will come, all have left, nothing unexpected
    "
  `);
});

test('each mistake in the other events of clients is refuted', async () => {
  expect(
    table(await refute(combinedMutants, (machine) => lineCombined({ ...fifo, machine }))),
  ).toMatchInlineSnapshot(`
    "
    a try enters without the token: 0, mutual exclusion, L2, L3, a site without the token grants nothing to its client
    a client goes on though its token is passed: 4, mutual exclusion, L2, L3, a site without the token grants nothing to its client
    no client goes on: never, a client goes on while another site waits
    no try succeeds: never, a try succeeds
    "
  `);
});

test('a line of the token that goes before the own line breaks the bound of overtaking, and nothing else', async () => {
  expect(
    table(await refute(overtakingMutants, (machine) => lineOvertaking({ ...fifo, machine }))),
  ).toMatchInlineSnapshot(`
    "
    entries of the token go before the own line: 11, bounded overtaking
    "
  `);
  const [machine] = Object.values(overtakingMutants);
  const report = await check(line({ ...fifo, machine: machine!, liveness: true }), { liveness: true });
  expect(violated(report)).toEqual([]);
});

describe('a site waits for ever', () => {
  const starved = async (machine: AnyStateMachine) => {
    const report = await check(line({ ...unordered, machine, liveness: true }), { liveness: true });
    return violated(report).filter((name) => name.endsWith('is served'));
  };

  test.each(Object.entries(starvingMutants))('%s', async (_, machine) => {
    expect(await starved(machine)).toEqual(['a is served', 'b is served', 'c is served']);
  });

  test('where waiting sites forward', async () => {
    expect(await starved(forwardingMutant)).toEqual(['a is served', 'b is served', 'c is served']);
  });

  test('not by the rule itself', async () => {
    expect(await starved(siteMachine)).toEqual([]);
  });
});
