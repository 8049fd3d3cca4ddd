import { expect, test } from 'vitest';
import { setup } from 'xstate';
import { check } from '../check/check.ts';
import { timelineOf } from '../timeline/trace.ts';
import { compile } from './compile.ts';
import { always, plain, reachable, relation } from './properties.ts';
import { replayTrace } from './replay.ts';
import type { History, System } from './system.ts';
import { systemOf } from './testing/systems.ts';
import { traceText } from './text.ts';

const shouter = setup({ actions: { shout: () => {}, murmur: () => {} } }).createMachine({
  id: 'shouter',
  on: { go: { actions: ['murmur', 'shout'] } },
});
const actor = { machine: shouter, environment: [{ event: { type: 'go' }, times: 1 }] };

/** The actors that shouted, in order. */
const shouts: History = {
  initial: [],
  effects: ['shout'],
  after: (before, id, effects) => [...(before as string[]), ...effects.map(({ type }) => `${id} ${type}`)],
};
const was = (...order: readonly string[]) => plain(({ history }) => String(history) === String(order));

function twoShout(rest: Partial<System>): System {
  return systemOf({ a: actor, b: actor }, rest);
}

test('a history distinguishes states by their past, and is told the declared effects only', async () => {
  expect(await check(twoShout({}))).toMatchObject({ states: 4, complete: true });
  const properties = [
    reachable('a before b', was('a shout', 'b shout')),
    reachable('b before a', was('b shout', 'a shout')),
    always(
      'as a relation',
      relation(
        ({ id }) => Number(id === 'b'),
        ([a, b], history) => a === 0 && b === 1 && (history as string[]).length <= 2,
      ),
    ),
    always(
      'nobody twice',
      plain(({ history }) => (history as string[]).length <= 2),
    ),
  ];
  const report = await check(twoShout({ history: shouts, properties }));
  expect(report).toMatchObject({ states: 5, complete: true });
  expect(report.properties.map(({ verdict }) => verdict)).toEqual(Array(5).fill('holds'));
});

test('a predicate of the history is refuted at the step that changes it', async () => {
  const properties = [always('silence', was())];
  const { properties: results } = await check(twoShout({ history: shouts, properties }));
  expect(results[1]).toMatchObject({ verdict: 'violated', trace: { steps: { length: 1 } } });
});

test('a history together with symmetry is refused', async () => {
  await expect(check(twoShout({ history: shouts, symmetry: ['a', 'b'] }))).rejects.toMatchObject({
    code: 'SYSTEM_INVALID',
  });
});

const greeter = setup({
  types: {} as { events: { type: 'hello'; n: number } },
  actions: {
    greet: () => {},
    send: (_, _params: { target: string; message: { type: 'hello'; n: number } }) => {},
  },
}).createMachine({
  id: 'greeter',
  entry: 'greet',
  on: {
    hello: {
      guard: ({ event }) => event.n > 0,
      actions: {
        type: 'send',
        params: ({ event }) => ({ target: 'b', message: { type: 'hello', n: event.n - 1 } }),
      },
    },
  },
});

test('a history is told the first start like every later one', async () => {
  const history: History = { initial: 0, effects: ['greet'], after: (count) => (count as number) + 1 };
  const properties = [
    reachable(
      'two greetings',
      plain((state) => state.history === 2),
    ),
    always(
      'one to begin with',
      plain((state) => (state.history as number) >= 1),
    ),
  ];
  const a = { machine: greeter, crash: { times: 1 }, restart: { input: () => null } };
  const report = await check(systemOf({ a }, { history, properties }));
  expect(report).toMatchObject({ states: 3 });
  expect(report.properties.map(({ verdict }) => verdict)).toEqual(['holds', 'holds', 'holds']);
});

test('a history is told deliveries, and every trace and its JSON show its value', async () => {
  const history: History = {
    initial: [],
    deliveries: ['hello'],
    after: (heard, actor, effects, delivered) => [
      ...(heard as unknown[]),
      `${actor} ${effects.length} ${delivered?.source} ${(delivered?.message as { n?: number } | undefined)?.n}`,
    ],
  };
  const properties = [
    always(
      'b hears nothing',
      plain((state) => (state.history as unknown[]).length < 2),
    ),
  ];
  const environment = [{ event: { type: 'hello', n: 2 }, times: 1 }];
  const system = systemOf(
    { a: { machine: greeter, environment }, b: { machine: greeter } },
    { history, properties },
  );
  const { trace } = (await check(system)).properties[1]!;
  expect(trace).toMatchObject({
    history: [],
    steps: [{ history: [] }, { history: ['b 0 a 1'] }, { history: ['b 0 a 1', 'b 0 b 0'] }],
  });
  expect(traceText(trace!)).toContain('\n   * history: ["b 0 a 1","b 0 b 0"]');
  expect(replayTrace(compile(system), JSON.parse(JSON.stringify(trace)))).toHaveLength(3);
  const { steps } = timelineOf(system, trace!, { title: '', about: '' });
  expect(steps.at(-1)!.verdicts).toMatchObject({ 1: { verdict: 'violated' } });
});
