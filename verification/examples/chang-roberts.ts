import { createMachine } from 'xstate';
import { events, messages, weakly } from '../system/properties.ts';
import { each, role, system } from '../system/typed.ts';

/**
 * Election on a one-way ring (Chang and Roberts, CACM 22(5), 1979): the candidate of the lowest rank wins. A candidate sends its
 * rank to its successor. It gives up where it hears of a lower one, which it passes on; it swallows a higher one; its own, come
 * round the whole ring, makes it the winner. All others pass everything on. A node that is asleep puts what arrives back into its
 * mailbox, which has no order: that is the state before.
 *
 * TLC reports 137 states for the module ChangRoberts of the TLA+ examples with 3 nodes, from all eight choices of candidates at
 * once (`choices`), as here; with 4 nodes 823. 34 of the 137 are reached where all three are candidates.
 */
interface Node {
  readonly self: string;
  readonly successor: string;
  readonly rank: number;
  readonly candidate: boolean;
}
type Event = { type: 'wake' } | { type: 'CLAIM'; rank: number };
interface Args<Of = Event> {
  readonly context: Node;
  readonly event: Of;
}
type Claim = Args<Extract<Event, { type: 'CLAIM' }>>;

const claim = {
  type: 'send',
  params: ({ context: { successor, rank } }: Args) => ({
    target: successor,
    message: { type: 'CLAIM', rank },
  }),
};
const passOn = {
  type: 'send',
  params: ({ context, event }: Args) => ({ target: context.successor, message: event }),
};
const back = {
  type: 'send',
  params: ({ context, event }: Args) => ({ target: context.self, message: event }),
};
export const node = createMachine({
  types: {} as { context: Node; events: Event; input: Node },
  id: 'node',
  context: ({ input }) => input,
  initial: 'asleep',
  states: {
    asleep: {
      on: {
        wake: [
          { guard: ({ context }) => context.candidate, target: 'candidate', actions: claim },
          { target: 'lost' },
        ],
        CLAIM: { actions: back },
      },
    },
    candidate: {
      on: {
        CLAIM: [
          { guard: 'lower', target: 'lost', actions: passOn },
          { guard: 'own', target: 'won' },
        ],
      },
    },
    lost: { on: { CLAIM: { actions: passOn } } },
    won: {},
  },
}).provide({
  guards: {
    lower: ({ context, event }: Claim) => event.rank < context.rank,
    own: ({ context, event }: Claim) => event.rank === context.rank,
  } as never,
});

const idsOf = (nodes: number) => Array.from({ length: nodes }, (_, index) => `node ${index + 1}`);
const inputsOf = (candidates: readonly boolean[]): Readonly<Record<string, Node>> => {
  const ids = idsOf(candidates.length);
  return Object.fromEntries(
    ids.map((id, index) => [
      id,
      { self: id, successor: ids[(index + 1) % ids.length]!, rank: index + 1, candidate: candidates[index]! },
    ]),
  );
};
/** Each choice of candidates among `nodes`. */
export const choices = (nodes: number) =>
  Array.from({ length: 2 ** nodes }, (_, bits) =>
    inputsOf(Array.from({ length: nodes }, (__, index) => (bits >> index) % 2 === 1)),
  );

export const changRoberts = ({ nodes = 3, fairness = weakly(messages, events('wake')) } = {}) =>
  system(
    'Chang-Roberts election',
    each(idsOf(nodes), () =>
      role(node, {
        environment: [{ event: { type: 'wake' }, when: (a) => a.matches('asleep') }],
      }),
    ),
  )
    .over({ order: 'unordered-by-target' })
    .startingWith(inputsOf(Array.from({ length: nodes }, () => true)))
    .always('at most one wins', (_, all) => all.filter((a) => a.matches('won')).length <= 1)
    .always('the winner has the lowest rank, and all others have given up', (_, all) => {
      const winner = all.find((a) => a.matches('won'));
      const isBeaten = (rank: number) => rank > winner!.context.rank;
      return (
        winner === undefined ||
        all.every(
          (a) => a === winner || (a.matches('lost') && (!a.context.candidate || isBeaten(a.context.rank))),
        )
      );
    })
    .sometimes('a node wins', (_, all) => all.some((a) => a.matches('won')))
    .endsOnlyIn('it ends only when all is decided', (_, all) => all.every((a) => a.matches('won', 'lost')))
    .leadsTo(
      'a candidate leads to a winner',
      (_, all) => all.some((a) => a.matches('candidate')),
      (_, all) => all.some((a) => a.matches('won')),
      fairness,
    );

export default changRoberts();
