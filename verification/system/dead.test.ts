import { expect, test } from 'vitest';
import { assign, createMachine, setup } from 'xstate';
import type { Message } from '../../machines/actor.ts';
import type { ActorView, Network, System } from './system.ts';
import { breadthFirstStates } from './testing/states.ts';
import { systemOf } from './testing/systems.ts';

type Numbered = Message & { readonly n: number };

/** Keeps the highest number that came. */
const highest = setup({
  types: {} as { context: { seen: number }; events: Numbered },
}).createMachine({
  id: 'highest',
  context: { seen: 0 },
  on: {
    M: {
      guard: ({ context, event }) => event.n > context.seen,
      actions: assign({ seen: ({ event }) => event.n }),
    },
  },
});

const sender = createMachine({
  id: 'sender',
  entry: [1, 3, 2].map((n) => ({ type: 'send', params: { target: 'b', message: { type: 'M', n } } })),
});

const isDead = (message: Message, { context }: ActorView) =>
  (message as Numbered).n <= (context['seen'] as number);

function received(network: Network, dead?: typeof isDead): System {
  return systemOf(
    { a: { machine: sender }, b: { machine: highest, ...(dead === undefined ? {} : { dead }) } },
    { network },
  );
}

test.each(['fifo', 'unordered'] as const)(
  '%s: the states are those of before without their dead messages',
  (order) => {
    const all = breadthFirstStates(received({ order }));
    const without = all.map(({ a, b }) => {
      const { seen } = b!.context as { seen: number };
      return { a, b: { ...b!, inbox: b!.inbox.filter(({ message }) => (message as Numbered).n > seen) } };
    });
    const distinct = (states: readonly object[]) => new Set(states.map((state) => JSON.stringify(state)));
    const living = breadthFirstStates(received({ order }, isDead));
    expect(distinct(living)).toEqual(distinct(without));
    expect(living.length).toBeLessThan(all.length);
  },
);

test('a message that has an effect is not dead', () => {
  const wrong = () => breadthFirstStates(received({ order: 'fifo' }, () => true));
  expect(wrong).toThrow(expect.objectContaining({ code: 'SYSTEM_INVALID' }));
});
