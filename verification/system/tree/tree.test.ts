import { describe, expect, test } from 'vitest';
import {
  type AnyStateMachine,
  assign,
  createMachine,
  fromCallback,
  fromObservable,
  fromPromise,
  sendParent,
  sendTo,
  spawnChild,
  stopChild,
} from 'xstate';
import { check } from '../../check/check.ts';
import { systemOf as alone } from '../../check/machine.ts';
import { exploreNaively } from '../../checker/naive.ts';
import { compile } from '../index.ts';
import type { ActorSpec, StateView, System } from '../system.ts';
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

describe('what is invoked', () => {
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

  test('is asked for, all at once, with a stub to paste', () => {
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
      '  "prices": { next: [undefined], done: [undefined], error: [new Error()] }, // a observable',
      '  "inner": { sends: [], atStart: [] }, // a callback',
      '}',
    ].join('\n');
    expect(() => compile(system(machine))).toThrow(
      expect.objectContaining({ code: 'OUTCOMES_MISSING', message: expect.stringContaining(stub) }),
    );
  });

  test('is refused where it is logic of its own making that starts something', () => {
    const logic = { ...promise, transition: (snapshot: unknown) => snapshot, start: () => {} };
    expect(() => compile(system(machineOf({ invoke: { src: logic } })))).toThrow(
      expect.objectContaining({ code: 'MACHINE_REFUSED' }),
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

describe('children', () => {
  const child = machineOf({
    id: 'child',
    initial: 'on',
    states: { on: { on: { end: 'off' } }, off: { type: 'final' } },
  });

  test('two that are spawned without an id share a key: the first goes on, and nothing can stop it', () => {
    const machine = machineOf({ entry: [spawnChild(child), spawnChild(child)] });
    const { views } = explored(system(machine));
    expect(Object.keys(views[0]!.actors[0]!.children!)).toEqual(['undefined', 'x:1']);
  });

  test('an orphan goes on sending', () => {
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

  test('one that has ended stays among them until it is stopped', () => {
    const machine = machineOf({
      entry: spawnChild(child, { id: 'it' }),
      on: { end: { actions: sendTo('it', { type: 'end' }) }, drop: { actions: stopChild('it') } },
    });
    const { views } = explored(system(machine, events('end')));
    expect(views.map(({ actors: [actor] }) => actor!.children!['it']!.status)).toEqual(['active', 'done']);
  });

  test('without end are explored to a bound, and that is said', async () => {
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

  test('that throw fail their parent, unless it takes the error', () => {
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

test('values of classes are refused by their place', () => {
  class Cart {}
  const machine = machineOf({ context: { cart: new Cart() } });
  expect(() => explored(system(machine))).toThrow(
    expect.objectContaining({
      code: 'VALUE_REFUSED',
      message: expect.stringContaining('.context.cart is a Cart'),
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

test('an actor with outcomes is in no symmetry', () => {
  const machine = machineOf({});
  const of = systemOf(
    { a: { machine, outcomes: {} }, b: { machine, outcomes: {} } },
    { symmetry: ['a', 'b'] },
  );
  expect(() => compile(of)).toThrow(expect.objectContaining({ code: 'SYSTEM_INVALID' }));
});

test('two processes speak by send, each with actors of its own', () => {
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
  const light = machineOf({
    initial: 'red',
    states: { red: { on: { go: 'green' } }, green: {}, never: {}, end: { type: 'final' } },
  });

  test('has no unreachable state, and ends only in final states', async () => {
    expect(await summary(alone(light))).toEqual({
      violated: ['ends only in final states', 'reaches never', 'reaches end'],
      holds: ['no machine fails', 'reaches red', 'reaches green'],
    });
  });
});

async function summary(of: System) {
  const { properties } = await check(of);
  const named = (verdict: string) =>
    properties.filter((result) => result.verdict === verdict).map(({ name }) => name);
  return { violated: named('violated'), holds: named('holds') };
}
