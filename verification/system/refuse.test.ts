import { describe, expect, it } from 'vitest';
import {
  type AnyStateMachine,
  assign,
  createMachine,
  emit,
  enqueueActions,
  fromPromise,
  sendParent,
  sendTo,
  setup,
  spawnChild,
} from 'xstate';
import { exploreNaively } from '../checker/naive.ts';
import type { SystemErrorCode } from './errors.ts';
import { compile } from './index.ts';
import type { System } from './system.ts';
import { alone, envelopes, systemOf } from './testing/systems.ts';

const child = createMachine({ id: 'child' });
type Transition = Exclude<NonNullable<Parameters<typeof createMachine>[0]['on']>, undefined>[string];

function onGo(go: Transition): AnyStateMachine {
  return createMachine({ id: 'odd', context: { n: 0 }, on: { go } }) as AnyStateMachine;
}

function explore(system: System) {
  return exploreNaively(compile(system).model);
}

function expectRefused(system: System, code: SystemErrorCode, says: RegExp) {
  expect(() => explore(system)).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(says) }),
  );
}

const go = { environment: [{ event: { type: 'go' } }] };

it('one error lists all forbidden features of all machines', () => {
  const one = createMachine({
    id: 'one',
    entry: () => {},
    invoke: { src: child },
    on: { go: { actions: () => {} } },
  });
  const two = onGo({ actions: sendTo('b', { type: 'M' }) });
  expectRefused(
    systemOf({ a: { machine: one as AnyStateMachine }, b: { machine: two } }),
    'MACHINE_REFUSED',
    /machine 'one' uses invoke in state 'one'; a function as an action in state 'one', which no check would run\.\nmachine 'odd' uses sendTo in state 'odd'\./,
  );
});

it('one error lists all refused steps of all machines, past the first one of each', () => {
  let calls = 0;
  const one = createMachine({
    id: 'one',
    context: { n: 0 },
    initial: 'a',
    states: {
      a: { on: { go: { target: 'b', actions: assign({ n: () => Date.now() + Math.random() }) } } },
      b: { on: { go: { target: 'c', actions: assign({ n: () => ++calls }) } } },
      c: { on: { go: { target: 'a', actions: assign({ n: () => crypto.randomUUID().length }) } } },
    },
  });
  const two = createMachine({ id: 'two', context: { at: new Date(0), all: [1, new Set()] } });
  const environment = [{ event: { type: 'go' } }];
  let message = '';
  try {
    explore(systemOf({ a: { machine: one as AnyStateMachine, environment }, b: { machine: two } }));
  } catch (error) {
    message = (error as Error).message;
  }
  for (const place of [
    /VALUE_REFUSED: 6 places are refused/,
    /machine 'two'\.context\.at must be plain JSON, and is a Date/,
    /machine 'two'\.context\.all\[1\] must be plain JSON, and is a Set/,
    /machine 'one' reads Date\.now on go in "a"/,
    /machine 'one' reads Math\.random on go in "a"/,
    /machine 'one' does not answer the same event in the same way: run again on go in "b"/,
    /machine 'one' reads crypto\.randomUUID on go in "c"/,
  ])
    expect(message).toMatch(place);
});

it('one error lists all features of all machines that are not compiled', () => {
  const odd = (id: string, key: string) =>
    createMachine({ id, initial: 'a', states: { a: { [key]: 1 }, b: { [key]: 1 } } } as never);
  expectRefused(
    systemOf({ a: { machine: odd('one', 'entri') }, b: { machine: odd('two', 'exits') } }),
    'MACHINE_REFUSED',
    /state 'one\.a' has entri; state 'one\.b' has entri; compiled .*\n.*state 'two\.a' has exits; state 'two\.b' has exits/,
  );
});

describe('features that a machine may not use', () => {
  it.each<[string, AnyStateMachine, RegExp]>([
    [
      'invoke',
      createMachine({ id: 'odd', invoke: { src: fromPromise(() => Promise.resolve()) } }),
      /uses invoke in state 'odd'/,
    ],
    ['sendTo', onGo({ actions: sendTo('b', { type: 'M' }) }), /uses sendTo in state 'odd'/],
    ['sendParent', onGo({ actions: sendParent({ type: 'M' }) }), /uses sendTo/],
    ['spawnChild', onGo({ actions: spawnChild(child) }), /uses spawnChild/],
    ['emit', onGo({ actions: emit({ type: 'M' }) }), /uses emit/],
    [
      'a function as an action',
      onGo({ actions: ({ self }) => self.send({ type: 'go' }) }),
      /uses a function/,
    ],
    [
      'an enqueued function',
      onGo({ actions: enqueueActions(({ enqueue }) => enqueue(({ self }) => self.send({ type: 'go' }))) }),
      /uses an enqueued function/,
    ],
    [
      'a named sendTo',
      createMachine(
        { id: 'odd', on: { go: { actions: 'tell' } } },
        { actions: { tell: sendTo('b', { type: 'M' }) } },
      ),
      /uses sendTo/,
    ],
    [
      'spawn in assign',
      onGo({ actions: assign(({ spawn }) => ({ n: spawn(child).id.length })) }),
      /uses self/,
    ],
    [
      'enqueued spawn',
      onGo({ actions: enqueueActions(({ enqueue }) => enqueue.spawnChild(child)) }),
      /uses self/,
    ],
    [
      'enqueued sendTo',
      onGo({ actions: enqueueActions(({ enqueue }) => enqueue.sendTo('b', { type: 'M' })) }),
      /uses sendTo/,
    ],
    ['self', onGo({ actions: assign(({ self }) => ({ n: self.id.length })) }), /uses self\.id/],
    [
      'system',
      onGo({ actions: assign(({ system }) => ({ n: system.get('b') === undefined ? 0 : 1 })) }),
      /uses system\.get/,
    ],
  ])('%s', (_, machine, says) => {
    expectRefused(alone(machine, go), 'MACHINE_REFUSED', says);
  });
});

describe('inputs that a step may not depend on', () => {
  let calls = 0;
  const readClock = () => Date.now();
  it.each<[string, AnyStateMachine, RegExp]>([
    ['a date in a guard', onGo({ guard: () => Date.now() > 0, actions: 'never' }), /reads .*now/],
    ['a new date', onGo({ actions: assign({ n: () => new Date().getTime() }) }), /reads new Date/],
    [
      'a clock whose error is caught',
      onGo({
        actions: assign({
          n: () => {
            try {
              return readClock();
            } catch {
              return 0;
            }
          },
        }),
      }),
      /reads .*now/,
    ],
    ['chance', onGo({ actions: assign({ n: () => Math.random() }) }), /reads Math\.random/],
    ['a random id', onGo({ actions: assign({ n: () => crypto.randomUUID().length }) }), /reads .*randomUUID/],
    [
      'what it did before',
      onGo({ actions: assign({ n: () => ++calls }) }),
      /does not answer the same event in the same way: .* variables outside of the machine/,
    ],
    [
      'a clock that cannot be locked',
      onGo({ actions: assign({ n: () => Number(process.hrtime.bigint()) }) }),
      /not on a clock, chance/,
    ],
    [
      'the order of keys',
      onGo({ actions: assign({ n: ({ event }) => Object.keys(event).indexOf('type') }) }),
      /order of keys/,
    ],
    [
      'the order of keys, in one context alone',
      onGo({
        actions: assign({
          n: ({ context, event }) =>
            context['n'] === 3 ? Object.keys(event).indexOf('type') : context['n'] + 1,
        }),
      }),
      /order of keys/,
    ],
  ])('%s', (_, machine, says) => {
    const environment = [{ event: { type: 'go', also: 1 } }];
    expectRefused(alone(machine, { environment }), 'MACHINE_IMPURE', says);
    expect(new Date().getTime()).toBeLessThanOrEqual(Date.now());
    expect(Math.random()).toBeLessThan(1);
  });
});

it('a step may not depend on the order in which regions were entered', () => {
  const set = setup({
    types: {} as { context: { n: number; open: boolean } },
    guards: { isOpen: ({ context }) => context.open },
    actions: { one: assign({ n: 1 }), two: assign({ n: 2 }), open: assign({ open: true }) },
  });
  const region = (actions: 'one' | 'two') =>
    ({
      initial: 'out',
      states: { out: { always: { guard: 'isOpen', target: 'in', actions } }, in: {} },
    }) as const;
  const machine = set.createMachine({
    id: 'odd',
    type: 'parallel',
    context: { n: 0, open: false },
    states: { first: region('one'), second: region('two') },
    on: { go: { actions: 'open' } },
  });
  expectRefused(alone(machine, go), 'MACHINE_IMPURE', /which region was entered last/);
});

function containsItself(): unknown {
  const value: Record<string, unknown> = {};
  value['self'] = { value };
  return value;
}

function nested(levels: number): unknown {
  let value: unknown = 0;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

describe('values that are not plain JSON', () => {
  class Point {}
  it.each<[string, unknown]>([
    ['a Map', new Map()],
    ['a Set', new Set()],
    ['a Date', new Date(0)],
    ['a function', () => 0],
    ['an instance', new Point()],
    ['NaN', Number.NaN],
    ['-0', -0],
    ['a hole', new Array(1)],
    ['a bigint', 1n],
    ['a match, an array with properties of its own', 'a1b2'.match(/\d/)],
    ['an array of a class of its own', new (class extends Array {})()],
    ['a key that is a symbol', { [Symbol('key')]: 1 }],
    ['a key that is not enumerable', Object.defineProperty({}, 'hidden', { value: 1 })],
    ['a getter', Object.defineProperty({}, 'at', { get: () => 1, enumerable: true })],
    ['a value that contains itself', containsItself()],
    ['a thousand levels', nested(1_000)],
  ])('%s in a context', (_, odd) => {
    expectRefused(alone(createMachine({ id: 'odd', context: { odd } })), 'VALUE_REFUSED', /context\.odd/);
  });

  it('are refused with the path to the part', () => {
    const odd = createMachine({ id: 'odd', context: { list: [{ at: 1 }, { at: [0, new Map()] }] } });
    expectRefused(
      alone(odd),
      'VALUE_REFUSED',
      /context\.list\[1\]\.at\[1\] must be plain JSON, and is a Map/,
    );
  });

  it.each([{ n: 1 }, 'M', null])('%j, which has no type, as a message', (message) => {
    const machine = onGo({ actions: { type: 'send', params: { target: 'a', message } } });
    expectRefused(alone(machine, go), 'VALUE_REFUSED', /must have a type/);
  });

  it('are refused in a message', () => {
    const machine = onGo({
      actions: { type: 'send', params: { target: 'a', message: { type: 'M', at: new Date(0) } } },
    });
    expectRefused(
      alone(machine, go),
      'VALUE_REFUSED',
      /a message from 'a' to 'a'\.at must be plain JSON, and is a Date/,
    );
  });
});

describe('systems that contradict themselves', () => {
  const machine = createMachine({ id: 'still' });
  const two = { a: { machine }, b: { machine } };
  it.each<[string, System, SystemErrorCode, RegExp]>([
    ['no actors', systemOf({}), 'SYSTEM_INVALID', /no actors/],
    [
      'breaks without a queue',
      envelopes(1, { order: 'unordered', breaks: 1 }),
      'SYSTEM_INVALID',
      /Use order: 'fifo'/,
    ],
    [
      'a persistent queue',
      envelopes(1, { order: 'fifo', duplication: 'persistent' }),
      'SYSTEM_INVALID',
      /order: 'unordered'/,
    ],
    ['a bound below 0', envelopes(1, { order: 'fifo', loss: -1 }), 'SYSTEM_INVALID', /network\.loss/],
    ['half a crash', alone(machine, { crash: { times: 0.5 } }), 'SYSTEM_INVALID', /crash\.times of 'a'/],
    [
      'a start that does not fit',
      envelopes(2, { order: 'fifo', capacity: 1 }),
      'SYSTEM_INVALID',
      /must fit into network\.capacity/,
    ],
    [
      'strange symmetry',
      systemOf(two, { symmetry: ['a', 'x'] }),
      'SYSTEM_INVALID',
      /symmetry must list distinct actors of a, b/,
    ],
    [
      'symmetry of different machines',
      systemOf({ ...two, b: { machine: child } }, { symmetry: ['a', 'b'] }),
      'SYMMETRY_BROKEN',
      /'a' and 'b'/,
    ],
    [
      'symmetry of different environments',
      systemOf({ ...two, b: { machine, ...go } }, { symmetry: ['a', 'b'] }),
      'SYMMETRY_BROKEN',
      /same lists/,
    ],
  ])('%s', (_, system, code, says) => {
    expectRefused(system, code, says);
  });
});
