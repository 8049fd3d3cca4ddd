import { describe, expect, test } from 'vitest';
import {
  type AnyStateMachine,
  assign,
  createMachine,
  fromCallback,
  fromObservable,
  fromPromise,
  raise,
  sendParent,
  sendTo,
  spawnChild,
  stopChild,
} from 'xstate';
import { check } from '../../check/check.ts';
import { systemOf as alone, outlineOf } from '../../check/machine.ts';
import { exploreNaively } from '../../checker/naive.ts';
import { compile, traceText } from '../index.ts';
import { replayTrace } from '../replay.ts';
import type { ActorSpec, ActorView, StateView, System, Trace } from '../system.ts';
import { systemOf } from '../testing/systems.ts';
import type { Outcomes } from './outcomes.ts';

const machineOf = (config: object, implementations: object = {}) =>
  createMachine({ id: 'm', ...config } as never, implementations as never) as unknown as AnyStateMachine;

const system = (machine: AnyStateMachine, rest: Partial<ActorSpec> = {}): System =>
  systemOf({ m: { machine, outcomes: {}, ...rest } });

function explored(of: System) {
  const compiled = compile(of);
  const views: StateView[] = [];
  const { states } = exploreNaively(compiled.model, (state) => views.push(compiled.decode(state)));
  const ends = views.map(({ actors: [actor] }) => actor!.fault ?? actor!.value);
  return { states, views, ends };
}

const events = (...types: string[]) => ({ environment: types.map((type) => ({ event: { type } })) });

const promise = fromPromise(async () => undefined);
const loading = (rest: object = {}) =>
  machineOf(
    {
      context: {},
      initial: 'loading',
      states: {
        loading: {
          invoke: { src: 'load', input: 7, onDone: { target: 'done', actions: 'keep' }, ...rest },
        },
        done: { type: 'final' },
        failed: {},
      },
    },
    {
      actors: { load: promise },
      actions: {
        keep: assign({ got: ({ event }: { event: { output: unknown } }) => event.output } as never),
      },
    },
  );

describe('invoked logic', () => {
  test('ends with any of its outcomes, made from its input', () => {
    const outcomes: Outcomes = {
      load: { done: (input) => [input, { of: input }], error: [new Error('refused')] },
    };
    const { views, ends } = explored(system(loading({ onError: 'failed' }), { outcomes }));
    expect(ends).toEqual(['loading', 'done', 'done', 'failed']);
    const got = views.map(({ actors: [actor] }) => actor!.context['got']);
    expect(got.filter((value) => value !== undefined)).toEqual([7, { of: 7 }]);
  });

  test('fails its machine where nothing takes its rejection', async () => {
    const outcomes: Outcomes = { load: { done: [1], error: [new Error('refused')] } };
    const { violated } = await summary(alone(loading(), { outcomes }));
    expect(violated).toContain('no machine fails');
  });

  test('has no outcome once its state is left', () => {
    const machine = machineOf({
      initial: 'on',
      states: { on: { invoke: { src: 'load', onDone: 'late' }, on: { stop: 'off' } }, off: {}, late: {} },
    });
    // XState only warns that there is no such logic.
    const { ends } = explored(system(machine, { outcomes: { load: { done: [1] } }, ...events('stop') }));
    expect(ends).toEqual(['on', 'off', 'late']);
  });

  test('is refused without outcomes, all of it at once, with a stub to paste', () => {
    const child = machineOf({ invoke: { id: 'inner', src: fromCallback(() => {}) } });
    const machine = machineOf(
      { invoke: [{ src: 'load' }, { src: 'child' }, { src: 'prices' }] },
      {
        actors: {
          load: promise,
          child,
          prices: fromObservable(() => ({ subscribe: () => ({ unsubscribe() {} }) })),
        },
      },
    );
    const stub = [
      'outcomes: {',
      '  "load": { done: [undefined], error: [new Error()] }, // a promise',
      '  "prices": { next: [undefined], done: [undefined], error: [new Error()] }, // an observable',
      '  "inner": { sends: [], atStart: [] }, // a callback',
      '}',
    ].join('\n');
    expect(() => compile(system(machine))).toThrow(
      expect.objectContaining({ code: 'OUTCOMES_MISSING', message: expect.stringContaining(stub) }),
    );
  });

  test('is refused where it is logic of its own making that starts something, all at once', () => {
    const logic = { ...promise, transition: (snapshot: unknown) => snapshot, start: () => {} };
    const machine = machineOf(
      {
        invoke: [
          { id: 'one', src: logic },
          { id: 'two', src: 'named' },
        ],
      },
      { actors: { named: logic } },
    );
    expect(() => compile(system(machine))).toThrow(
      expect.objectContaining({
        code: 'MACHINE_REFUSED',
        message: expect.stringMatching(/'one of machine m', 'named of machine m': logic of its own making/),
      }),
    );
  });

  test('is an observable that gives values, fails and completes', () => {
    const prices = fromObservable(() => ({ subscribe: () => ({ unsubscribe() {} }) }));
    const machine = machineOf(
      {
        context: { last: 0 },
        initial: 'open',
        states: {
          open: {
            invoke: {
              id: 'prices',
              src: 'prices',
              onSnapshot: {
                actions: assign({
                  last: ({ event }: { event: unknown }) =>
                    (event as { snapshot: { context: unknown } }).snapshot.context ?? 0,
                } as never),
              },
              onDone: 'done',
              onError: 'failed',
            },
          },
          done: {},
          failed: {},
        },
      },
      { actors: { prices } },
    );
    const outcomes: Outcomes = { prices: { next: [1, 2], done: [undefined], error: ['broken'] } };
    const { views } = explored(system(machine, { outcomes }));
    const seen = views.map(({ actors: [actor] }) => `${actor!.value} ${actor!.context['last']}`);
    expect(new Set(seen)).toEqual(
      new Set(['open', 'done', 'failed'].flatMap((state) => [0, 1, 2].map((last) => `${state} ${last}`))),
    );
  });
});

describe('children of an actor:', () => {
  const child = machineOf({
    id: 'child',
    initial: 'on',
    states: { on: { on: { end: 'off' } }, off: { type: 'final' } },
  });

  test('of two children spawned without an id the first goes on, and nothing can stop it', () => {
    const machine = machineOf({ entry: [spawnChild(child), spawnChild(child)] });
    const { views } = explored(system(machine));
    expect(Object.keys(views[0]!.actors[0]!.children!)).toEqual(['undefined', 'x:1']);
  });

  test('an orphaned child goes on sending', () => {
    const ticker = machineOf({ after: { 10: { actions: sendParent({ type: 'tick' }) } } });
    const machine = machineOf({
      initial: 'on',
      context: { ticks: 0 },
      entry: [spawnChild(ticker), spawnChild(ticker)],
      on: { tick: { actions: assign({ ticks: ({ context }) => context['ticks'] + 1 }) as never } },
      states: { on: {} },
    });
    const { views } = explored(system(machine));
    expect(new Set(views.map(({ actors: [actor] }) => actor!.context['ticks']))).toEqual(new Set([0, 1, 2]));
  });

  test('a finished child remains listed until it is stopped', () => {
    const machine = machineOf({
      entry: spawnChild(child, { id: 'it' }),
      on: { end: { actions: sendTo('it', { type: 'end' }) }, drop: { actions: stopChild('it') } },
    });
    const { views } = explored(system(machine, events('end')));
    expect(views.map(({ actors: [actor] }) => actor!.children!['it']!.status)).toEqual(['active', 'done']);
  });

  test('an unbounded number of children is explored to a bound, and the report states it', async () => {
    const machine = machineOf({
      context: { all: [] },
      on: {
        add: {
          actions: assign(({ context, spawn }) => ({
            all: [...(context as unknown as { all: unknown[] }).all, spawn(child as never)],
          })) as never,
        },
      },
    });
    const report = await check(system(machine, { ...events('add'), maxChildren: 3 }));
    expect(report.properties.map(({ verdict }) => verdict)).toEqual(['holds within the constraint']);
  });

  test('a child that throws fails its parent, unless the parent takes the error', () => {
    const broken = machineOf({
      on: {
        go: {
          actions: assign(() => {
            throw new Error('broken child');
          }),
        },
      },
    });
    const parent = (onError: object) =>
      machineOf({
        invoke: { id: 'it', src: broken, ...onError },
        on: { go: { actions: sendTo('it', { type: 'go' }) } },
      });
    expect(explored(system(parent({}), events('go'))).ends).toContain('broken child');
    const taken = { onError: { actions: 'note' } };
    expect(explored(system(parent(taken), events('go'))).ends).not.toContain('broken child');
  });
});

describe('functions', () => {
  test('that stand as actions are run, and are named by their place', () => {
    const machine = machineOf({
      initial: 'one',
      states: {
        one: {
          on: {
            go: { actions: ({ self }: { self: { send(event: object): void } }) => self.send({ type: 'on' }) },
            on: 'two',
          },
        },
        two: { entry: () => console.log(Date.now()) },
      },
    });
    const of = compile(system(machine, events('go')));
    expect(explored(system(machine, events('go'))).ends).toEqual(['one', 'two']);
    const [initial] = of.model.initial;
    expect(of.effects(0, initial![0]!, 0)).toEqual([{ type: 'on go of m.one' }, { type: 'entry of m.two' }]);
  });

  test('that decide may not read the clock or chance', () => {
    const machine = machineOf({ on: { go: { guard: () => Math.random() > 0.5, actions: 'note' } } });
    expect(() => explored(system(machine, events('go')))).toThrow(
      expect.objectContaining({ code: 'MACHINE_IMPURE' }),
    );
  });

  test('that change the context where it stands are found', () => {
    const machine = machineOf({
      context: { list: [] },
      on: {
        add: { actions: ({ context }: { context: { list: number[] } }) => context.list.push(1) },
      },
    });
    expect(explored(system(machine, events('add'))).ends.join()).toMatch(/not extensible/);
  });

  test('that remember something outside are found', () => {
    let calls = 0;
    const machine = machineOf({
      context: { n: 0 },
      on: { go: { actions: assign({ n: () => ++calls }) as never } },
    });
    expect(() => explored(system(machine, events('go')))).toThrow(
      expect.objectContaining({ code: 'MACHINE_IMPURE' }),
    );
  });
});

test('a machine whose initial state does not exist is refused with a code', () => {
  expect(() => compile(system(machineOf({ initial: 'none', states: { one: {} } })))).toThrow(
    expect.objectContaining({ code: 'MACHINE_REFUSED' }),
  );
});

test('values of classes are refused, with their place', () => {
  class Cart {}
  const machine = machineOf({ context: { cart: new Cart() } });
  expect(() => explored(system(machine))).toThrow(
    expect.objectContaining({
      code: 'VALUE_REFUSED',
      message: expect.stringContaining('.context.cart is a Cart'),
    }),
  );
});

test('one error lists all refused values and steps', async () => {
  class Cart {}
  const machine = machineOf({
    context: { cart: new Cart(), make: () => 1 },
    initial: 'a',
    states: {
      a: { on: { go: { guard: () => Math.random() > 0, target: 'b' } } },
      b: { on: { go: { guard: () => Date.now() > 1 } } },
    },
  });
  const ofModule = alone(machine, { events: [{ event: { type: 'go' } }] });
  await expect(check(ofModule)).rejects.toThrow(/4 places/);
  expect(() => explored(system(machine, events('go')))).toThrow(
    expect.objectContaining({
      code: 'VALUE_REFUSED',
      message: expect.stringMatching(
        /^VALUE_REFUSED: 4 places[\s\S]*context\.cart is a Cart[\s\S]*context\.make is a function[\s\S]*reads Math\.random on go in state "a"[\s\S]*reads Date\.now on go in state "b"/,
      ),
    }),
  );
});

test('dates, sets, maps and errors are values', () => {
  const context = {
    at: new Date(5),
    ids: new Set([1]),
    by: new Map([['a', 2]]),
    why: new Error('no'),
    nan: Number.NaN,
  };
  const machine = machineOf({
    context,
    on: { go: { guard: ({ context: { ids } }: { context: typeof context }) => ids.has(1), actions: 'note' } },
  });
  expect(explored(system(machine, events('go'))).states).toBe(1);
});

describe('an event from outside', () => {
  const machine = machineOf(
    {
      context: { at: 0 },
      on: { go: { actions: 'keep' } },
    },
    {
      actions: {
        keep: assign(({ event }: { event: { at: Date; ids: Set<number> } }) => ({
          at: event.at.getTime() + event.ids.size,
        })),
      },
    },
  );
  const event = { type: 'go', at: new Date(5), ids: new Set([1, 2]) };

  test.each([
    ['written out', { event }],
    ['with payloads', { event: { type: 'go' }, payloads: () => [{ at: event.at, ids: event.ids }] }],
  ])('may hold dates and sets, %s', (_, offered) => {
    const { views } = explored(system(machine, { environment: [offered] }));
    expect(views.map(({ actors: [actor] }) => actor!.context['at'])).toEqual([0, 7]);
    const [, taken] = views;
    expect(taken!.actors[0]!.takes!(event)).toBe(true);
  });

  test('is refused for each value of a class or function that it holds, in one error', () => {
    class Cart {}
    const payloads = () => [{ cart: new Cart(), list: [() => 1] }, { by: new Map([[1, new Cart()]]) }];
    const given = { environment: [{ event: { type: 'go' }, payloads }] };
    expect(() => explored(system(machine, given))).toThrow(
      expect.objectContaining({
        code: 'VALUE_REFUSED',
        message: expect.stringMatching(
          /3 places[\s\S]*'m'\.cart is a Cart[\s\S]*'m'\.list\[0\] is a function[\s\S]*'m'\.by\[0\]\[1\] is a Cart/,
        ),
      }),
    );
  });

  test('that contains itself is refused', () => {
    const round: { type: string; self?: object } = { type: 'go' };
    round.self = round;
    expect(() => explored(system(machine, { environment: [{ event: round }] }))).toThrow(
      expect.objectContaining({ code: 'VALUE_REFUSED', message: expect.stringContaining('contains itself') }),
    );
  });
});

test('an actor with outcomes cannot be in symmetry', () => {
  const machine = machineOf({});
  const of = systemOf(
    { a: { machine, outcomes: {} }, b: { machine, outcomes: {} } },
    { symmetry: ['a', 'b'] },
  );
  expect(() => compile(of)).toThrow(expect.objectContaining({ code: 'SYSTEM_INVALID' }));
});

test('two processes communicate by send, each with actors of its own', () => {
  const worker = machineOf({
    id: 'worker',
    initial: 'working',
    states: { working: { invoke: { src: 'work', onDone: 'done' } }, done: { type: 'final' } },
  });
  const server = machineOf(
    {
      invoke: {
        src: 'worker',
        onDone: { actions: { type: 'send', params: { target: 'c', message: { type: 'READY' } } } },
      },
    },
    { actors: { worker } },
  );
  const client = machineOf({
    initial: 'waiting',
    states: { waiting: { on: { READY: 'served' } }, served: {} },
  });
  const of = systemOf({
    s: { machine: server, outcomes: { work: { done: [1] } } },
    c: { machine: client },
  });
  const { views } = explored(of);
  expect(views.map((view) => view.actor('c').value)).toEqual(['waiting', 'waiting', 'served']);
});

describe('a machine alone', () => {
  test('that invokes nothing has an outline of its events alone', () => {
    expect(outlineOf(machineOf({ on: { go: {} } }))).toMatch(
      /^\/\/ The events[^\n]*\nexport const events = \[\n {2}\{ type: "go" \},\n\];\n$/,
    );
    expect(outlineOf(machineOf({}))).toMatch(/export const events = \[\];/);
  });

  const light = machineOf({
    initial: 'red',
    states: { red: { on: { go: 'green' } }, green: {}, never: {}, end: { type: 'final' } },
  });

  test('has no unreachable state, and ends only in final states', async () => {
    expect(await summary(alone(light))).toEqual({
      violated: ['ends only in final states', 'reaches never', 'reaches end'],
      holds: ['no machine fails', 'no event is lost', 'reaches red', 'reaches green'],
    });
  });

  test('reaches a state that it leaves at once, also as it starts', async () => {
    const machine = machineOf({
      initial: 'first',
      states: {
        first: { always: 'second' },
        second: { on: { go: 'third' } },
        third: { initial: 'ends', states: { ends: { type: 'final' } }, onDone: 'fourth' },
        fourth: { entry: raise({ type: 'on' }), on: { on: 'last' } },
        last: { type: 'final' },
        never: { always: 'last' },
      },
    });
    const { violated, holds } = await summary(alone(machine));
    expect(violated).toEqual(['reaches never']);
    expect(holds).toContain('reaches third.ends');
  });

  test('goes on if it takes an event that changes nothing, or one that has come as often as it may', async () => {
    const machine = machineOf({
      context: { n: 0 },
      on: { note: { actions: 'note' }, count: { actions: 'count' } },
    });
    const events = [{ type: 'note' }, { event: { type: 'count' }, times: 2 }];
    expect((await summary(alone(machine, { events }))).violated).toEqual([]);
    expect((await summary(alone(machineOf({})))).violated).toEqual(['ends only in final states']);
  });

  test('is reported to stop for ever where a guard turns down the only event', async () => {
    const machine = machineOf({ on: { go: { guard: () => false, actions: 'note' } } });
    expect((await summary(alone(machine))).violated).toEqual(['ends only in final states']);
  });

  test('lists no action as one that no check ran', async () => {
    const machine = machineOf({ on: { go: { actions: 'note' } } }, { actions: { note: () => {} } });
    expect((await check(alone(machine))).notRun).toEqual([]);
  });

  test('is explored within the constraint of its module, and the report states it', async () => {
    const machine = machineOf({
      context: { n: 0 },
      on: { more: { actions: assign({ n: ({ context }) => context['n'] + 1 }) as never } },
    });
    const within = ({ context }: { context: Readonly<Record<string, unknown>> }) => Number(context['n']) < 4;
    const { states, properties, complete } = await check(alone(machine, { within }));
    expect({ states, complete }).toEqual({ states: 5, complete: false });
    expect(new Set(properties.map(({ verdict }) => verdict))).toEqual(
      new Set(['holds within the constraint']),
    );
  });
});

describe('an event is lost', () => {
  const loses = async (
    machine: AnyStateMachine,
    outcomes: Outcomes = {},
    events: object[] = [{ type: 'go' }],
  ) => {
    const { properties } = await check(alone(machine, { outcomes, events: events as never }));
    const lost = properties.find(({ name }) => name === 'no event is lost')!;
    return lost.verdict === 'violated' ? lost.reason : null;
  };
  const ticks = { ticks: { sends: [{ type: 'tick' }] } };
  const clock = (idle: object) =>
    machineOf(
      { invoke: { src: 'ticks' }, initial: 'idle', states: { idle, on: { on: { tick: 'idle' } } } },
      { actors: { ticks: fromCallback(() => {}) } },
    );

  test('if a callback sends it to a state that does not name it', async () => {
    expect(await loses(clock({ on: { go: 'on' } }), ticks)).toMatch(
      /^'tick' comes to the machine, which takes it/,
    );
  });

  test.each([
    ['is named and does nothing', { on: { go: 'on', tick: {} } }],
    ['is turned down by a guard', { on: { go: 'on', tick: { guard: () => false, target: 'on' } } }],
    ['is taken by a wildcard', { on: { go: 'on', '*': { actions: 'note' } } }],
  ])('but not where it %s', async (_, idle) => {
    expect(await loses(clock(idle), ticks)).toBeNull();
  });

  test('but not if it comes from outside', async () => {
    const machine = machineOf({ initial: 'a', states: { a: { on: { go: 'b' } }, b: { type: 'final' } } });
    expect(await loses(machine, {}, [{ type: 'go' }, { type: 'b' }].slice(0, 1))).toBeNull();
  });

  test('if its target has ended or been stopped', async () => {
    const child = machineOf({
      initial: 'on',
      states: { on: { on: { end: 'off' } }, off: { type: 'final' } },
    });
    const parent = machineOf({
      invoke: { id: 'it', src: child },
      on: { go: { actions: sendTo('it', { type: 'end' }) } },
    });
    expect(await loses(parent)).toMatch(/^'end' comes to it,/);
    const late = machineOf({
      entry: [spawnChild(child, { id: 'it' }), sendTo('it', { type: 'end' }, { delay: 5 })],
      on: { go: { actions: stopChild('it') } },
    });
    expect(await loses(late)).toMatch(/^'end' comes to it,/);
  });

  test('if it is raised and not taken', async () => {
    const machine = machineOf({ on: { go: { actions: raise({ type: 'nothing' }) } } });
    expect(await loses(machine)).toMatch(/^'nothing' comes to the machine/);
  });
});

describe('chance', () => {
  const dice = machineOf({
    context: { fell: [] },
    on: {
      roll: {
        guard: ({ context }: { context: { fell: number[] } }) => context.fell.length < 2,
        actions: assign(({ context }: { context: { fell: number[] } }) => ({
          fell: [...context.fell, 1 + Math.floor(Math.random() * 6)],
        })),
      },
    },
  });
  const rolls = (chance: NonNullable<ActorSpec['chance']>) => system(dice, { ...events('roll'), chance });

  test('gives each declared value at each call', () => {
    const { states, views } = explored(rolls({ 'Math.random': [0, 0.5, 0.99] }));
    expect(states).toBe(1 + 3 + 9);
    expect(new Set(views.flatMap(({ actors: [actor] }) => actor!.context['fell']))).toEqual(
      new Set([1, 4, 6]),
    );
  });

  test('is shown in the trace by its values, and the trace can be replayed', async () => {
    const of = rolls({ 'Math.random': [0, 0.99] });
    const never = {
      kind: 'every',
      is: ({ context }: ActorView) => !(context['fell'] as number[]).includes(6),
    } as const;
    const { properties } = await check({
      ...of,
      properties: [{ kind: 'always', name: 'no six', predicate: never }],
    });
    const { trace } = properties.find(({ name }) => name === 'no six') as { trace: Trace };
    expect(traceText(trace)).toContain('m: roll, chance gives 0.99');
    expect(replayTrace(compile(of), trace)).toHaveLength(1);
  });

  test('that is not declared is refused with its place and a declaration', () => {
    expect(() => explored(rolls({ 'Date.now': [0] }))).toThrow(
      expect.objectContaining({
        code: 'MACHINE_IMPURE',
        message: expect.stringMatching(
          /reads Math\.random on roll in state .*chance: \{ "Math\.random": \[\.\.\.\] \}/,
        ),
      }),
    );
  });

  test('of the clock gives dates and times', () => {
    const machine = machineOf({
      context: { at: null },
      on: { go: { actions: assign(() => ({ at: [Date.now(), new Date().getTime(), Date()] })) } },
    });
    const { views } = explored(system(machine, { ...events('go'), chance: { 'Date.now': [5] } }));
    expect(views.map(({ actors: [actor] }) => actor!.context['at'])).toEqual([
      null,
      [5, 5, String(new Date(5))],
    ]);
  });

  test('that decides the first state must be given as input', () => {
    const machine = machineOf({ context: () => ({ id: Math.random() }) });
    const of = (values: number[]) => system(machine, { chance: { 'Math.random': values } });
    expect(explored(of([0.5])).states).toBe(1);
    expect(() => explored(of([0.5, 0.6]))).toThrow(expect.objectContaining({ code: 'MACHINE_IMPURE' }));
  });

  test('that is called for too often is refused', () => {
    const machine = machineOf({
      on: { go: { guard: () => Array.from({ length: 12 }, Math.random).length > 0 } },
    });
    expect(() => explored(system(machine, { ...events('go'), chance: { 'Math.random': [0, 1] } }))).toThrow(
      /over 1000 ways/,
    );
  });

  test('and ordered time are refused without outcomes', () => {
    const of = systemOf({ m: { machine: dice, chance: { 'Math.random': [0] } } });
    expect(() => compile(of)).toThrow(expect.objectContaining({ code: 'SYSTEM_INVALID' }));
  });
});

describe('a bound on what an invocation sends', () => {
  const counting = (src: object) =>
    machineOf(
      {
        context: { n: 0 },
        initial: 'on',
        states: {
          on: { invoke: { id: 'src', src: 'src', onSnapshot: {} }, on: { off: 'off' } },
          off: { on: { on: 'on' } },
        },
        on: { tick: { actions: assign({ n: ({ context }) => context['n'] + 1 }) as never } },
      },
      { actors: { src } },
    );

  test('counts while it is active, and starts again with each invocation', () => {
    const outcomes = { src: { sends: [{ type: 'tick' }], times: 2 } };
    const { views } = explored(system(counting(fromCallback(() => {})), { outcomes }));
    expect(views.map(({ actors: [actor] }) => actor!.context['n'])).toEqual([0, 1, 2]);
    const again = { environment: ['on', 'off'].map((type) => ({ event: { type }, times: 1 })) };
    const twice = explored(system(counting(fromCallback(() => {})), { outcomes, ...again }));
    expect(Math.max(...twice.views.map(({ actors: [actor] }) => Number(actor!.context['n'])))).toBe(4);
  });

  test('counts the values of an observable', () => {
    const prices = fromObservable(() => ({ subscribe: () => ({ unsubscribe() {} }) }));
    const outcomes = { src: { next: [1, 2, 3], times: 1 } };
    // No value, and one of three.
    expect(explored(system(counting(prices), { outcomes })).states).toBe(4);
  });
});

describe('time', () => {
  /** Fires a, b and c, and remembers the order. */
  const timers = (delays: Readonly<Record<string, unknown>>, later = false) =>
    machineOf(
      {
        context: { order: '' },
        initial: 'waiting',
        states: {
          waiting: {
            entry: Object.keys(delays)
              .slice(later ? 1 : 0)
              .map((type) => raise({ type }, { delay: type as never })),
            on: later ? { go: { actions: raise({ type: 'a' }, { delay: 'a' as never }) } } : {},
          },
        },
        on: Object.fromEntries(
          ['a', 'b', 'c'].map((type) => [
            type,
            { actions: assign({ order: ({ context }) => context['order'] + type }) as never },
          ]),
        ),
      },
      { delays },
    );
  const orders = (machine: AnyStateMachine, time: 'any' | 'ordered', ...types: string[]) => {
    const environment = types.map((type) => ({ event: { type }, times: 1 }));
    const { views } = explored(system(machine, { time, environment }));
    return new Set(
      views
        .map(({ actors: [actor] }) => actor!.context['order'] as string)
        .filter(({ length }) => length === 3),
    );
  };

  test('is any: each order of three timers', () => {
    expect(orders(timers({ a: 30, b: 10, c: 20 }), 'any').size).toBe(6);
  });

  test('is ordered: of timers of one step the shorter fires first', () => {
    expect(orders(timers({ a: 30, b: 10, c: 20 }), 'ordered')).toEqual(new Set(['bca']));
    expect(orders(timers({ a: 10, b: 10, c: 10 }), 'ordered')).toEqual(new Set(['abc']));
  });

  test('is ordered: a timer armed later that is no shorter does not overtake', () => {
    expect(orders(timers({ a: 20, b: 10, c: 20 }, true), 'ordered', 'go')).toEqual(new Set(['bca']));
    expect(orders(timers({ a: 15, b: 10, c: 20 }, true), 'ordered', 'go')).toEqual(new Set(['bac', 'bca']));
    expect(orders(timers({ a: 5, b: 10, c: 20 }, true), 'ordered', 'go')).toEqual(
      new Set(['abc', 'bac', 'bca']),
    );
  });

  test('is any for a computed delay', () => {
    expect(orders(timers({ a: () => 30, b: 10, c: 20 }), 'ordered')).toEqual(new Set(['abc', 'bac', 'bca']));
  });

  test('is ordered among all actors of a process', () => {
    const child = (delay: number, type: string) =>
      machineOf({ after: { [delay]: { actions: sendParent({ type }) } } });
    const machine = machineOf({
      context: { order: '' },
      entry: [spawnChild(child(20, 'b')), spawnChild(child(10, 'a'))],
      after: { 15: { actions: raise({ type: 'c' }) } },
      on: Object.fromEntries(
        ['a', 'b', 'c'].map((type) => [
          type,
          { actions: assign({ order: ({ context }) => context['order'] + type }) as never },
        ]),
      ),
    });
    expect(orders(machine, 'any').size).toBe(6);
    expect(orders(machine, 'ordered')).toEqual(new Set(['acb']));
  });

  test('tells each timer by its own name, in every snapshot', async () => {
    const machine = machineOf({
      initial: 'one',
      states: { one: { after: { 10: 'two' } }, two: { after: { 20: 'three' } }, three: {} },
    });
    const three = { kind: 'every', is: (actor: ActorView) => !actor.in('three') } as const;
    const { properties } = await check({
      ...system(machine),
      properties: [{ kind: 'always', name: 'never three', predicate: three }],
    });
    const { trace } = properties.find(({ name }) => name === 'never three') as { trace: Trace };
    expect(trace.steps.map(({ action }) => 'timer' in action && action.timer)).toEqual([
      'xstate.after.10.m.one',
      'xstate.after.20.m.two',
    ]);
  });

  test('is ordered once a timer has been cancelled', () => {
    const machine = machineOf({
      initial: 'waiting',
      states: {
        waiting: {
          after: { 10: 'early', 20: 'late' },
          on: { restart: { target: 'waiting', reenter: true } },
        },
        early: {},
        late: {},
      },
    });
    const { ends } = explored(
      system(machine, { time: 'ordered', environment: [{ event: { type: 'restart' } }] }),
    );
    expect(new Set(ends)).toEqual(new Set(['waiting', 'early']));
  });
});

async function summary(of: System) {
  const { properties } = await check(of);
  const named = (verdict: string) =>
    properties.filter((result) => result.verdict === verdict).map(({ name }) => name);
  return { violated: named('violated'), holds: named('holds') };
}
