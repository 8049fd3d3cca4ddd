import { SystemError } from './errors.ts';

/** Where a module is compiled without the types of Node.js or of a browser, these two have none. */
const globals = globalThis as unknown as { readonly performance: object; readonly crypto: object };

/** The functions by which a step might read the clock or chance. Each is locked while a step runs. */
const doors: readonly { readonly owner: object; readonly key: string; readonly name: string }[] = [
  { owner: Date, key: 'now', name: 'Date.now' },
  { owner: Math, key: 'random', name: 'Math.random' },
  { owner: globals.performance, key: 'now', name: 'performance.now' },
  { owner: globals.crypto, key: 'randomUUID', name: 'crypto.randomUUID' },
  { owner: globals.crypto, key: 'getRandomValues', name: 'crypto.getRandomValues' },
];

/** The error of a step that calls the locked function `door`; `who` names the machine, or the function. */
type Refuse = (who: string, door: string) => SystemError;

const impureMachine: Refuse = (who, door) =>
  new SystemError(
    'MACHINE_IMPURE',
    `${who} reads ${door}, so that one event has many outcomes. Let time and chance come in as an event.`,
  );

/** The value that a locked function returns instead, by its name. `undefined`: the call is refused. */
export type Supply = (door: string) => { readonly value: unknown } | undefined;

const nothing: Supply = () => undefined;

/**
 * Runs `step` with the clock and chance locked. Throws `MACHINE_IMPURE`, or what `refuse` gives, if it reaches for one for
 * which `supply` has no value.
 */
export function withoutClockAndChance<Result>(
  who: string,
  step: () => Result,
  refuse: Refuse = impureMachine,
  supply: Supply = nothing,
): Result {
  const outer = { stepping, refusing, refusal, supplying };
  stepping = who;
  refusing = refuse;
  refusal = null;
  supplying = supply;
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
    ({ stepping, refusing, refusal, supplying } = outer);
  }
}

/** The machine whose step runs, and the first refusal it met. */
let stepping = '';
let refusing = impureMachine;
let refusal: SystemError | null = null;
let supplying: Supply = nothing;

/** The value of `door` in a step. `name`: its name in errors. */
function reach(door: string, name = door): unknown {
  const supplied = supplying(door);
  if (supplied !== undefined) return supplied.value;
  const error = refusing(stepping, name);
  refusal ??= error;
  throw error;
}

/** `Date` for given moments only. */
const lockedDate = new Proxy(Date, {
  apply: () => String(new Date(reach('Date.now', 'Date()') as number)),
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [reach('Date.now', 'new Date()')] : args, newTarget),
});

const locks: readonly { readonly owner: object; readonly key: string; readonly lock: unknown }[] = [
  ...doors.map(({ owner, key, name }) => ({ owner, key, lock: () => reach(name) })),
  { owner: globalThis, key: 'Date', lock: lockedDate },
];

/** The clock and chance as they are when nothing is locked. */
const originals = locks.map(({ owner, key }) => [owner, key, Reflect.get(owner, key) as unknown] as const);

/** Runs `effect`, which decides nothing, with the clock and chance as they are. */
export function withClockAndChance<Result>(effect: () => Result): Result {
  const lock = originals.map(([owner, key, value]) => replace(owner, key, value));
  try {
    return effect();
  } finally {
    for (const restore of lock) restore();
  }
}

/** Returns what puts the old value back. */
export function replace(owner: object, key: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(owner, key);
  Object.defineProperty(owner, key, { value, configurable: true, writable: true });
  return () => {
    if (before === undefined) Reflect.deleteProperty(owner, key);
    else Object.defineProperty(owner, key, before);
  };
}
