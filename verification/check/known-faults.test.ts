import { describe, expect, test } from 'vitest';
import { assign, cancel, createActor, createMachine, raise, SimulatedClock } from 'xstate';
import { always, deadlockFree, every, plain, reachable, some } from '../system/properties.ts';
import type { Network, System } from '../system/system.ts';
import { check } from './check.ts';

/*
 * Systems on which an earlier checker gave a wrong verdict; each with the verdict that it must have.
 * `system/shape.test.ts` has the slips of authors of a system.
 */

const verdicts = async (system: System) =>
  (await check(system)).properties.map(({ name, verdict }) => [name, verdict]);
const alone = (machine: ReturnType<typeof createMachine>, more: Partial<System> = {}): System => ({
  ...{ name: 'alone', network: { order: 'fifo' }, properties: [] },
  actors: { a: { machine, environment: [{ event: { type: 'go' } }] } },
  ...more,
});

describe('a message under way to an actor that crashes', () => {
  const shop = createMachine({
    id: 'shop',
    on: {
      buy: {
        actions: { type: 'send', params: { target: 'pay', message: { type: 'CHARGE', order: 1 } } },
      },
    },
  });
  const pay = createMachine({
    types: {} as { context: { charges: number; seen: boolean }; input: { charges: number } | null },
    id: 'pay',
    context: ({ input }) => ({ charges: input?.charges ?? 0, seen: false }),
    on: {
      CHARGE: {
        guard: ({ context }) => !context.seen,
        actions: [
          assign({ charges: ({ context }) => context.charges + 1, seen: true }),
          {
            type: 'persist',
            params: ({ context }: { context: { charges: number } }) => ({ charges: context.charges }),
          },
        ],
      },
    },
  });
  test.each<[Network, string]>([
    [{ order: 'fifo' }, 'holds'],
    [{ order: 'unordered', duplication: 1 }, 'violated'],
    [{ order: 'unordered', duplication: 'unbounded' }, 'violated'],
    [{ order: 'unordered', duplication: 'persistent' }, 'violated'],
  ])('on %j, a customer never pays twice: %s', async (network, verdict) => {
    const system: System = {
      name: 'shop',
      network,
      properties: [
        always(
          'no customer pays twice',
          every((a) => Number(a.context['charges'] ?? 0) <= 1),
        ),
      ],
      actors: {
        shop: { machine: shop, environment: [{ event: { type: 'buy' }, times: 1 }] },
        pay: { machine: pay, crash: { times: 1 }, restart: { input: (disk) => disk } },
      },
    };
    expect(await verdicts(system)).toContainEqual(['no customer pays twice', verdict]);
  });
});

test('a key of an array beside its items is refused, since XState keeps it', async () => {
  const machine = createMachine({
    types: {} as { context: { found: unknown } },
    id: 'm',
    context: { found: [] },
    on: { go: { actions: assign({ found: () => 'a1b2'.match(/\d/) }) } },
  });
  await expect(check(alone(machine as never))).rejects.toMatchObject({
    code: 'VALUE_REFUSED',
    reason: expect.stringContaining("a property 'index'"),
  });
});

test('a history is told the first start like a restart', async () => {
  const machine = createMachine({ id: 'm', entry: 'hello' });
  const system = alone(machine as never, {
    history: { initial: 0, effects: ['hello'], after: (n) => (n as number) + 1 },
    properties: [1, 2, 3].map((n) =>
      reachable(
        `${n}`,
        plain((state) => state.history === n),
      ),
    ),
    actors: { a: { machine: machine as never, crash: { times: 1 }, restart: { input: () => null } } },
  });
  expect((await verdicts(system)).slice(1)).toEqual([
    ['1', 'holds'],
    ['2', 'holds'],
    ['3', 'violated'],
  ]);
});

test('an ignored event or message does not end a deadlock', async () => {
  const stuck = {
    go: { target: 'stuck', actions: { type: 'send', params: { target: 'a', message: { type: 'hello' } } } },
  };
  const machine = createMachine({ id: 'm', initial: 'idle', states: { idle: { on: stuck }, stuck: {} } });
  for (const duplication of [0, 'persistent'] as const) {
    const network = { order: 'unordered', duplication } as const;
    const system = alone(machine as never, { network, properties: [deadlockFree('never stuck')] });
    expect(await verdicts(system)).toContainEqual(['never stuck', 'violated']);
  }
});

test('an actor that fails stops, and the others go on', async () => {
  const bad = createMachine({
    id: 'bad',
    on: { go: { actions: { type: 'send', params: { target: 'nobody', message: { type: 'M' } } } } },
  });
  const counter = createMachine({
    types: {} as { context: { n: number } },
    id: 'n',
    context: { n: 0 },
    on: {
      go: { guard: ({ context }) => context.n < 5, actions: assign({ n: ({ context }) => context.n + 1 }) },
    },
  });
  const environment = [{ event: { type: 'go' } }];
  const actors = {
    a: { machine: bad as never, environment },
    b: { machine: counter as never, environment },
  };
  expect(await check(alone(bad as never, { actors }))).toMatchObject({
    states: 12,
    properties: [{ name: 'no machine fails', verdict: 'violated', trace: { steps: { length: 1 } } }],
  });
});

describe('the checker agrees with XState:', () => {
  test('cancel stops the newest delayed raise of an id, and an older one goes on', async () => {
    const machine = createMachine({
      types: {} as { context: { late: boolean }; events: { type: 'go' | 'stop' | 'search' } },
      id: 'm',
      context: { late: false },
      initial: 'typing',
      states: {
        typing: {
          on: { go: { actions: raise({ type: 'search' }, { delay: 300, id: 'debounce' }) }, stop: 'stopped' },
        },
        stopped: { entry: cancel('debounce'), on: { search: { actions: assign({ late: true }) } } },
      },
    });
    const clock = new SimulatedClock();
    const actor = createActor(machine, { clock }).start();
    for (const type of ['go', 'go', 'stop'] as const) actor.send({ type });
    clock.increment(1_000);
    expect(actor.getSnapshot().context.late).toBe(true);
    const environment = [{ event: { type: 'go' }, times: 2 }, { event: { type: 'stop' } }];
    const system = alone(machine as never, {
      actors: { a: { machine: machine as never, environment } },
      properties: [
        reachable(
          'late',
          some((a) => a.context['late'] === true),
        ),
      ],
    });
    expect(await verdicts(system)).toContainEqual(['late', 'holds']);
  });

  const reaching = (machine: unknown, state: string) =>
    alone(machine as never, {
      actors: { a: { machine: machine as never, environment: [{ event: { type: 'go' } }], outcomes: {} } },
      properties: [
        reachable(
          state,
          some((a) => a.in(state)),
        ),
      ],
    });

  test('an action that is a function runs, and may send to its own machine', async () => {
    const ping = ({ self }: { self: { send: (event: { type: 'pong' }) => void } }) =>
      self.send({ type: 'pong' });
    const machine = createMachine({
      id: 'm',
      initial: 'a',
      states: { a: { on: { go: { actions: ping as never }, pong: 'bad' } }, bad: {} },
    });
    expect(await verdicts(reaching(machine, 'bad'))).toContainEqual(['bad', 'holds']);
    await expect(check(alone(machine as never))).rejects.toMatchObject({ code: 'MACHINE_REFUSED' });
  });

  test('params that are no object, and spread arguments, are kept', async () => {
    const noting = createMachine({
      types: {} as { context: { seen: unknown[] } },
      id: 'm',
      context: { seen: [] },
      initial: 'a',
      states: {
        a: {
          on: {
            go: {
              target: 'b',
              actions: assign((args) => {
                const { context: _, event: __, ...rest } = args;
                return { seen: Object.keys(rest).sort() };
              }),
            },
          },
        },
        b: {
          always: {
            guard: ({ context }) => JSON.stringify(context.seen) === '["self","spawn","system"]',
            target: 'same',
          },
        },
        same: { entry: { type: 'note', params: 5 as never } },
      },
    });
    const system: System = {
      ...reaching(noting, 'same'),
      history: { initial: null, effects: ['note'], after: (_, __, [effect]) => JSON.stringify(effect) },
      actors: { a: { machine: noting as never, environment: [{ event: { type: 'go' } }] } },
    };
    expect(await verdicts(system)).toContainEqual(['same', 'holds']);
  });
});
