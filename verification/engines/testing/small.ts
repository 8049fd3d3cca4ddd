import { createMachine, enqueueActions } from 'xstate';
import { always, deadlockFree, every, ltl, reachable, some } from '../../system/properties.ts';
import type { Action, System } from '../../system/system.ts';

/* Small systems, each with what one part of an export must say. */

/** A guest knocks as often as its input says, before anything else happens. */
export const startingAnywhere: System = {
  name: 'guest',
  network: { order: 'fifo' },
  starts: [1, 2, 3, 4].map((times) => ({ guest: { times } })),
  constraint: some(({ context }) => Number(context['times']) < 4),
  actors: {
    guest: {
      machine: createMachine({
        id: 'guest',
        context: ({ input }: { input: unknown }) => input as { times: number },
        entry: enqueueActions(({ context, enqueue }) => {
          const params = { target: 'door', message: { type: 'KNOCK' } };
          for (let time = 0; time < Number(context['times']); time++) enqueue({ type: 'send', params });
        }),
      }),
    },
    door: {
      machine: createMachine({
        id: 'door',
        initial: 'shut',
        states: {
          shut: { on: { KNOCK: 'asked' } },
          asked: { on: { KNOCK: 'opened' } },
          opened: { on: { KNOCK: {} } },
        },
      }),
    },
  },
  properties: [
    always(
      'the guest knocks twice at most',
      every(({ context }) => context['times'] !== 3),
    ),
    reachable(
      'the door opens',
      some((actor) => actor.in('opened')),
    ),
    deadlockFree(
      'the door is open in the end',
      some((actor) => actor.in('opened')),
    ),
  ],
};

/** A door that is opened and shut; it may stay as it is. Then formulas: one that holds and one that does not, of each operator. */
export const withFormulas = ((): System => {
  const door = createMachine({
    id: 'door',
    initial: 'shut',
    states: {
      shut: { on: { open: 'opened' } },
      opened: { on: { shut: 'shut', lock: 'locked' } },
      locked: {},
    },
  });
  const at = (state: string) => some((actor) => actor.in(state));
  const atoms = { shut: at('shut'), opened: at('opened'), locked: at('locked') };
  const goesOn = { weak: ({ kind }: Action) => kind };
  const formulas = {
    always: ['G (shut | opened | locked)', 'G !opened'],
    eventually: ['F opened', 'F locked'],
    until: ['shut U opened', 'shut U locked'],
    release: ['opened R (shut | opened)', 'locked R (shut | opened) & F locked'],
    'weak until': ['shut W opened', 'shut W locked'],
    rest: ['G (locked -> G locked) & (true | false)', 'G (opened <-> !shut)'],
  };
  return {
    name: 'door',
    network: { order: 'fifo' },
    actors: {
      door: { machine: door, environment: ['open', 'shut', 'lock'].map((type) => ({ event: { type } })) },
    },
    properties: [
      ...Object.entries(formulas).flatMap(([name, [holding, broken]]) => [
        ltl(name, holding!, atoms, goesOn),
        ltl(`not ${name}`, broken!, atoms, goesOn),
      ]),
      ltl('next', 'X shut', atoms, goesOn),
    ],
  };
})();
