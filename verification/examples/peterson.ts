import { assign, createMachine } from 'xstate';
import { role, system } from '../system/typed.ts';

/**
 * Peterson's mutual exclusion of two processes over shared variables (G. L. Peterson, "Myths about the mutual exclusion
 * problem", 1981). Two processes whose steps are atomic are one machine of two regions: each event is one step of one process,
 * and the context is the shared memory.
 */
type Process = 0 | 1;
type Step = { type: 'step'; by: Process };
interface Memory {
  readonly wants: readonly [boolean, boolean];
  readonly turn: Process;
}

export const peterson = createMachine({
  types: {} as { context: Memory; events: Step },
  id: 'peterson',
  context: { wants: [false, false], turn: 0 },
  type: 'parallel',
  states: { p: process(0), q: process(1) },
});

function process(me: Process) {
  const other: Process = me === 0 ? 1 : 0;
  const mine = ({ event }: { event: Step }) => event.by === me;
  const want = (value: boolean) =>
    assign<Memory, Step, undefined, Step, never>({
      wants: ({ context }) => context.wants.with(me, value) as [boolean, boolean],
    });
  const yields = assign<Memory, Step, undefined, Step, never>({ turn: other });
  const mayEnter = ({ context, event }: { context: Memory; event: Step }) =>
    event.by === me && (!context.wants[other] || context.turn === me);
  return {
    initial: 'idle',
    states: {
      idle: { on: { step: { guard: mine, target: 'asked', actions: want(true) } } },
      asked: { on: { step: { guard: mine, target: 'waiting', actions: yields } } },
      waiting: { on: { step: { guard: mayEnter, target: 'critical' } } },
      critical: { on: { step: { guard: mine, target: 'idle', actions: want(false) } } },
    },
  } as const;
}

const step = (by: Process) => ({ event: { type: 'step', by } as const });
const runs = { weak: (action: object) => JSON.stringify(action) };

export default system('Peterson', { both: role(peterson, { environment: [step(0), step(1)] }) })
  .never('never both inside', ({ both }) => both.matches('p.critical') && both.matches('q.critical'))
  .sometimes('p is inside', ({ both }) => both.matches('p.critical'))
  .sometimes('q is inside', ({ both }) => both.matches('q.critical'))
  .neverEnds()
  .leadsTo(
    'p comes in',
    ({ both }) => both.matches('p.waiting'),
    ({ both }) => both.matches('p.critical'),
    runs,
  )
  .leadsTo(
    'q comes in',
    ({ both }) => both.matches('q.waiting'),
    ({ both }) => both.matches('q.critical'),
    runs,
  );
