import { SystemError } from './errors.ts';

/** By which doors a step might let in the clock or chance. Each is locked while it runs. */
const doors: readonly { readonly owner: object; readonly key: string; readonly name: string }[] = [
  { owner: Date, key: 'now', name: 'Date.now' },
  { owner: Math, key: 'random', name: 'Math.random' },
  { owner: performance, key: 'now', name: 'performance.now' },
  { owner: globalThis.crypto, key: 'randomUUID', name: 'crypto.randomUUID' },
  { owner: globalThis.crypto, key: 'getRandomValues', name: 'crypto.getRandomValues' },
];

/** Runs `step` with the clock and chance locked: `MACHINE_IMPURE` if it reaches for them. `who` names the machine. */
export function withoutClockAndChance<Result>(who: string, step: () => Result): Result {
  const outer = { stepping, refusal };
  stepping = who;
  refusal = null;
  const unlock = locks.map(({ owner, key, lock }) => replace(owner, key, lock));
  try {
    const result = step();
    // A machine may have caught the refusal.
    if (refusal !== null) throw refusal;
    return result;
  } catch (error) {
    throw refusal ?? error;
  } finally {
    for (const restore of unlock) restore();
    ({ stepping, refusal } = outer);
  }
}

/** The machine whose step runs, and the first refusal it met. */
let stepping = '';
let refusal: SystemError | null = null;

function refuse(name: string): never {
  const error = new SystemError(
    'MACHINE_IMPURE',
    `${stepping} reads ${name}, so that one event has many outcomes. Let time and chance come in as an event.`,
  );
  refusal ??= error;
  throw error;
}

/** `Date` for given moments only. */
const lockedDate = new Proxy(Date, {
  apply: () => refuse('Date()'),
  construct: (target, args, newTarget) =>
    args.length === 0 ? refuse('new Date()') : Reflect.construct(target, args, newTarget),
});

const locks: readonly { readonly owner: object; readonly key: string; readonly lock: unknown }[] = [
  ...doors.map(({ owner, key, name }) => ({ owner, key, lock: () => refuse(name) })),
  { owner: globalThis, key: 'Date', lock: lockedDate },
];

/** Returns what puts the old value back. */
function replace(owner: object, key: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(owner, key);
  Object.defineProperty(owner, key, { value, configurable: true, writable: true });
  return () => {
    if (before === undefined) Reflect.deleteProperty(owner, key);
    else Object.defineProperty(owner, key, before);
  };
}
