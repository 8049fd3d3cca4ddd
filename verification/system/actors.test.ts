import { describe, expect, it } from 'vitest';
import { assign, cancel, createMachine, raise, setup } from 'xstate';
import { exploreNaively } from '../checker/naive.ts';
import { compile } from './index.ts';
import type { ActorView, StateRecord, System } from './system.ts';
import { alone, envelopes, systemOf } from './testing/systems.ts';

function explored(system: System) {
  const compiled = compile(system);
  const records: StateRecord[] = [];
  const { states, transitions } = exploreNaively(compiled.model, (state) =>
    records.push(compiled.record(state)),
  );
  return { states, transitions, records };
}

/** Counts ticks, and persists each. */
const store = setup({
  types: {} as { context: { n: number }; input: { disk: { n: number } | null } },
  actions: { persist: (_, _params: { n: number }) => {} },
}).createMachine({
  id: 'store',
  context: ({ input }) => ({ n: input.disk?.n ?? 0 }),
  on: {
    tick: {
      actions: [
        assign(({ context }) => ({ n: context.n + 1 })),
        { type: 'persist', params: ({ context }) => ({ n: context.n }) },
      ],
    },
  },
});
const fresh = { machine: store, input: { disk: null } };

describe('the environment', () => {
  it('offers a bounded event up to its bound over a whole run', () => {
    const environment = [{ event: { type: 'tick' }, times: 3 }];
    expect(explored(systemOf({ a: { ...fresh, environment } }))).toMatchObject({ states: 4, transitions: 3 });
  });

  it('offers an event when its condition holds', () => {
    const environment = [
      { event: { type: 'tick' }, when: ({ context }: ActorView) => Number(context['n']) < 2 },
    ];
    expect(explored(systemOf({ a: { ...fresh, environment } }))).toMatchObject({ states: 3, transitions: 2 });
  });
});

describe('a crash', () => {
  it('ends an actor that may not restart', () => {
    const environment = [{ event: { type: 'tick' }, times: 1 }];
    const system = systemOf({ a: { ...fresh, environment, crash: { times: 1 } } });
    expect(explored(system)).toMatchObject({ states: 4, transitions: 3 });
  });

  it('is followed by a restart from the params of the last persist', () => {
    const system = systemOf({
      a: {
        ...fresh,
        environment: [{ event: { type: 'tick' }, when: ({ context }) => context['n'] === 0 }],
        crash: { times: 1 },
        restart: { input: (disk) => ({ disk }) },
      },
    });
    const { records, ...counts } = explored(system);
    expect(counts).toEqual({ states: 6, transitions: 6 });
    expect(records.filter(({ a }) => !a!.up)).toHaveLength(2);
  });

  it('loses the inbox, and messages that arrive while the actor is down', () => {
    const system = envelopes(1, { order: 'fifo' });
    const b = { ...system.actors['b']!, crash: { times: 1 } };
    const pinged = { ...system, actors: { ...system.actors, b } };
    const { records, states } = explored(pinged);
    // Under way, got, down before it came, down after.
    expect(states).toBe(3);
    expect(records.filter(({ b: it }) => !it!.up).map(({ b: it }) => it!.inbox)).toEqual([[]]);
  });
});

describe('timers', () => {
  it('may fire at any time while they are armed', () => {
    const waiting = createMachine({
      id: 'waiting',
      initial: 'waiting',
      states: { waiting: { after: { 1000: 'late' }, on: { ack: 'done' } }, late: {}, done: {} },
    });
    const ack = { event: { type: 'ack' }, when: ({ value }: { value: unknown }) => value === 'waiting' };
    const { records, ...counts } = explored(alone(waiting, { environment: [ack] }));
    expect(counts).toEqual({ states: 3, transitions: 2 });
    expect(records.map(({ a }) => [a!.value, a!.timers.length])).toEqual([
      ['waiting', 1],
      ['done', 0],
      ['late', 0],
    ]);
  });

  it('accumulate under one name too, and cancel stops only the newest', () => {
    const machine = createMachine({
      id: 'alarm',
      on: {
        set: { actions: raise({ type: 'ring' }, { delay: 10, id: 'alarm' }) },
        unset: { actions: cancel('alarm') },
        ring: { actions: 'rang' },
      },
    });
    const environment = [
      { event: { type: 'set' }, times: 2 },
      { event: { type: 'unset' }, times: 1 },
    ];
    const { records } = explored(alone(machine, { environment }));
    const armed = new Set(records.map(({ a }) => a!.timers.join()));
    expect(armed).toEqual(new Set(['', 'alarm', 'alarm,alarm']));
  });

  it('without a name accumulate', () => {
    const machine = createMachine({
      id: 'alarm',
      on: { set: { actions: raise({ type: 'ring' }, { delay: 10 }) } },
    });
    const environment = [{ event: { type: 'set' }, times: 2 }];
    const { records } = explored(alone(machine, { environment }));
    expect(new Set(records.map(({ a }) => a!.timers.join()))).toEqual(new Set(['', 'ring', 'ring,ring']));
  });

  it('end with the machine', () => {
    const machine = createMachine({
      id: 'final',
      initial: 'on',
      entry: raise({ type: 'ring' }, { delay: 10, id: 'alarm' }),
      states: { on: { on: { off: 'off' } }, off: { type: 'final' } },
    });
    const environment = [{ event: { type: 'off' } }];
    const { records } = explored(alone(machine, { environment }));
    expect(records.find(({ a }) => a!.value === 'off')).toMatchObject({ a: { timers: [] } });
  });
});

describe('a broadcast', () => {
  it('reaches all other actors except those that have left', () => {
    const member = createMachine({
      id: 'member',
      initial: 'in',
      states: { in: { on: { leave: { target: 'out', actions: 'left' } } }, out: {} },
      on: { hello: { actions: { type: 'broadcast', params: { message: { type: 'HI' } } } } },
    });
    const system = systemOf({
      a: { machine: member, environment: [{ event: { type: 'hello' }, times: 1 }] },
      b: { machine: member, environment: [{ event: { type: 'leave' }, times: 1 }] },
      c: { machine: member },
    });
    const { records } = explored(system);
    const greeted = records.filter(({ c }) => c!.inbox.length === 1);
    expect(greeted.some(({ b }) => b!.inbox.length === 1)).toBe(true);
    expect(greeted.some(({ b }) => b!.value === 'out' && b!.inbox.length === 0)).toBe(true);
    expect(records.every(({ a }) => a!.inbox.length === 0)).toBe(true);
  });
});

describe('a machine that fails', () => {
  const go = [{ event: { type: 'go' } }];

  it.each([
    [
      'throws in an action',
      {
        actions: assign(() => {
          throw new Error('boom');
        }),
      },
      'boom',
    ],
    [
      'throws in a guard',
      {
        guard: () => {
          throw new Error('boom');
        },
        actions: 'never',
      },
      /boom/,
    ],
    [
      'sends to nil',
      { actions: { type: 'send', params: { target: null, message: { type: 'M' } } } },
      /to null, which is no actor/,
    ],
    [
      'sends to a stranger',
      { actions: { type: 'send', params: { target: 'x', message: { type: 'M' } } } },
      /to "x", which is no actor/,
    ],
    [
      'writes to its context',
      {
        actions: assign(({ context }) => {
          context['n'] = 1;
          return {};
        }),
      },
      /read only/,
    ],
  ])('%s: stops in a state that says so', (_, transition, fault) => {
    const machine = createMachine({ id: 'failing', context: { n: 0 }, on: { go: transition } } as Parameters<
      typeof createMachine
    >[0]);
    const { records, states } = explored(alone(machine, { environment: go }));
    expect(states).toBe(2);
    expect(records[1]!['a']!.fault).toMatch(fault);
  });

  it('never comes to rest', () => {
    const machine = createMachine({
      id: 'restless',
      initial: 'to',
      states: { to: { on: { go: 'fro' } }, fro: { always: 'from' }, from: { always: 'fro' } },
    });
    expect(explored(alone(machine, { environment: go })).records[1]!['a']!.fault).toMatch(/no rest after/);
  });

  it('is reported if it fails at its start', () => {
    const machine = createMachine({
      id: 'stillborn',
      context: () => {
        throw new Error('boom');
      },
    });
    expect(explored(alone(machine)).records).toMatchObject([{ a: { fault: 'boom' } }]);
  });
});

describe('a machine that ends', () => {
  it('takes no event any more', () => {
    const ended = createMachine({
      id: 'ended',
      context: { got: 0 },
      initial: 'end',
      states: { end: { type: 'final' } },
      on: { M: { actions: assign(({ context }) => ({ got: context.got + 1 })) } },
    });
    const system = envelopes(1, { order: 'fifo' });
    const { records } = explored({ ...system, actors: { ...system.actors, b: { machine: ended } } });
    expect(records.map(({ b }) => [b!.inbox.length, b!.context])).toEqual([
      [1, { got: 0 }],
      [0, { got: 0 }],
    ]);
  });
});

describe('a history state', () => {
  it('is part of the snapshot, in any order of its regions', () => {
    const half = (name: string) => ({
      initial: 'one',
      states: { one: { on: { [name]: 'two' } }, two: {}, back: { type: 'history' as const } },
    });
    const machine = createMachine({
      id: 'halves',
      initial: 'left',
      states: { left: half('l'), right: half('r'), rest: {} },
      on: { left: '.left.back', right: '.right.back', rest: '.rest' },
    });
    const environment = ['left', 'right', 'rest', 'l', 'r'].map((type) => ({ event: { type } }));
    const { records, states } = explored(alone(machine, { environment }));
    // Left in one or two, right not seen yet, or left in one or two.
    expect(records.filter(({ a }) => a!.value === 'rest')).toHaveLength(6);
    // In the left half for the first time: 2. Back in it, where it was or further on: 3, by 3 for the right half.
    // In the right half, for the first time or back in it: 2 + 3, by 2 for the left half.
    expect(states).toBe(6 + 2 + 3 * 3 + (2 + 3) * 2);
  });
});

describe('a view', () => {
  it('merges snapshots with equal views, and the first one found is explored', () => {
    const counter = createMachine({
      id: 'counter',
      context: { n: 0 },
      on: { tick: { actions: assign(({ context }) => ({ n: context.n + 1 })) } },
    });
    const system = alone(counter, { environment: [{ event: { type: 'tick' } }] });
    const parity = { ...system, view: ({ context }: ActorView) => Number(context['n']) % 2 };
    const { records, ...counts } = explored(parity);
    expect(counts).toEqual({ states: 2, transitions: 2 });
    expect(records).toMatchObject([{ a: { context: { n: 0 } } }, { a: { context: { n: 1 } } }]);
  });
});
