import { assign, createMachine } from 'xstate';
import { type IdSet, removing, setOf, sizeOf } from '../system/sets.ts';
import { each, role, system } from '../system/typed.ts';

/**
 * Two-phase commit: resources that prepared must all commit or all abort (J. Gray, L. Lamport, "Consensus on
 * Transaction Commit", 2006). A sent message is never used up: it arrives any number of times, in any order, or never.
 * With 3 resources 288 states, as TLC and Stateright have it, and 80 up to permutation; with 5 resources 8,832, and
 * 314.
 */
type ToManager = { type: 'PREPARED'; by: string } | { type: 'commit' };
type ToResource = { type: 'prepare' | 'refuse' | 'COMMIT' | 'ABORT' };

export const manager = createMachine({
  types: {} as { context: { missing: IdSet }; events: ToManager; input: string[] },
  id: 'manager',
  context: ({ input }) => ({ missing: setOf(...input) }),
  initial: 'collecting',
  states: {
    collecting: {
      on: {
        PREPARED: {
          actions: assign({ missing: ({ context, event }) => removing(context.missing, event.by) }),
        },
        commit: { guard: ({ context }) => sizeOf(context.missing) === 0, target: 'committed' },
      },
      after: { 10000: 'aborted' },
    },
    committed: { entry: { type: 'broadcast', params: { message: { type: 'COMMIT' } } } },
    aborted: { entry: { type: 'broadcast', params: { message: { type: 'ABORT' } } } },
  },
});

export const resource = createMachine({
  types: {} as { context: { self: string }; events: ToResource; input: string },
  id: 'resource',
  context: ({ input }) => ({ self: input }),
  initial: 'working',
  states: {
    working: { on: { prepare: 'prepared', refuse: 'aborted', ABORT: 'aborted' } },
    prepared: { entry: { type: 'send', params: promise }, on: { COMMIT: 'committed', ABORT: 'aborted' } },
    committed: {},
    aborted: {},
  },
});

function promise({ context }: { context: { self: string } }) {
  return { target: 'manager', message: { type: 'PREPARED', by: context.self } };
}

export function twoPhaseCommit({ resources = 3 } = {}) {
  const ids = Array.from({ length: resources }, (_, index) => `resource ${index + 1}`);
  return system('two-phase commit', {
    manager: role(manager, { input: ids, environment: ['commit'] }),
    ...each(ids, (input) => role(resource, { input, environment: ['prepare', 'refuse'] })),
  })
    .over({ order: 'unordered', duplication: 'persistent' })
    .interchangeable(...ids)
    .always(
      'consistent',
      (_, all) => !all.some((a) => a.matches('committed')) || !all.some((a) => a.matches('aborted')),
    )
    .sometimes('all commit', (_, all) => all.every((a) => a.matches('committed')))
    .sometimes('all abort', (_, all) => all.every((a) => a.matches('aborted')))
    .endsOnlyIn('all settled', (_, all) => all.every((a) => a.matches('committed', 'aborted')))
    .eventually('all settle', (_, all) => all.every((a) => a.matches('committed', 'aborted')));
}

export default twoPhaseCommit();
