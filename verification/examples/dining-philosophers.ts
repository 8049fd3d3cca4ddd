import { assign, createMachine } from 'xstate';
import { count, deliveries, events, some, tally, weakly } from '../system/properties.ts';
import { each, role, system } from '../system/typed.ts';

/**
 * Dining philosophers (Dijkstra, 1965): each sits between two forks and needs both to eat. A fork, too, is an actor: it is given to
 * the philosopher that asks first, and keeps the name of the one that asks next. The philosophers ask for their left fork first,
 * and the whole table can starve with one fork in every left hand: `baton verify` prints the shortest way there. Let the last one
 * be left-handed, and no circle of waiting can close: polite-philosophers.ts, where each that is hungry eats.
 */
type Hands = { readonly self: string; readonly first: string; readonly second: string };

const tell = (which: 'first' | 'second', type: 'TAKE' | 'PUT') => ({
  type: 'send',
  params: ({ context: { self, ...forks } }: { context: Hands }) => ({
    target: forks[which],
    message: { type, by: self },
  }),
});
export const philosopher = createMachine({
  types: {} as { context: Hands; events: { type: 'hungry' | 'full' | 'GIVEN' }; input: Hands },
  id: 'philosopher',
  context: ({ input }) => input,
  initial: 'thinking',
  states: {
    thinking: { on: { hungry: { target: 'hungry', actions: tell('first', 'TAKE') } } },
    hungry: {
      initial: 'emptyHanded',
      states: {
        emptyHanded: { on: { GIVEN: { target: 'oneFork', actions: tell('second', 'TAKE') } } },
        oneFork: { on: { GIVEN: '#philosopher.eating' } },
      },
    },
    eating: { on: { full: { target: 'thinking', actions: [tell('first', 'PUT'), tell('second', 'PUT')] } } },
  },
});

type Fork = { readonly nextUp: string | null };
const give = (to: 'by' | 'next') => ({
  type: 'send',
  params: ({ context, event }: { context: Fork; event: { by: string } }) => ({
    target: to === 'by' ? event.by : context.nextUp,
    message: { type: 'GIVEN' },
  }),
});
export const fork = createMachine({
  types: {} as { context: Fork; events: { type: 'TAKE' | 'PUT'; by: string } },
  id: 'fork',
  context: { nextUp: null },
  initial: 'free',
  states: {
    free: { on: { TAKE: { target: 'taken', actions: give('by') } } },
    taken: {
      on: {
        TAKE: { actions: assign({ nextUp: ({ event }) => event.by }) },
        PUT: [
          {
            guard: ({ context }) => context.nextUp !== null,
            actions: [give('next'), assign({ nextUp: null })],
          },
          { target: 'free' },
        ],
      },
    },
  },
});

/** Messages arrive, and no meal lasts for ever. No philosopher need get hungry. */
const untilFull = weakly(deliveries, events('full'));

export function diningPhilosophers({ seats = 3, leftHanded = false, fairness = untilFull } = {}) {
  const around = Array.from({ length: seats }, (_, index) => index + 1);
  const handsOf = (self: string, index: number): Hands => {
    const [left, right] = [`fork ${index + 1}`, `fork ${((index + 1) % seats) + 1}`];
    return leftHanded && index === seats - 1
      ? { self, first: right, second: left }
      : { self, first: left, second: right };
  };
  const sits = (self: string, index: number) =>
    role(philosopher, {
      input: handsOf(self, index),
      environment: [
        { event: { type: 'hungry' }, when: (a) => a.matches('thinking') },
        { event: { type: 'full' }, when: (a) => a.matches('eating') },
      ],
    });
  const table = system(`dining philosophers${leftHanded ? ', one of them left-handed' : ''}`, {
    ...each(
      around.map((seat) => `philosopher ${seat}`),
      sits,
    ),
    ...each(
      around.map((seat) => `fork ${seat}`),
      () => fork,
    ),
  })
    .always(
      'a fork feeds one at a time',
      tally(
        (a) => (a.in('eating') ? ([a.context['first'], a.context['second']] as string[]) : []),
        (times) => times <= 1,
      ),
    )
    .sometimes(
      'as many eat as there are pairs of forks',
      count(
        (a) => a.in('eating'),
        (eating) => eating === Math.floor(seats / 2),
      ),
    )
    .neverEnds('the table is never stuck');
  return around.reduce((all, seat) => {
    const is = (state: string) => some((a) => a.id === `philosopher ${seat}` && a.in(state));
    return all.leadsTo(`philosopher ${seat} eats when hungry`, is('hungry'), is('eating'), fairness);
  }, table);
}

export default diningPhilosophers();
