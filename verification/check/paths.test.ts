import { expect, test } from 'vitest';
import { type AnyStateMachine, assign, createMachine } from 'xstate';
import * as repaired from '../../examples/auction/repaired.ts';
import { apps } from '../system/tree/testing/trees.ts';
import type { MachineModule } from './machine.ts';
import { pathsOf, testsOf } from './paths.ts';
import { takePath } from './take-path.ts';

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
  expect(text).toContain('// No run takes counter: less');
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
