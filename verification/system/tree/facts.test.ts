import { expect, test } from 'vitest';
import {
  type AnyStateMachine,
  assign,
  cancel,
  createMachine,
  raise,
  sendParent,
  sendTo,
  spawnChild,
  stopChild,
} from 'xstate';
import { exploreNaively } from '../../checker/naive.ts';
import { compile } from '../index.ts';
import type { ActorSpec, ActorView } from '../system.ts';
import { systemOf } from '../testing/systems.ts';

/* The behaviour of XState 5.33 in corner cases, and a check with it. */

const machineOf = (config: object, implementations: object = {}) =>
  createMachine({ id: 'm', ...config } as never, implementations as never) as unknown as AnyStateMachine;

function explored(machine: AnyStateMachine, ...types: string[]): readonly ActorView[] {
  const environment = types.map((type) => ({ event: { type }, times: 1 }));
  const spec: ActorSpec = { machine, outcomes: {}, environment };
  const compiled = compile(systemOf({ m: spec }));
  const views: ActorView[] = [];
  exploreNaively(compiled.model, (state) => views.push(compiled.decode(state).actors[0]!));
  return views;
}

const tells = (type: string) => ({
  actions: assign({ told: ({ context }) => context['told'] + type }) as never,
});
const told = (views: readonly ActorView[]) => views.map(({ context }) => context['told']);

test('of a delayed event that is armed twice under one id, cancel stops the newer, and the older still fires', () => {
  const machine = machineOf({
    context: { told: '' },
    entry: [
      raise({ type: 'a' }, { delay: 5, id: 'it' }),
      raise({ type: 'b' }, { delay: 5, id: 'it' }),
      cancel('it'),
    ],
    on: { a: tells('a'), b: tells('b') },
  });
  expect(told(explored(machine))).toEqual(['', 'a']);
});

test('what is raised comes before what is sent, and the answer comes last', () => {
  const child = machineOf({ on: { ask: { actions: sendParent({ type: 'answer' }) } } });
  const machine = machineOf({
    context: { told: '' },
    entry: spawnChild(child, { id: 'k' }),
    on: {
      go: {
        actions: [sendTo('k', { type: 'ask' }), raise({ type: 'raised' }), assign({ told: 'go ' }) as never],
      },
      raised: tells('raised '),
      answer: tells('answer'),
    },
  });
  expect(told(explored(machine, 'go'))).toEqual(['', 'go raised answer']);
});

test('the exit actions of a child that is stopped do not run', () => {
  const child = machineOf({ initial: 'on', states: { on: { exit: sendParent({ type: 'left' }) } } });
  const machine = machineOf({
    context: { told: '' },
    entry: spawnChild(child, { id: 'k' }),
    on: { stop: { actions: stopChild('k') }, left: tells('left') },
  });
  expect(new Set(told(explored(machine, 'stop')))).toEqual(new Set(['']));
});

test('a delayed event to a child that has been stopped stays armed, until its sender ends', () => {
  const machine = machineOf({
    initial: 'on',
    states: {
      on: {
        entry: [
          spawnChild(machineOf({}), { id: 'k' }),
          sendTo('k', { type: 'late' }, { delay: 5, id: 'late' }),
        ],
        on: { stop: { actions: stopChild('k') }, end: 'over' },
      },
      over: { type: 'final' },
    },
  });
  const views = explored(machine, 'stop', 'end');
  const stopped = views.find(({ children }) => children!['k']?.status === 'stopped');
  expect(stopped!.timers).toEqual(['late']);
  expect(new Set(views.filter(({ done }) => done).map(({ timers }) => timers.length))).toEqual(new Set([0]));
});

test('an actor that stops an actor that is no child fails', () => {
  const other = machineOf({ id: 'other' });
  const inner = machineOf({
    context: ({ input }: { input: unknown }) => ({ of: input }),
    on: { stop: { actions: stopChild(({ context }) => (context as unknown as { of: never }).of) } },
  });
  const machine = machineOf({
    context: ({ spawn }: { spawn: (logic: unknown, options?: object) => unknown }) => {
      const sibling = spawn(other);
      return { sibling, inner: spawn(inner, { id: 'inner', input: sibling }) };
    },
    on: { stop: { actions: sendTo('inner', { type: 'stop' }) } },
  });
  expect(explored(machine, 'stop').at(-1)!.fault).toMatch(/Cannot stop child actor/);
});

test('the children of a child that throws go on running', () => {
  const grandchild = machineOf({ on: { ping: { actions: 'note' } } });
  const child = machineOf({
    entry: spawnChild(grandchild, { id: 'g' }),
    on: {
      fail: {
        actions: assign(() => {
          throw new Error('broken');
        }),
      },
    },
  });
  const machine = machineOf({
    invoke: { id: 'k', src: child, onError: { actions: 'note' } },
    on: { fail: { actions: sendTo('k', { type: 'fail' }) } },
  });
  const last = explored(machine, 'fail').at(-1)!;
  expect(Object.entries(last.children!).map(([path, { status }]) => [path, status])).toEqual([
    ['k', 'error'],
    ['k/g', 'active'],
  ]);
});
