import type { LockReport } from '../protocol.ts';
import { durationText } from './time.ts';

export type Direction = 'ascending' | 'descending';

interface Column {
  /** The value by which the locks are ordered. `null`: there is none, and the lock stands at the end. */
  readonly key: (lock: LockReport) => string | number | null;
  /** The direction that is shown first. */
  readonly first: Direction;
}

/** The columns of a table of locks. */
export const orders = {
  name: { key: ({ lock }) => lock, first: 'ascending' },
  holder: { key: ({ holder }) => holder?.site ?? null, first: 'ascending' },
  held: { key: ({ holder }) => holder?.heldMs ?? null, first: 'descending' },
  waited: { key: (lock) => (longestWait(lock) < 0 ? null : longestWait(lock)), first: 'descending' },
  epoch: { key: ({ epoch }) => epoch, first: 'descending' },
  changed: { key: ({ changedMs }) => changedMs, first: 'ascending' },
} as const satisfies Record<string, Column>;

export type Order = keyof typeof orders;

/** The locks to show, and their order. */
export interface LockFilter {
  readonly order: Order;
  /** Default: the one that is shown first. */
  readonly direction?: Direction;
  /** Only locks for which some site waits. */
  readonly isWaited?: boolean;
  /** Only locks that this site holds or waits for. `null`: those of all sites. */
  readonly site?: string | null;
}

/** -1: no site waits. */
export function longestWait({ queue }: LockReport): number {
  return Math.max(-1, ...queue.flatMap(({ waitedMs }) => waitedMs));
}

/** Equals stand by name, so that rows keep their places from one second to the next. */
export function shownLocks<Lock extends LockReport>(
  locks: readonly Lock[],
  { order, direction = orders[order].first, isWaited = false, site = null }: LockFilter,
): readonly Lock[] {
  const { key }: Column = orders[order];
  const sign = direction === 'ascending' ? 1 : -1;
  const byKey = (one: Lock, other: Lock): number => {
    const [left, right] = [key(one), key(other)];
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    return sign * compare(left, right);
  };
  return locks
    .filter(({ queue }) => !isWaited || queue.length > 0)
    .filter((lock) => site === null || sitesOf(lock).includes(site))
    .toSorted((one, other) => byKey(one, other) || compare(one.lock, other.lock));
}

/** The sites that hold the lock, or wait for it. */
export function sitesOf({ holder, former, queue }: LockReport): readonly string[] {
  return [...(holder === null ? [] : [holder]), ...former, ...queue].map(({ site }) => site);
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

/** `invoice 9` stands before `invoice 10`. */
const collator = new Intl.Collator('en', { numeric: true });

function compare(one: string | number, other: string | number): number {
  if (typeof one === 'number' && typeof other === 'number') return one - other;
  return collator.compare(String(one), String(other));
}
