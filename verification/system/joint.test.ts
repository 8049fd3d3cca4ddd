import { describe, expect, test } from 'vitest';
import { assign, createMachine } from 'xstate';
import { check } from '../check/check.ts';
import { brokenOn } from '../check/regression.ts';
import { simulate } from '../check/simulate.ts';
import { tabulate } from '../export/table.ts';
import { compile, replayTrace, traceText } from './index.ts';
import type { ActorSpec, System } from './system.ts';
import { role, system } from './typed.ts';

/* Several initial states, atomic steps of several actors, and messages that wait until they are taken. */

const counter = createMachine({
  types: {} as { context: { n: number }; events: { type: 'up'; by?: number }; input: { n: number } },
  id: 'counter',
  context: ({ input }) => ({ n: input.n }),
  on: {
    up: {
      guard: ({ context }) => context.n < 3,
      actions: assign({ n: ({ context, event }) => context.n + (event.by ?? 1) }),
    },
  },
});

const up = { event: { type: 'up' }, together: () => ({ b: { type: 'up', by: 2 } }) } as const;
const both = system('both', {
  a: role(counter, { input: { n: 0 }, environment: [up] }),
  b: role(counter, { input: { n: 0 } }),
}).always('b has twice as much', ({ a, b }) => b.context.n === 2 * a.context.n);

describe('an atomic step of several actors', () => {
  test('is one step, and is impossible if one of them does not take its event', async () => {
    const report = await check(both);
    // 0 and 0, 1 and 2, 2 and 4: then b takes no more.
    expect(report).toMatchObject({ states: 3, transitions: 2, depth: 2 });
    expect(report.properties[1]).toMatchObject({ verdict: 'holds' });
  });

  test('is shown in traces, which can be replayed', async () => {
    const { properties } = await check(both.sometimes('four', ({ b }) => b.context.n === 4));
    const { trace } = properties[2]!;
    expect(traceText(trace!)).toContain('1. a: up, together with b: up(by=2)');
    expect(replayTrace(compile(both), JSON.parse(JSON.stringify(trace)))).toHaveLength(2);
  });

  const speaker = createMachine({
    id: 'speaker',
    on: { up: { actions: { type: 'send', params: { target: 'a', message: { type: 'up' } } } } },
  });
  const { a, b } = both.actors as Record<'a' | 'b', ActorSpec>;
  const stranger = { ...up, together: () => ({ bb: up.event }) };
  test.each<[string, System, RegExp]>([
    [
      'another actor that is none',
      withActors({ a: { ...a, environment: [stranger] }, b }),
      /'bb'; did you mean b\?/,
    ],
    ['another one that sends', withActors({ a, b: { machine: speaker } }), /asks for 'send'/],
    [
      'one that has outcomes',
      withActors({ a, b: { ...b, machine: createMachine(counter.config as object), outcomes: {} } }),
      /takes part in no atomic step/,
    ],
    ['symmetry', { ...both, symmetry: ['a', 'b'] }, /`together` names actors as they are/],
  ])('with %s is refused', async (_, asked, message) => {
    await expect(check(asked)).rejects.toThrow(message);
  });

  test('is a row of the export, with the local states in which the other actor takes its event', async () => {
    const { actors } = await tabulate(both);
    const [a, b] = actors;
    const withB = [{ actor: 1, join: 0 }];
    expect(a!.rows.map(({ from, to, joined }) => [from, to, joined])).toEqual([
      [0, 1, withB],
      [1, 2, withB],
      [2, 3, withB],
    ]);
    // From 0 to 2 and from 2 to 4; at 4 it takes no more.
    expect(b!.joins.map(({ says, to }) => [says, to])).toEqual([['up(by=2)', [1, 2, -1]]]);
  });
});

describe('several initial states', () => {
  const several = both.startingWith({ b: { n: 0 } }, { a: { n: 3 }, b: { n: 1 } }, { b: { n: 0 } });

  test('are all explored, and a trace begins in its own initial state', async () => {
    const report = await check(several);
    expect(report).toMatchObject({ states: 4, transitions: 2 });
    const { trace, verdict } = report.properties[1]!;
    expect(verdict).toBe('violated');
    expect(trace!.initial['a']!.context).toEqual({ n: 3 });
    expect(replayTrace(compile(several), trace!)).toEqual([]);
    expect(brokenOn(several, 'b has twice as much', [])).toMatch(/does not hold after 0/);
  });

  test('each begin some random runs', async () => {
    const { properties } = await simulate(several, { seeds: 20, depth: 3 });
    expect(properties[1]).toMatchObject({ verdict: 'violated', trace: { steps: [] } });
  });

  test('violate a property of runs if one of them does, and the trace begins there', async () => {
    const { properties } = await check(several.eventually('a is three', ({ a }) => a.context.n === 3, {}));
    expect(properties[2]).toMatchObject({
      verdict: 'violated',
      trace: { initial: { a: { context: { n: 0 } } } },
    });
  });

  test.each<[object[], RegExp]>([
    [[{ c: { n: 1 } }], /starts\[0\]\.c: there is no such actor/],
    [[], /must not be empty/],
  ])('%j is refused', async (starts, message) => {
    await expect(check({ ...both, starts: starts as never })).rejects.toThrow(message);
  });
});

test('a message that is not taken waits until it is', async () => {
  const door = createMachine({
    id: 'door',
    initial: 'shut',
    states: { shut: { on: { open: 'opened' } }, opened: { on: { ENTER: 'entered' } }, entered: {} },
  });
  const guest = createMachine({
    id: 'guest',
    entry: { type: 'send', params: { target: 'door', message: { type: 'ENTER' } } },
  });
  const asked = (accepts: object) =>
    system('door', {
      guest: role(guest),
      door: role(door, { environment: ['open'], ...accepts }),
    }).endsOnlyIn('the guest comes in', ({ door }) => door.matches('entered'));
  const verdict = async (accepts: object) => (await check(asked(accepts))).properties[1]!.verdict;
  expect(await verdict({ accepts: 'taken' })).toBe('holds');
  expect(await verdict({})).toBe('violated');
});

function withActors(actors: Readonly<Record<string, ActorSpec>>): System {
  return { ...both, actors };
}
