import { expect, test } from 'vitest';
import { type AnyStateMachine, assign, createMachine, sendTo } from 'xstate';
import * as repaired from '../../examples/auction/repaired.ts';
import { apps } from '../system/tree/testing/trees.ts';
import { check } from './check.ts';
import { type MachineModule, systemOf } from './machine.ts';
import { pathsOf, testsOf } from './paths.ts';
import { takePath } from './take-path.ts';

// biome-ignore lint/suspicious/noExplicitAny: a context of any type
type Any = any;

const till = createMachine({ id: 'till' });

/** Its child is in its context, chance decides, and an effect reaches for what only a browser has. */
const shop = createMachine({
  id: 'shop',
  types: {} as { context: { till: unknown; number: number } },
  context: ({ spawn }) => ({ till: spawn(till, { id: 'till' }), number: -1 }),
  initial: 'closed',
  states: {
    closed: { on: { open: { target: 'open', actions: assign({ number: () => Math.random() }) } } },
    open: {
      // @ts-expect-error: there is no document in Node.js.
      entry: () => document.focus(),
      always: { guard: ({ context }) => context.number > 0.5, target: 'crowded' },
    },
    crowded: { on: { close: 'closed' } },
  },
});
const inBrowser = { events: [{ type: 'open' }, { type: 'close' }], chance: { 'Math.random': [0.1, 0.9] } };

const diary = createMachine({
  id: 'diary',
  types: {} as {
    context: { at: number };
    events: { type: 'write'; at: Date; tags: Set<string> } | { type: 'lose' };
  },
  context: { at: 0 },
  initial: 'empty',
  states: {
    empty: {
      on: {
        write: { target: 'written', actions: assign({ at: ({ event }) => event.at.getTime() }) },
        lose: 'closed',
      },
    },
    written: { on: { write: { guard: ({ event }) => event.tags.has('last'), target: 'closed' } } },
    closed: { type: 'final' },
  },
});
const written = { events: [{ type: 'write', at: new Date(5), tags: new Set(['last']) }, { type: 'lose' }] };

const modules: readonly (readonly [string, AnyStateMachine, MachineModule])[] = [
  ['the auction', repaired.default as AnyStateMachine, repaired as MachineModule],
  ['a form that loads', apps['fetching']!.machine, apps['fetching']!],
  ['a socket', apps['socket']!.machine, apps['socket']!],
  ['a shop', shop as unknown as AnyStateMachine, inBrowser],
  ['a diary', diary as unknown as AnyStateMachine, written],
];

test.each(modules)('%s: its actor takes a shortest path to each transition', async (_, machine, module) => {
  const { initial, paths, never } = pathsOf(machine, module);
  expect(never).toEqual([]);
  expect(paths.length).toBeGreaterThan(1);
  for (const { steps } of paths) await takePath({ ...module, default: machine }, initial, steps);
});

test('an actor takes a path to each pair of transitions, of which there are more than transitions', async () => {
  const { initial, paths } = pathsOf(repaired.default as AnyStateMachine, repaired as MachineModule, {
    pairs: true,
  });
  for (const { steps } of paths) await takePath(repaired, initial, steps);
  expect(paths.map(({ name }) => name).join()).toContain(
    'auction.charging, then auction.charging: xstate.done.actor.0.auction.charging -> auction.sold',
  );
});

const counter = (by: number) =>
  createMachine({
    id: 'counter',
    context: { n: 0 },
    on: {
      more: { actions: assign({ n: ({ context }) => (context.n + by) % 3 }) },
      less: { guard: () => false },
    },
  }) as unknown as AnyStateMachine;

test('a test file names the transitions that no run takes, and has a test for each path', async () => {
  const paths = pathsOf(counter(1));
  expect(paths.never).toEqual(['counter: less']);
  const text = testsOf(paths, './counter.ts', 'batonlock/verification');
  expect(text).toContain('// No run takes this transition, or the machine fails on it: counter: less');
  const taken: unknown[] = [];
  const run = new Function('test', 'takePath', 'machine', text.replaceAll(/^import .*$/gm, ''));
  run(
    (_: string, body: () => void) => body(),
    (...given: unknown[]) => taken.push(given),
    'module',
  );
  expect(taken).toEqual(paths.paths.map(({ steps }) => ['module', paths.initial, steps]));
});

test('an actor that differs from the model is refused at the step', async () => {
  const { initial, paths } = pathsOf(counter(1));
  await expect(takePath({ default: counter(2) }, initial, paths[0]!.steps)).rejects.toMatchObject({
    code: 'PATH_DIFFERS',
    message: expect.stringContaining('after step 1, {"event":{"type":"more"}} it is'),
  });
});

test('an adapter supplies the actor under test', async () => {
  const { initial, paths } = pathsOf(counter(1));
  let n = 0;
  const adapter = () => ({
    happen: async () => Boolean(++n),
    state: () => ({ value: {}, context: { n } }),
    stop: () => {},
  });
  await takePath({ default: counter(1) }, initial, paths[0]!.steps, adapter);
  expect(n).toBe(1);
});

test('a machine with an unbounded state space is refused', () => {
  expect(() => pathsOf(counter(0.1), {}, { maxStates: 5 })).toThrow(
    expect.objectContaining({ code: 'PATHS_UNBOUNDED' }),
  );
});

const worker = (on: object) =>
  createMachine({ id: 'worker', initial: 'free', states: { free: { on }, gone: {} } });
const office = (on: object) =>
  createMachine({
    id: 'office',
    initial: 'open',
    invoke: { id: 'w', src: worker(on) },
    states: { open: { on: { close: { actions: sendTo('w', { type: 'stop' }) } } } },
  }) as unknown as AnyStateMachine;

test('the machines below are compared, too', async () => {
  const { initial, paths } = pathsOf(office({ stop: 'gone' }));
  expect(initial!.children).toEqual({ w: { value: 'free', context: {} } });
  const { steps } = paths.find(({ name }) => name.includes('worker'))!;
  await takePath({ default: office({ stop: 'gone' }) }, initial, steps);
  await expect(takePath({ default: office({ stop: {} }) }, initial, steps)).rejects.toThrow(
    /"w":{"value":"free"/,
  );
});

test('paths end where `within` is false', () => {
  const never = createMachine({
    id: 'never',
    types: {} as { context: { count: number } },
    context: { count: 0 },
    on: {
      more: { actions: assign({ count: ({ context }) => context.count + 1 }) },
      end: { guard: ({ context }) => context.count < 0, actions: () => {} },
    },
  }) as unknown as AnyStateMachine;
  expect(() => pathsOf(never, {}, { maxStates: 50 })).toThrow(/PATHS_UNBOUNDED|more than 50 states/);
  const within: NonNullable<MachineModule['within']> = ({ context }) => (context['count'] as number) < 5;
  expect(pathsOf(never, { within }, { maxStates: 50 }).never).toEqual(['never: end']);
});

test.each([
  ['a set', { held: new Set(['a']) }, (held: Any) => held.add('b'), 'Cannot change a Set in place: add'],
  [
    'a map',
    { held: new Map([['a', 1]]) },
    (held: Any) => held.set('b', 1),
    'Cannot change a Map in place: set',
  ],
  ['a date', { held: new Date(5) }, (held: Any) => held.setDate(2), 'Cannot change a Date in place: setDate'],
  ['an array', { held: ['a'] }, (held: Any) => held.push('b'), 'object is not extensible'],
])('%s of the context that is changed in place fails the machine', async (_, context, change, why) => {
  const machine = createMachine({
    id: 'm',
    context: context as Any,
    on: { go: { actions: ({ context: { held } }: Any) => change(held) } },
  }) as unknown as AnyStateMachine;
  const { properties } = await check(systemOf(machine));
  const reason = expect.stringContaining(why);
  expect(properties[0]).toMatchObject({ name: 'no machine fails', verdict: 'violated', reason });
});

test('what only a system may have is refused beside a machine', () => {
  expect(() => systemOf(till as unknown as AnyStateMachine, { properties: [] } as Any)).toThrow(
    /write a System/,
  );
});
