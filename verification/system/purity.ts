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
  const refusals: SystemError[] = [];
  const refuse = (name: string): never => {
    const refusal = new SystemError(
      'MACHINE_IMPURE',
      `${who} reads ${name}, so that one event has many outcomes. Let time and chance come in as an event.`,
    );
    refusals.push(refusal);
    throw refusal;
  };
  const unlock = [
    ...doors.map(({ owner, key, name }) => replace(owner, key, () => refuse(name))),
    replace(globalThis, 'Date', lockedDate(refuse)),
  ];
  try {
    const result = step();
    // A machine may have caught the refusal.
    if (refusals[0] !== undefined) throw refusals[0];
    return result;
  } catch (error) {
    throw refusals[0] ?? error;
  } finally {
    for (const restore of unlock) restore();
  }
}

/** `Date` for given moments only. */
function lockedDate(refuse: (name: string) => never): DateConstructor {
  return new Proxy(Date, {
    apply: () => refuse('Date()'),
    construct: (target, args, newTarget) =>
      args.length === 0 ? refuse('new Date()') : Reflect.construct(target, args, newTarget),
  });
}

/** Returns what puts the old value back. */
function replace(owner: object, key: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(owner, key);
  Object.defineProperty(owner, key, { value, configurable: true, writable: true });
  return () => {
    if (before === undefined) Reflect.deleteProperty(owner, key);
    else Object.defineProperty(owner, key, before);
  };
}
