import { assign, setup } from 'xstate';
import type { ActorSpec, EnvironmentEvent, Fairness, StatePredicate, System } from '../system/system.ts';

/**
 * Two-phase commit: one manager, several resources, and all of them must end alike: all committed or all aborted.
 *
 * A resource that is `working` either promises to commit whatever happens (`prepared`) or refuses
 * (`aborted`, without a word). A manager that has every promise may commit; one whose patience ends aborts. Its
 * timer may fire at any moment: a checked system has no clock, so whatever holds here holds for every delay.
 *
 * The network is Gray and Lamport's (*Consensus on Transaction Commit*, 2006): what was sent is never consumed and
 * arrives any number of times, in any order, or never. That is why the manager ticks names off and does not count.
 *
 * Counts. Their TLA+ module TwoPhase with 3 resources has 288 states, as TLC reports it, to a depth of 10 steps;
 * Stateright's example has 288 with 3 and 8,832 with 5. They are met here. TLC's number of transitions, 1,145, is
 * not: it does not count a message that arrives at someone who takes no more notice. Up to permutation of the
 * resources there are 80 states and 314; Stateright's 665 for 5 are representatives, several for an orbit.
 *
 * The lesson: a resource that has promised must wait, for ever if the manager is gone. Give `prepared` a timer of
 * its own and `consistent` breaks. See two-phase-commit.test.ts.
 */
export function twoPhaseCommit(options: Partial<TwoPhaseCommitOptions> = {}): System {
  const { resources = 3, machines = { manager, resource } } = options;
  const ids = Array.from({ length: resources }, (_, index) => `resource ${index + 1}`);
  return {
    name: 'two-phase commit',
    actors: {
      manager: { machine: machines.manager, input: { resources: ids }, environment: [commit] },
      ...Object.fromEntries(
        ids.map((self) => [
          self,
          { machine: machines.resource, input: { self, manager: 'manager' }, environment: [prepare, refuse] },
        ]),
      ),
    },
    network: { order: 'unordered', duplication: 'persistent' },
    properties: [
      { kind: 'always', name: 'consistent', predicate: not(and(some('committed'), some('aborted'))) },
      { kind: 'reachable', name: 'all commit', predicate: every('committed') },
      { kind: 'reachable', name: 'all abort', predicate: every('aborted') },
      { kind: 'deadlockFree', name: 'nobody is stuck', quiescent: every('committed', 'aborted') },
      { kind: 'eventually', name: 'all settle', predicate: every('committed', 'aborted'), fairness },
    ],
    symmetry: ids,
  };
}

export interface TwoPhaseCommitOptions {
  readonly resources: number;
  readonly machines: { readonly manager: ActorSpec['machine']; readonly resource: ActorSpec['machine'] };
}

type Decision = { readonly type: 'COMMIT' } | { readonly type: 'ABORT' };

interface Manager {
  context: { readonly prepared: Readonly<Record<string, boolean>> };
  events: { readonly type: 'PREPARED'; readonly by: string } | { readonly type: 'commit' };
  input: { readonly resources: readonly string[] };
}

export const manager = setup({
  types: {} as Manager,
  actions: { broadcast: (_, _params: { message: Decision }) => {} },
  guards: { allPrepared: ({ context }) => Object.values(context.prepared).every(Boolean) },
  delays: { patience: 10_000 },
}).createMachine({
  id: 'manager',
  context: ({ input }) => ({ prepared: Object.fromEntries(input.resources.map((id) => [id, false])) }),
  initial: 'collecting',
  states: {
    collecting: {
      on: {
        PREPARED: {
          actions: assign({
            prepared: ({ context, event }) => ({ ...context.prepared, [event.by]: true }),
          }),
        },
        commit: {
          guard: 'allPrepared',
          target: 'committed',
          actions: { type: 'broadcast', params: { message: { type: 'COMMIT' } } },
        },
      },
      after: {
        patience: {
          target: 'aborted',
          actions: { type: 'broadcast', params: { message: { type: 'ABORT' } } },
        },
      },
    },
    committed: {},
    aborted: {},
  },
});

interface Resource {
  context: { readonly self: string; readonly manager: string };
  events: { readonly type: 'prepare' } | { readonly type: 'refuse' } | Decision;
  input: { readonly self: string; readonly manager: string };
}

export const resource = setup({
  types: {} as Resource,
  actions: { send: (_, _params: { target: string; message: { type: 'PREPARED'; by: string } }) => {} },
}).createMachine({
  id: 'resource',
  context: ({ input }) => input,
  initial: 'working',
  states: {
    working: {
      on: {
        prepare: {
          target: 'prepared',
          actions: {
            type: 'send',
            params: ({ context }) => ({
              target: context.manager,
              message: { type: 'PREPARED', by: context.self },
            }),
          },
        },
        refuse: 'aborted',
        ABORT: 'aborted',
      },
    },
    prepared: { on: { COMMIT: 'committed', ABORT: 'aborted' } },
    committed: {},
    aborted: {},
  },
});

/** Its guard, said again: else the checker would count the commits that the guard turns down as steps. */
const commit: EnvironmentEvent = {
  event: { type: 'commit' },
  when: (actor) => {
    const { prepared } = actor.context as Manager['context'];
    return actor.in('collecting') && Object.values(prepared).every(Boolean);
  },
};
const prepare: EnvironmentEvent = { event: { type: 'prepare' }, when: (actor) => actor.in('working') };
const refuse: EnvironmentEvent = { event: { type: 'refuse' }, when: (actor) => actor.in('working') };

/** The manager's patience does end, and what was sent to somebody does arrive. Nobody is obliged to promise. */
const fairness: Fairness = {
  weak: ({ kind, actor }) => (kind === 'timer' || kind === 'deliver' ? `${kind} at ${actor}` : null),
};

function every(...states: readonly string[]): StatePredicate {
  return { kind: 'every', is: (actor) => states.some((state) => actor.in(state)) };
}

function some(state: string): StatePredicate {
  return { kind: 'some', is: (actor) => actor.in(state) };
}

function and(...of: readonly StatePredicate[]): StatePredicate {
  return { kind: 'and', of };
}

function not(of: StatePredicate): StatePredicate {
  return { kind: 'not', of };
}

export default twoPhaseCommit();
