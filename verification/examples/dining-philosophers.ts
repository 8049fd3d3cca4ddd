import { assign, setup } from 'xstate';
import type { ActorSpec, EnvironmentEvent, Fairness, System } from '../system/system.ts';

/**
 * Dining philosophers (Dijkstra, 1965): each sits between two forks and needs both to eat. All are actors here, the
 * forks too; a fork is given to who asks first, and keeps the name of who asks next.
 *
 * Everyone takes the fork on the left first, and the whole table can starve with one fork in every left hand: the
 * default export, whose shortest way into the deadlock `baton verify` prints. Let the last philosopher be
 * left-handed, and no circle of waiting can close: polite-philosophers.ts, where everybody who is hungry eats.
 *
 * Counts: there are none to compare with, since the published models let a philosopher look at a fork without
 * asking it. The test pins ours.
 */
export function diningPhilosophers(options: Partial<DiningPhilosophersOptions> = {}): System {
  const { seats = 3, leftHanded = false, machines = { philosopher, fork } } = options;
  const around = Array.from({ length: seats }, (_, index) => index + 1);
  return {
    name: leftHanded ? 'dining philosophers, one of them left-handed' : 'dining philosophers',
    actors: Object.fromEntries([
      ...around.map((seat): [string, ActorSpec] => {
        const [left, right] = [`fork ${seat}`, `fork ${(seat % seats) + 1}`];
        const [first, second] = leftHanded && seat === seats ? [right, left] : [left, right];
        const input = { self: `philosopher ${seat}`, first, second };
        return [input.self, { machine: machines.philosopher, input, environment: [hungry, full] }];
      }),
      ...around.map((seat): [string, ActorSpec] => [`fork ${seat}`, { machine: machines.fork }]),
    ]),
    network: { order: 'fifo' },
    properties: [
      {
        kind: 'always',
        name: 'a fork feeds one at a time',
        predicate: {
          kind: 'tally',
          names: (actor) => {
            const { first, second } = actor.context as Philosopher['context'];
            return actor.in('eating') ? [first, second] : [];
          },
          is: (times) => times <= 1,
        },
      },
      {
        kind: 'reachable',
        name: 'as many eat as there are pairs of forks',
        predicate: {
          kind: 'count',
          of: (actor) => (actor.in('eating') ? 1 : 0),
          is: (eating) => eating === Math.floor(seats / 2),
        },
      },
      { kind: 'deadlockFree', name: 'the table is never stuck' },
      ...around.map(
        (seat) =>
          ({
            kind: 'leadsTo',
            name: `philosopher ${seat} eats when hungry`,
            from: { kind: 'some', is: (actor) => actor.id === `philosopher ${seat}` && actor.in('hungry') },
            to: { kind: 'some', is: (actor) => actor.id === `philosopher ${seat}` && actor.in('eating') },
            fairness: options.fairness ?? untilFull,
          }) as const satisfies System['properties'][number],
      ),
    ],
  };
}

export interface DiningPhilosophersOptions {
  readonly seats: number;
  /** The last philosopher takes the right fork first. */
  readonly leftHanded: boolean;
  readonly fairness: Fairness;
  readonly machines: { readonly philosopher: ActorSpec['machine']; readonly fork: ActorSpec['machine'] };
}

type ToFork = { readonly type: 'TAKE'; readonly by: string } | { readonly type: 'PUT' };
type ToPhilosopher = { readonly type: 'GIVEN' };

interface Philosopher {
  context: { readonly self: string; readonly first: string; readonly second: string };
  events: { readonly type: 'hungry' } | { readonly type: 'full' } | ToPhilosopher;
  input: { readonly self: string; readonly first: string; readonly second: string };
}

const take = (which: 'first' | 'second') =>
  ({
    type: 'send',
    params: ({ context }: { context: Philosopher['context'] }) => ({
      target: context[which],
      message: { type: 'TAKE' as const, by: context.self },
    }),
  }) as const;

const put = (which: 'first' | 'second') =>
  ({
    type: 'send',
    params: ({ context }: { context: Philosopher['context'] }) => ({
      target: context[which],
      message: { type: 'PUT' as const },
    }),
  }) as const;

export const philosopher = setup({
  types: {} as Philosopher,
  actions: { send: (_, _params: { target: string; message: ToFork }) => {} },
}).createMachine({
  id: 'philosopher',
  context: ({ input }) => input,
  initial: 'thinking',
  states: {
    thinking: { on: { hungry: { target: 'hungry', actions: take('first') } } },
    hungry: {
      initial: 'emptyHanded',
      states: {
        emptyHanded: { on: { GIVEN: { target: 'oneFork', actions: take('second') } } },
        oneFork: { on: { GIVEN: '#philosopher.eating' } },
      },
    },
    eating: { on: { full: { target: 'thinking', actions: [put('first'), put('second')] } } },
  },
});

interface Fork {
  /** Who asked while it was taken; a fork has two neighbours, so there is never a second one. */
  context: { readonly nextUp: string | null };
  events: ToFork;
}

export const fork = setup({
  types: {} as Fork,
  actions: { send: (_, _params: { target: string; message: ToPhilosopher }) => {} },
  guards: { someoneWaits: ({ context }) => context.nextUp !== null },
}).createMachine({
  id: 'fork',
  context: { nextUp: null },
  initial: 'free',
  states: {
    free: {
      on: {
        TAKE: {
          target: 'taken',
          actions: {
            type: 'send',
            params: ({ event }) => ({ target: event.by, message: { type: 'GIVEN' } }),
          },
        },
      },
    },
    taken: {
      on: {
        TAKE: { actions: assign({ nextUp: ({ event }) => event.by }) },
        PUT: [
          {
            guard: 'someoneWaits',
            actions: [
              {
                type: 'send',
                params: ({ context }) => ({ target: context.nextUp!, message: { type: 'GIVEN' } }),
              },
              assign({ nextUp: null }),
            ],
          },
          { target: 'free' },
        ],
      },
    },
  },
});

const hungry: EnvironmentEvent = { event: { type: 'hungry' }, when: (actor) => actor.in('thinking') };
const full: EnvironmentEvent = { event: { type: 'full' }, when: (actor) => actor.in('eating') };

/** What was said arrives, and nobody eats for ever. Nobody need get hungry. */
const untilFull: Fairness = {
  weak: (action) => {
    if (action.kind === 'deliver') return `${action.source} to ${action.actor}`;
    return action.kind === 'environment' && action.event.type === 'full' ? `${action.actor} full` : null;
  },
};

export default diningPhilosophers();
