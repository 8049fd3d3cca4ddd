import { beforeAll, describe, expect, test } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { siteMachine } from '../../../machines/naimi-trehel/site.ts';
import { check, type Report } from '../../check/check.ts';
import type { System } from '../../system/system.ts';
import { remove } from './edit.ts';
import { combinedMutants, fourSiteMutants, leavingMutants, mutants, slowMutants } from './mutants.ts';
import { naimiTrehel, naimiTrehelCombined, naimiTrehelLeaving } from './system.ts';

const network = { order: 'fifo' } as const;
const plain = (machine: AnyStateMachine, sites = 3) => naimiTrehel({ sites, network, machine });
const combined = (machine: AnyStateMachine) => naimiTrehelCombined({ sites: 3, network, machine });
const leaving = (machine: AnyStateMachine) => naimiTrehelLeaving({ sites: 3, network, machine });

/** Some mutants never come to an end: all of them are refuted long before. */
const refute = (system: System) => check(system, { maxStates: 30_000 });

const reports = {
  plain: new Map<string, Report>(),
  combined: new Map<string, Report>(),
  leaving: new Map<string, Report>(),
};

beforeAll(async () => {
  for (const [name, machine] of Object.entries(mutants))
    reports.plain.set(name, await refute(plain(machine)));
  for (const [name, machine] of Object.entries(combinedMutants)) {
    reports.combined.set(name, await refute(combined(machine)));
  }
  for (const [name, machine] of Object.entries(leavingMutants)) {
    reports.leaving.set(name, await refute(leaving(machine)));
  }
});

test('each mistake in the algorithm is refuted: after how many steps, and what breaks first', () => {
  expect(table(reports.plain)).toMatchInlineSnapshot(`
    "
    an idle root copies the token: 2, L3, exactly one token
    the neighbour is answered, not the origin: 4, L1, T
    variables are reset at every request: 5, L1, L3
    variables are reset when the client asks: 1, L2, exactly one token
    a failed look-up leaves the token given up: 2, L1, exactly one token
    a failed look-up leaves last turned: 4, L1, T
    last is turned before the request is passed on: 4, L2, T
    last is not turned at the root: 3, L3, T, Q, next is never overwritten
    last stays after asking: 1, L3
    a root stays root after handing over: 2, routing
    next is overwritten: 5, L1, T
    a busy root forgets the request: 3, L1, L3
    requests are not understood on the way: 3, nothing unexpected
    a root hands over from its critical section: 3, L2, L3
    an idle root hands over to nobody: 2, L3
    a client enters without the token: 1, L2, T
    the token that arrives is not kept: 3, L2, exactly one token
    the token is kept on release: 4, L3
    the token is sent twice on release: 4, L1, exactly one token
    next stays after the token is passed: 4, L1, L3
    "
  `);
});

test('each mistake in what clients say besides is refuted', () => {
  expect(table(reports.combined)).toMatchInlineSnapshot(`
    "
    a try enters without the token: 0, a site without the token grants nothing to its client
    a client goes on though its token is passed: 4, L2, L3, a site without the token grants nothing to its client
    no client goes on: never, a client goes on while another site waits
    no try succeeds: never, a try succeeds
    "
  `);
});

test('each mistake in withdrawing and leaving is refuted', () => {
  expect(table(reports.leaving)).toMatchInlineSnapshot(`
    "
    a request is withdrawn and forgotten: 2, L1, L3
    a withdrawn site keeps the token: 9, L3
    a site leaves with the token: 2, T, exactly one token, until all have left, no site points at one that has left
    a site leaves at the first goodbye: 5, T, no site points at one that has left, a leaver awaits the goodbyes that will come
    a leaver keeps its next: 8, L1, left
    a goodbye is said while last names the leaver: 3, L3, T
    a leaver is not counted out: 12, a leaver awaits the goodbyes that will come
    a leaver waits for one goodbye too many: 4, nothing unexpected
    "
  `);
});

test('each mistake in leaving that takes four sites is refuted', async () => {
  const refuted = new Map<string, Report>();
  for (const [name, machine] of Object.entries(fourSiteMutants)) {
    refuted.set(name, await check(naimiTrehelLeaving({ sites: 4, network, machine }), { stopAtFirst: true }));
  }
  expect(table(refuted)).toMatchInlineSnapshot(`
    "
    a leaver forwards to last: 21, T, nothing travels to a site that has left
    "
  `);
});

describe('each property is refuted by a mutant', () => {
  test('naimi-trehel', () => {
    expect(unrefuted([...reports.plain.values()])).toEqual([]);
  });

  test('naimi-trehel with four sites', async () => {
    const names = ['requests are not understood on the way', 'a busy root forgets the request'] as const;
    const four = await Promise.all(names.map((name) => refute(plain(mutants[name], 4))));
    expect(violated(four[0]!)).toContain('a request is forwarded twice');
    expect(violated(four[1]!)).toContain('two sites wait in line');
  });

  test('naimi-trehel-combined', () => {
    const refuted = new Set([...reports.plain.values(), ...reports.combined.values()].flatMap(violated));
    const { properties } = combined(siteMachine);
    expect(properties.map(({ name }) => name).filter((name) => !refuted.has(name))).toEqual([]);
  });

  test('naimi-trehel-leaving', async () => {
    const names = [
      'an idle root copies the token',
      'a busy root forgets the request',
      'a root stays root after handing over',
    ] as const;
    const more = await Promise.all(names.map((name) => refute(leaving(mutants[name]))));
    expect(unrefuted([...reports.leaving.values(), ...more])).toEqual([]);
  });
});

test('without path reversal every rule holds: it is there to keep paths short', async () => {
  const [machine] = Object.values(slowMutants);
  const report = await check(plain(machine!, 4));
  expect(report).toMatchObject({ complete: true, states: 6_064 });
  expect(violated(report)).toEqual([]);
});

test('an edit that hits nothing is refused', () => {
  expect(() => remove('client.idle.on.release')).toThrow(/^SYSTEM_INVALID: the machine has no client/);
});

function violated({ properties }: Report): readonly string[] {
  return properties.filter(({ verdict }) => verdict === 'violated').map(({ name }) => name);
}

function unrefuted(all: readonly Report[]): readonly string[] {
  const refuted = new Set(all.flatMap(violated));
  return all[0]!.properties.map(({ name }) => name).filter((name) => !refuted.has(name));
}

/** A line for each mutant: the length of the shortest trace, and the property that it violates. */
function table(all: ReadonlyMap<string, Report>): string {
  const lines = [...all].map(([name, { properties }]) => {
    const broken = properties.filter(({ verdict }) => verdict === 'violated');
    const steps = Math.min(...broken.map(({ trace }) => trace?.steps.length ?? Number.POSITIVE_INFINITY));
    const first = broken.filter(({ trace }) => (trace?.steps.length ?? Number.POSITIVE_INFINITY) === steps);
    return `${name}: ${steps === Number.POSITIVE_INFINITY ? 'never' : steps}, ${first.map((property) => property.name).join(', ')}`;
  });
  return `\n${lines.join('\n')}\n`;
}
