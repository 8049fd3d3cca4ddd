import type { SystemError } from './errors.ts';
import { isNoted } from './refusals.ts';

/** Declared here for modules that are compiled without the types of Node.js or a browser. */
const globals = globalThis as unknown as { readonly performance: object; readonly crypto: object };

/** The functions by which a step might read the clock or chance. Each is locked while a step runs. */
const doors: readonly {
  readonly owner: object;
  readonly key: string;
  readonly name: string;
  /** The value that the step gets once its refusal is recorded. */
  readonly standIn: unknown;
}[] = [
  { owner: Date, key: 'now', name: 'Date.now', standIn: 0 },
  { owner: Math, key: 'random', name: 'Math.random', standIn: 0.5 },
  { owner: globals.performance, key: 'now', name: 'performance.now', standIn: 0 },
  { owner: globals.crypto, key: 'randomUUID', name: 'crypto.randomUUID', standIn: '' },
  { owner: globals.crypto, key: 'getRandomValues', name: 'crypto.getRandomValues', standIn: [] },
];

/** The error of a step that calls the locked function `door`. */
type Refuse = (door: string) => SystemError;

/** The value that a locked function returns instead, by its name. `undefined`: the call is refused. */
export type Supply = (door: string) => { readonly value: unknown } | undefined;

const nothing: Supply = () => undefined;

/**
 * Runs `step` with the clock and chance locked. Throws the error that `refuse` gives if the step reaches for one for
 * which `supply` has no value.
 */
export function withoutClockAndChance<Result>(
  step: () => Result,
  refuse: Refuse,
  supply: Supply = nothing,
): Result {
  const outer = { refusing, refusal, supplying };
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
    ({ refusing, refusal, supplying } = outer);
  }
}

let refusing: Refuse;
/** The first refusal that the step met. */
let refusal: SystemError | null = null;
let supplying: Supply = nothing;

/** Returns the value of `door` in a step. `name`: its name in errors. */
function reach(door: string, name = door): unknown {
  const supplied = supplying(door);
  if (supplied !== undefined) return supplied.value;
  const error = refusing(name);
  if (isNoted(error)) return doors.find((one) => one.name === door)!.standIn;
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

/** Returns a function that restores the old value. */
export function replace(owner: object, key: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(owner, key);
  Object.defineProperty(owner, key, { value, configurable: true, writable: true });
  return () => {
    if (before === undefined) Reflect.deleteProperty(owner, key);
    else Object.defineProperty(owner, key, before);
  };
}
