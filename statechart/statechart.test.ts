import { describe, expect, test } from 'vitest';
import { assign, cancel, emit, log, not, raise, sendTo, setup, spawnChild } from 'xstate';
import { siteMachine } from '../machines/epoch/site.ts';
import { compile } from './compile.ts';
import { Beside } from './testing/beside.ts';
import { epochEvents, epochInputs } from './testing/events.ts';

const house = setup({
  actions: { tell: (_, _params: { of: string }) => {}, nothing: assign({}) },
  guards: { self: not('self' as never) },
});
const machineOf = (config: object) => house.createMachine({ id: 'm', ...config });
const inState = (state: object) => ({ initial: 'one', states: { one: state, two: {} } });
const doing = (action: unknown) => inState({ on: { go: { actions: action } } });

test.each<[string, object]>([
  ["state 'm.one' has invoke", inState({ invoke: { src: 'work' } })],
  ["state 'm.one' has after", inState({ after: { 10: 'two' } })],
  ["state 'm.one' has type final", inState({ type: 'final' })],
  ["state 'm.one' has type history", inState({ type: 'history' })],
  ["state 'm.one' has tags", inState({ tags: 'busy' })],
  ["state 'm' has onDone", { ...inState({}), onDone: { actions: 'nothing' } }],
  ["state 'm.one' has the wildcard go.*", inState({ on: { 'go.*': 'two' } })],
  ["state 'm.one' on go has in", inState({ on: { go: { target: 'two', in: '#m.one' } } })],
  ["state 'm.one' on go has a function as an action", doing(() => {})],
  ["state 'm.one' on go has xstate.sendTo", doing(sendTo('peer', { type: 'go' }))],
  ["state 'm.one' on go has xstate.spawnChild", doing(spawnChild('work' as never))],
  ["state 'm.one' on go has xstate.cancel", doing(cancel('timer'))],
  ["state 'm.one' on go has xstate.emit", doing(emit({ type: 'told' }))],
  ["state 'm.one' on go has raise with a delay", doing(raise({ type: 'go' }, { delay: 10 }))],
  ["state 'm.one' entry has xstate.log", inState({ entry: log('here') })],
])('refused: %s', (place, config) => {
  const refusal = { code: 'OUTSIDE_SUBSET', message: expect.stringContaining(place) };
  expect(() => compile(machineOf(config))).toThrow(expect.objectContaining(refusal));
});

test.each<[string, object]>([
  ["state 'm' on go names guard 'unknown'", { on: { go: { guard: 'unknown' } } }],
  ["guard 'self' of state 'm' always is made of itself", { always: { guard: 'self' } }],
])('refused: %s', (place, config) => {
  const refusal = { code: 'GUARD_UNKNOWN', message: expect.stringContaining(place) };
  expect(() => compile(machineOf(config))).toThrow(expect.objectContaining(refusal));
});

describe('refused as it runs', () => {
  const run = (config: object, type = 'go') => {
    const chart = compile(machineOf(config));
    const { configuration, context } = chart.start(undefined);
    return chart.step(configuration, context, { type });
  };
  const reaching = (key: string) =>
    doing(assign((at) => ({ kept: (at as unknown as Record<string, unknown>)[key] })));
  test.each<[string, () => unknown]>([
    ['OUTSIDE_SUBSET', () => run(reaching('self'))],
    ['OUTSIDE_SUBSET', () => run(reaching('system'))],
    ['OUTSIDE_SUBSET', () => run(reaching('spawn'))],
    [
      'OUTSIDE_SUBSET',
      () => run(doing(house.enqueueActions(({ enqueue }) => enqueue.emit({ type: 'told' } as never)))),
    ],
    ['EVENT_RESERVED', () => run(inState({}), 'xstate.init')],
    ['NO_REST', () => run(inState({ on: { go: { actions: raise({ type: 'go' }) } } }))],
  ])('%s: %o', (code, work) => {
    expect(work).toThrow(expect.objectContaining({ code }));
  });
});

test('the region that comes to rest last takes its always last, wherever it is defined', () => {
  const region = (name: string) => ({
    initial: 'before',
    states: {
      before: { on: { [name]: 'ready' } },
      ready: { always: { guard: 'both', target: 'done', actions: { type: 'tell', params: { of: name } } } },
      done: {},
    },
  });
  const both = ({ event }: { event: { type: string } }) => event.type === 'both';
  const machine = setup({
    actions: { tell: (_, _params: { of: string }) => {} },
    guards: { both },
  }).createMachine({
    type: 'parallel',
    states: { one: region('one'), other: region('other') },
  } as object);
  const beside = new Beside(machine, compile(machine));
  const told = ['one', 'other'].map((first) => {
    const order = [first, first === 'one' ? 'other' : 'one', 'both'];
    const end = order.reduce((pair, type) => beside.take(pair, { type })!, beside.start()!);
    const { configuration, context } = order
      .slice(0, 2)
      .reduce(
        (state, type) => compile(machine).step(state.configuration, state.context, { type }),
        compile(machine).start(undefined),
      );
    expect(end.state.configuration.value).toEqual({ one: 'done', other: 'done' });
    return compile(machine)
      .step(configuration, context, { type: 'both' })
      .effects.map(({ of }) => of);
  });
  expect(told).toEqual([
    ['one', 'other'],
    ['other', 'one'],
  ]);
});

test('a state is restored from its snapshot, and continues from it', () => {
  const chart = compile(siteMachine);
  let state = chart.start(epochInputs[0]);
  let moved = 0;
  for (const event of [...epochEvents, ...epochEvents]) {
    const { configuration, context } = state;
    const resumed = chart.resume({ value: configuration.value, context });
    expect(resumed.configuration.value).toEqual(configuration.value);
    const after = chart.step(configuration, context, event);
    const again = chart.step(resumed.configuration, resumed.context, event);
    expect([again.configuration.value, again.context, again.effects]).toEqual([
      after.configuration.value,
      after.context,
      after.effects,
    ]);
    if (after.configuration !== configuration) moved++;
    state = after;
  }
  expect(moved).toBeGreaterThan(5);
});
