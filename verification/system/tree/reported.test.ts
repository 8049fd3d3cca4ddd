import { describe, expect, test } from 'vitest';
import {
  type AnyStateMachine,
  assign,
  createMachine,
  fromCallback,
  fromPromise,
  raise,
  sendParent,
  sendTo,
} from 'xstate';
import { check } from '../../check/check.ts';
import { type MachineModule, systemOf } from '../../check/machine.ts';

/*
 * Situations that users of XState have reported as https://github.com/statelyai/xstate/issues/NUMBER, each with what a
 * check says of it, and of the way round it.
 */

const machineOf = (config: object, implementations: object = {}) =>
  createMachine({ id: 'm', ...config } as never, implementations as never) as unknown as AnyStateMachine;

async function violated(machine: AnyStateMachine, module: MachineModule = {}): Promise<readonly string[]> {
  const { properties } = await check(systemOf(machine, module));
  return properties.flatMap((one) => (one.verdict === 'violated' ? [`${one.name}: ${one.reason}`] : []));
}

const listening = fromCallback(() => {});
const work = fromPromise(async () => undefined);

describe('5051: an event is sent to an actor of the state that the same transition leaves', () => {
  const recording = (stop: object) =>
    machineOf(
      {
        initial: 'recording',
        states: {
          recording: { invoke: { id: 'listening', src: 'listening' }, on: { STOP: stop, left: 'stopped' } },
          stopped: { type: 'final' },
        },
      },
      { actors: { listening } },
    );
  const outcomes = { listening: {} };
  const tell = sendTo('listening', { type: 'STOP' });

  test('the machine fails', async () => {
    const found = await violated(recording({ target: 'stopped', actions: tell }), { outcomes });
    expect(found[0]).toMatch(/^no machine fails: .*Unable to send event to actor 'listening'/);
  });

  test('the state is left by an event of its own', async () => {
    const stop = { actions: [tell, raise({ type: 'left' })] };
    expect(await violated(recording(stop), { outcomes })).toEqual([]);
  });
});

describe('4617: a child that is done with its work tells its own child and its parent', () => {
  const app = (target: object) => {
    const grandchild = machineOf({ id: 'grandchild', on: { ready: {} } });
    const child = machineOf(
      {
        id: 'child',
        initial: 'working',
        states: {
          working: {
            invoke: [
              { id: 'grandchild', src: grandchild },
              {
                src: 'work',
                onDone: {
                  ...target,
                  actions: [sendTo('grandchild', { type: 'ready' }), sendParent({ type: 'ready' })],
                },
              },
            ],
          },
          complete: { type: 'final' },
        },
      },
      { actors: { work } },
    );
    return machineOf({
      initial: 'idle',
      states: { idle: { on: { create: 'with' } }, with: { invoke: { src: child }, on: { ready: {} } } },
    });
  };
  const outcomes = { work: { done: [undefined] } };

  test('the child fails where it leaves its state with that', async () => {
    const found = await violated(app({ target: 'complete' }), { outcomes });
    expect(found[0]).toMatch(/^no machine fails: .*Unable to send event to actor 'grandchild'/);
  });

  test('both are told if the child stays in its state', async () => {
    expect((await violated(app({}), { outcomes })).filter((text) => !/^ends only/.test(text))).toEqual([]);
  });
});

describe('3353: the same promise is invoked twice in a row', () => {
  const twice = (id?: string) =>
    machineOf(
      {
        context: { times: 0 },
        initial: 'promise',
        states: {
          promise: {
            invoke: {
              ...(id !== undefined && { id }),
              src: 'work',
              onDone: [
                {
                  guard: ({ context }: { context: { times: number } }) => context.times < 2,
                  target: 'logging',
                  actions: assign({ times: ({ context }) => context['times'] + 1 }),
                },
                { target: 'enough' },
              ],
            },
          },
          logging: { always: 'promise' },
          enough: { type: 'final' },
        },
      },
      { actors: { work } },
    );

  test.each([undefined, 'own'])('each is awaited, with the id %s', async (id) => {
    expect(await violated(twice(id), { outcomes: { work: { done: [undefined] } } })).toEqual([]);
  });

  test('of two with one id at once XState stops one, and the other can still end', async () => {
    const region = (onDone?: string) => ({
      initial: 'running',
      states: {
        running: { invoke: { id: 'p', src: 'work', onDone }, on: { cancel: 'idle' } },
        idle: {},
        done: {},
      },
    });
    const machine = machineOf(
      { type: 'parallel', states: { one: region(), two: region('done') } },
      { actors: { work } },
    );
    const found = await violated(machine, { outcomes: { work: { done: [undefined] } } });
    expect(found.filter((text) => /^reaches/.test(text))).toEqual([
      'reaches one.done: no reachable state is like that',
    ]);
  });
});

describe('5120: a machine that speaks to its parent is started by itself', () => {
  const child = machineOf({
    initial: 'working',
    states: {
      working: { on: { end: 'over' } },
      over: { type: 'final', entry: sendParent({ type: 'over' }) },
    },
  });

  test('the machine fails as a root', async () => {
    expect((await violated(child))[0]).toMatch(
      /^no machine fails: .*Unable to send event to actor '#_parent'/,
    );
  });

  test('the machine does not fail below a parent', async () => {
    const parent = machineOf({
      initial: 'on',
      states: {
        on: {
          invoke: { id: 'it', src: child },
          on: { over: 'off', end: { actions: sendTo('it', { type: 'end' }) } },
        },
        off: { type: 'final' },
      },
    });
    expect(await violated(parent, { events: [{ event: { type: 'end' }, times: 1 }] })).toEqual([]);
  });
});
