import { expect, test } from 'vitest';
import { type AnyStateMachine, createMachine } from 'xstate';
import { compile } from '../../statechart/compile.ts';
import { Interner } from './interner.ts';
import { Stepper } from './stepper.ts';

/** `on` what goes wrong, in a machine that is otherwise this one. */
const machine = (on: object, rest: object = {}) =>
  createMachine({
    id: 'm',
    initial: 'off',
    states: { off: { on: { go: on } }, on: {} },
    ...rest,
  } as never) as unknown as AnyStateMachine;

const right = { target: 'on', actions: { type: 'note', params: 5 } };

function differ(runs: AnyStateMachine): () => void {
  const values = new Interner([]);
  const stepper = new Stepper(machine(right), values, compile(runs));
  return () => {
    const started = stepper.start(undefined);
    if ('fault' in started) throw new Error(started.fault);
    stepper.take(started.snapshot, values.intern({ type: 'go' }, 'an event'));
  };
}

test('an engine that agrees with XState is accepted', () => {
  expect(differ(machine(right))).not.toThrow();
});

test.each([
  ['in the state', machine({ ...right, target: undefined })],
  ['in an effect', machine({ ...right, actions: [] })],
  ['in the params of an effect', machine({ ...right, actions: { type: 'note', params: 6 } })],
  ['in a timer', machine(right, { states: { off: { on: { go: right } }, on: { after: { 10: 'off' } } } })],
  ['in being done', machine(right, { states: { off: { on: { go: right } }, on: { type: 'final' } } })],
  [
    'in failing',
    machine({
      ...right,
      guard: () => {
        throw new Error('broken');
      },
    }),
  ],
])('an engine that differs from XState %s is found, by machine, state and event', (_, runs) => {
  const text = /machine 'm' answers differently from XState on \{"type":"go"\} in "off"/;
  expect(differ(runs)).toThrow(
    expect.objectContaining({ code: 'ENGINES_DIFFER', message: expect.stringMatching(text) }),
  );
});

test('an engine that starts differently is found', () => {
  expect(differ(machine(right, { initial: 'on' }))).toThrow(
    expect.objectContaining({ message: expect.stringContaining('as it starts') }),
  );
});
