import type { LockReport } from '../protocol.ts';
import { durationText } from './time.ts';

/** How a table of locks is ordered: the largest first, or by name. */
export const orders = {
  name: () => 0,
  holder: (one, other) => compare(one.holder?.site ?? '\uffff', other.holder?.site ?? '\uffff'),
  held: (one, other) => (other.holder?.heldMs ?? -1) - (one.holder?.heldMs ?? -1),
  waited: (one, other) => longestWait(other) - longestWait(one),
  epoch: (one, other) => other.epoch - one.epoch,
  changed: (one, other) => one.changedMs - other.changedMs,
} as const satisfies Record<string, (one: LockReport, other: LockReport) => number>;

export type Order = keyof typeof orders;

/** -1: nobody waits. */
export function longestWait({ queue }: LockReport): number {
  return Math.max(-1, ...queue.flatMap(({ waitedMs }) => waitedMs));
}

/** Equals stand by name, so that rows keep their places from one second to the next. */
export function shownLocks<Lock extends LockReport>(
  locks: readonly Lock[],
  order: Order,
  isWaited: boolean,
): readonly Lock[] {
  return locks
    .filter(({ queue }) => !isWaited || queue.length > 0)
    .toSorted((one, other) => orders[order](one, other) || compare(one.lock, other.lock));
}

/** `b 1.2 s, 0.4 s; c 0.2 s`: the waiting sites in their order, each caller with its wait. */
export function queueText({ queue }: LockReport): string {
  return queue
    .map(({ site, waiting, waitedMs }) => {
      const some = waitedMs.slice(0, mostShown).map(durationText).join(', ');
      return `${site} ${some}${waiting > mostShown ? ` and ${waiting - mostShown} more` : ''}`;
    })
    .join('; ');
}

const mostShown = 4;

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
