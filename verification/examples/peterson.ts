import { assign, createMachine } from 'xstate';
import { role, system } from '../system/typed.ts';

/**
 * Peterson's mutual exclusion of two processes over shared variables (G. L. Peterson, "Myths about the mutual exclusion
 * problem", 1981). The variables are an actor. A process and the memory take a step together: the memory is written, or it lets
 * the process enter. 20 states can be reached.
 */
type Process = 0 | 1;
type Shared = { readonly wants: readonly [boolean, boolean]; readonly turn: Process };
type Access = { type: 'want' | 'yield' | 'enter' | 'leave'; by: Process };

export const memory = createMachine({
  types: {} as { context: Shared; events: Access },
  id: 'memory',
  context: { wants: [false, false], turn: 0 },
  on: {
    want: { actions: assign({ wants: ({ context, event }) => context.wants.with(event.by, true) as never }) },
    yield: { actions: assign({ turn: ({ event }): Process => (event.by === 0 ? 1 : 0) }) },
    enter: { guard: ({ context, event: { by } }) => !context.wants[by === 0 ? 1 : 0] || context.turn === by },
    leave: {
      actions: assign({ wants: ({ context, event }) => context.wants.with(event.by, false) as never }),
    },
  },
});

export const process = createMachine({
  types: {} as { events: { type: Access['type'] } },
  id: 'process',
  initial: 'idle',
  states: {
    idle: { on: { want: 'asked' } },
    asked: { on: { yield: 'waiting' } },
    waiting: { on: { enter: 'critical' } },
    critical: { on: { leave: 'idle' } },
  },
});

const at = (by: Process) =>
  role(process, {
    environment: (['want', 'yield', 'enter', 'leave'] as const).map((type) => ({
      event: { type },
      together: () => ({ memory: { type, by } }),
    })),
  });
/** A process that has asked goes on: each of its steps is a class of its own. */
const goesOn = {
  weak: (action: object) => (JSON.stringify(action).includes('"want"') ? null : JSON.stringify(action)),
};

export const peterson = system('Peterson', { p: at(0), q: at(1), memory })
  .never('never both inside', ({ p, q }) => p.matches('critical') && q.matches('critical'))
  .sometimes('p is inside', ({ p }) => p.matches('critical'))
  .sometimes('q is inside', ({ q }) => q.matches('critical'))
  .neverEnds()
  .leadsTo(
    'p comes in',
    ({ p }) => p.matches('asked'),
    ({ p }) => p.matches('critical'),
    goesOn,
  )
  .leadsTo(
    'q comes in',
    ({ q }) => q.matches('asked'),
    ({ q }) => q.matches('critical'),
    goesOn,
  );

export default peterson;
