import { type AnyStateMachine, assign } from 'xstate';
import type { SiteContext } from '../../../machines/epoch/site.ts';

/**
 * `machine` with a `k` that stays 0, for systems in which clients ask without end: else no state would ever come
 * again. Sound for all that does not speak of `k`: it is counted up, copied into tokens and fences, and read by
 * no guard and by no other assignment (held against the machine by a test), so that states which differ in
 * numbers `k` alone go on alike, and the states with 0 are those of the machine with every `k` taken for 0.
 */
export function withoutCount(machine: AnyStateMachine): AnyStateMachine {
  return machine.provide({
    actions: {
      countEntry: assign(({ context }) => ({ fence: { epoch: (context as SiteContext).epoch, k: 0 } })),
    },
  });
}
