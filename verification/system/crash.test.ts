import { describe, expect, it } from 'vitest';
import { assign, setup } from 'xstate';
import { check } from '../check/check.ts';
import { always, deadlockFree, every, reachable, some } from './properties.ts';
import type { Network, Property } from './system.ts';
import { systemOf } from './testing/systems.ts';

/** Asks for one charge. */
const shop = setup({
  actions: { send: (_, _params: { target: string; message: object }) => {} },
}).createMachine({
  id: 'shop',
  on: { buy: { actions: { type: 'send', params: { target: 'payment', message: { type: 'CHARGE' } } } } },
});

/** Takes each order once, and forgets over a restart which orders it has seen. */
const payment = setup({
  types: {} as { context: { charges: number; seen: boolean }; input: { charges: number } | null },
  actions: { persist: (_, _params: { charges: number }) => {} },
}).createMachine({
  id: 'payment',
  context: ({ input }) => ({ charges: input?.charges ?? 0, seen: false }),
  on: {
    CHARGE: {
      guard: ({ context }) => !context.seen,
      actions: [
        assign({ charges: ({ context }) => context.charges + 1, seen: true }),
        { type: 'persist', params: ({ context }) => ({ charges: context.charges }) },
      ],
    },
  },
});

const properties: readonly Property[] = [
  always(
    'nobody pays twice',
    every(({ context }) => ((context['charges'] as number) ?? 0) <= 1),
  ),
  reachable(
    'the charge comes while the service is down, and is taken after',
    some(({ id, crashes, context }) => id === 'payment' && crashes === 1 && context['charges'] === 1),
  ),
];

async function verdicts(network: Network, inbox?: 'kept' | 'lost'): Promise<readonly string[]> {
  const report = await check(
    systemOf(
      {
        shop: { machine: shop, environment: [{ event: { type: 'buy' }, times: 1 }] },
        payment: {
          machine: payment,
          crash: { times: 1, ...(inbox === undefined ? {} : { inbox }) },
          restart: { input: (disk) => disk },
        },
      },
      { network, properties },
    ),
  );
  return report.properties.slice(1).map(({ verdict }) => verdict);
}

describe('a message that is under way when its receiver crashes', () => {
  it.each<[string, Network, 'kept' | 'lost' | undefined, string]>([
    ['is lost with the connection', { order: 'fifo', duplication: 1 }, undefined, 'holds'],
    ['is kept on a link that is none', { order: 'fifo', duplication: 1 }, 'kept', 'violated'],
    ['is kept in a bag', { order: 'unordered', duplication: 1 }, undefined, 'violated'],
    [
      'is kept in a bag for all',
      { order: 'unordered-by-target', duplication: 'unbounded' },
      undefined,
      'violated',
    ],
    ['is lost where the system says so', { order: 'unordered', duplication: 1 }, 'lost', 'holds'],
    ['is there for ever', { order: 'unordered', duplication: 'persistent' }, undefined, 'violated'],
  ])('%s', async (_, network, inbox, verdict) => {
    expect(await verdicts(network, inbox)).toEqual([verdict, 'holds']);
  });
});

it('an event that changes nothing does not end a deadlock', async () => {
  const machine = setup({}).createMachine({
    id: 'sender',
    initial: 'idle',
    states: { idle: { on: { go: 'stuck' } }, stuck: {} },
  });
  const actors = { a: { machine, environment: [{ event: { type: 'go' } }] } };
  const { properties, ...counts } = await check(
    systemOf(actors, { properties: [deadlockFree('never stuck')] }),
  );
  expect(counts).toMatchObject({ states: 2, transitions: 2 });
  expect(properties[1]).toMatchObject({ verdict: 'violated', trace: { steps: { length: 1 } } });
});

it('a message that arrives for ever and changes nothing does not end a deadlock', async () => {
  const network = { order: 'unordered', duplication: 'persistent' } as const;
  const machine = setup({}).createMachine({ id: 'deaf' });
  const actors = {
    shop: { machine: shop, environment: [{ event: { type: 'buy' }, times: 1 }] },
    payment: { machine },
  };
  const { properties } = await check(
    systemOf(actors, { network, properties: [deadlockFree('never stuck')] }),
  );
  expect(properties[1]).toMatchObject({ verdict: 'violated', trace: { steps: { length: 1 } } });
});
