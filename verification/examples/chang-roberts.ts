import { setup } from 'xstate';
import type { ActorSpec, EnvironmentEvent, Fairness, System } from '../system/system.ts';

/**
 * Election on a one-way ring (Chang and Roberts, CACM 22(5), 1979): the candidate of the lowest rank wins.
 *
 * Who starts as a candidate sends its rank to its successor. A candidate that sees a lower rank gives up and passes
 * it on; it swallows a higher one; its own, come round the whole ring, makes it the winner. Who is no candidate passes
 * everything on.
 *
 * A node that still sleeps is not ready to answer, and puts what arrives back into its own mailbox: in a mailbox
 * without order (`unordered-by-target`) that is the state before, as if it had not been delivered yet.
 *
 * Counts. TLC reports 137 states for the module ChangRoberts of the TLA+ examples with 3 nodes, over all eight
 * choices of who is a candidate. Ours add up to the same 137 (34 when all three are), and with 4 nodes to 823.
 */
export function changRoberts(options: Partial<ChangRobertsOptions> = {}): System {
  const { candidates = [true, true, true], machine = node } = options;
  const name = (index: number) => `node ${(index % candidates.length) + 1}`;
  return {
    name: 'Chang-Roberts election',
    actors: Object.fromEntries(
      candidates.map((candidate, index): [string, ActorSpec] => [
        name(index),
        {
          machine,
          input: { self: name(index), successor: name(index + 1), rank: index + 1, candidate },
          environment: [wake],
        },
      ]),
    ),
    network: { order: 'unordered-by-target' },
    properties: [
      {
        kind: 'always',
        name: 'at most one wins',
        predicate: { kind: 'count', of: (actor) => (actor.in('won') ? 1 : 0), is: (winners) => winners <= 1 },
      },
      {
        kind: 'always',
        name: 'who wins has the lowest rank, and all others have given up',
        predicate: {
          kind: 'plain',
          holds: ({ actors }) => {
            const winner = actors.find((actor) => actor.in('won'));
            if (winner === undefined) return true;
            const { rank: lowest } = winner.context as unknown as NodeInput;
            return actors.every((actor) => {
              const { rank, candidate } = actor.context as unknown as NodeInput;
              return actor === winner || (actor.in('lost') && (!candidate || rank > lowest));
            });
          },
        },
      },
      {
        kind: 'reachable',
        name: 'somebody wins',
        predicate: { kind: 'some', is: (actor) => actor.in('won') },
      },
      {
        kind: 'deadlockFree',
        name: 'it ends only when all is decided',
        quiescent: { kind: 'every', is: (actor) => actor.in('won') || actor.in('lost') },
      },
      {
        kind: 'leadsTo',
        name: 'a candidate leads to a winner',
        from: { kind: 'some', is: (actor) => actor.in('candidate') },
        to: { kind: 'some', is: (actor) => actor.in('won') },
        fairness: options.fairness ?? everyStepComes,
      },
    ],
  };
}

export interface ChangRobertsOptions {
  /** For each node around the ring: is it a candidate? Ranks rise in this order. */
  readonly candidates: readonly boolean[];
  readonly fairness: Fairness;
  readonly machine: ActorSpec['machine'];
}

type Claim = { readonly type: 'CLAIM'; readonly rank: number };

interface Node {
  context: NodeInput;
  events: { readonly type: 'wake' } | Claim;
  input: NodeInput;
}

interface NodeInput {
  readonly self: string;
  readonly successor: string;
  readonly rank: number;
  readonly candidate: boolean;
}

type Arrival = { context: NodeInput; event: Node['events'] };

const passOn = {
  type: 'send',
  params: ({ context, event }: { context: NodeInput; event: Claim }) => ({
    target: context.successor,
    message: event,
  }),
} as const;

export const node = setup({
  types: {} as Node,
  actions: { send: (_, _params: { target: string; message: Claim }) => {} },
  guards: {
    candidate: ({ context }) => context.candidate,
    lower: ({ context, event }: Arrival) => event.type === 'CLAIM' && event.rank < context.rank,
    own: ({ context, event }: Arrival) => event.type === 'CLAIM' && event.rank === context.rank,
  },
}).createMachine({
  id: 'node',
  context: ({ input }) => input,
  initial: 'asleep',
  states: {
    asleep: {
      on: {
        wake: [
          {
            guard: 'candidate',
            target: 'candidate',
            actions: {
              type: 'send',
              params: ({ context }) => ({
                target: context.successor,
                message: { type: 'CLAIM', rank: context.rank },
              }),
            },
          },
          { target: 'lost' },
        ],
        CLAIM: {
          actions: {
            type: 'send',
            params: ({ context, event }) => ({ target: context.self, message: event }),
          },
        },
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
});

const wake: EnvironmentEvent = { event: { type: 'wake' }, when: (actor) => actor.in('asleep') };

/** Every node wakes, and every claim arrives. */
const everyStepComes: Fairness = {
  weak: (action) => {
    if (action.kind === 'environment') return `${action.actor} wakes`;
    return action.kind === 'deliver' ? `${JSON.stringify(action.message)} to ${action.actor}` : null;
  },
};

export default changRoberts();
