import { describe, expect, test } from 'vitest';
import { assign, cancel, createMachine, emit, log, not, raise, sendTo, setup, spawnChild } from 'xstate';
import { siteMachine } from '../machines/epoch/site.ts';
import { compile } from './compile.ts';
import { Beside } from './testing/beside.ts';
import { epochEvents, epochInputs } from './testing/events.ts';

type Spawn = (src: string) => unknown;

const house = setup({
  actions: { tell: (_, _params: { of: string }) => {}, nothing: assign({}) },
  guards: { self: not('self' as never) },
});
const machineOf = (config: object) => house.createMachine({ id: 'm', ...config });
const inState = (state: object) => ({ initial: 'one', states: { one: state, two: {} } });
const doing = (action: unknown) => inState({ on: { go: { actions: action } } });

test.each<[string, object]>([
  ["state 'm.one' has invoke", inState({ invoke: { src: 'work' } })],
  ["state 'm' has a history state without a target", inState({ type: 'history' })],
  ["state 'm.one' has route", inState({ route: {} })],
  ["state 'm.one' on go has in", inState({ on: { go: { target: 'two', in: '#m.one' } } })],
  ["state 'm.one' on go has a function as an action", doing(() => {})],
  ["state 'm.one' on go has xstate.sendTo", doing(sendTo('peer', { type: 'go' }))],
  ["state 'm.one' on go has xstate.spawnChild", doing(spawnChild('work' as never))],
  ["state 'm.one' on go has xstate.emit", doing(emit({ type: 'told' }))],
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

test.each([
  [{ initial: 'there', states: { here: {} } }, "state 'm' has the initial state 'there'"],
  [
    { initial: { target: 'there' }, states: { here: {} } },
    "state 'm' has the initial state 'there', and has no such state; it has: here",
  ],
  [inState({ initial: 'inner', states: { outer: {} } }), "state 'm.one' has the initial state 'inner'"],
])('a wrong initial state is refused: %j', (config, place) => {
  const refusal = { code: 'INITIAL_UNKNOWN', message: expect.stringContaining(place) };
  expect(() => compile(createMachine({ id: 'm', ...config } as never))).toThrow(
    expect.objectContaining(refusal),
  );
});

describe('the stepper agrees with XState on', () => {
  const stepped = (config: object, ...types: string[]) => {
    const machine = createMachine({ id: 'm', ...config } as never);
    const beside = new Beside(machine, compile(machine));
    const end = types.reduce((pair, type) => beside.take(pair, { type })!, beside.start()!);
    return compile(machine).resume(end.snapshot as never).context && end;
  };

  test('params that are no object', () => {
    const note = (params: unknown) => ({ type: 'note', params });
    const machine = createMachine({ on: { go: { actions: [5, 'ab', null, [1]].map(note) } } } as never);
    const chart = compile(machine);
    const { configuration, context } = chart.start(undefined);
    expect(chart.step(configuration, context, { type: 'go' }).effects).toEqual([
      { type: 'note', params: 5 },
      { type: 'note', params: 'ab' },
      { type: 'note', params: null },
      { type: 'note', params: [1] },
    ]);
    stepped({ on: { go: { actions: [5, 'ab', null, [1]].map(note) } } }, 'go');
  });

  test('spread arguments', () => {
    const keys = ({ context: _, event: __, ...rest }: object & Record<string, unknown>) =>
      Object.keys(rest).sort();
    const seen = {
      assign: assign((args) => ({ keys: keys(args as never) })),
      raise: raise((args) => ({ type: 'seen', keys: keys(args as never) }) as never),
      collect: house.enqueueActions((args) => args.enqueue.assign({ keys: keys(args as never) } as never)),
    };
    const birth = (args: object) => ({ keys: keys({ ...args } as never) });
    const store = assign(({ event }) => ({ keys: (event as { keys?: unknown }).keys }));
    for (const action of Object.values(seen)) {
      const { snapshot } = stepped(
        { context: birth, on: { go: { actions: action }, seen: { actions: store } } },
        'go',
      );
      expect(snapshot.context).toMatchObject({ keys: expect.arrayContaining(['self', 'system']) });
    }
  });

  test('timers: after, delayed raises, cancel', () => {
    const config = {
      initial: 'one',
      states: {
        one: { after: { 10: 'two', slow: 'two' }, exit: raise({ type: 'late' }, { delay: 5, id: 'late' }) },
        two: { entry: [cancel('late'), log('here')], tags: 'busy' },
      },
    };
    stepped(config, 'xstate.after.10.m.one');
    const { timed } = compile(createMachine({ id: 'm', ...config } as never));
    expect([timed, compile(siteMachine).timed]).toEqual([true, false]);
  });

  test('a log action whose value throws', () => {
    const { context } = { context: { text: null as unknown as string } };
    const length = log(({ context }) => (context as { text: string }).text.length);
    const machine = createMachine({ context, on: { go: { actions: length } } } as never);
    const beside = new Beside(machine, compile(machine));
    expect(beside.take(beside.start()!, { type: 'go' })).toBeNull();
  });
});

describe('a running stepper refuses', () => {
  const run = (config: object, type = 'go') => {
    const chart = compile(machineOf(config));
    const { configuration, context } = chart.start(undefined);
    return chart.step(configuration, context, { type });
  };
  const reaching = (reach: (args: { self: { id: string }; system: object; spawn: Spawn }) => unknown) =>
    doing(assign((args) => ({ kept: reach(args as never) })));
  test.each<[string, () => unknown]>([
    ['OUTSIDE_SUBSET', () => run(reaching(({ self }) => self.id))],
    ['OUTSIDE_SUBSET', () => run(reaching(({ system }) => 'get' in system || system.toString()))],
    ['OUTSIDE_SUBSET', () => run(reaching(({ spawn }) => spawn('work')))],
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

test('the region that comes to rest last takes its always last, in any order of definition', () => {
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
