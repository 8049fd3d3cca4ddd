import { SystemError } from './errors.ts';
import { hint } from './shape.ts';

/** Keys that a console, a test runner or `await` reads of any object. */
const askedOfAll: ReadonlySet<string> = new Set([
  'then',
  'toJSON',
  'asymmetricMatch',
  'nodeType',
  'tagName',
  '$$typeof',
]);

/** Reports whether the key belongs to every object, or is read of every object. */
export const isOfAny = (key: string | symbol): key is symbol =>
  typeof key === 'symbol' || key in Object.prototype || askedOfAll.has(key);

/**
 * A prototype for a class of views: a key that the class does not have is refused (`PREDICATE_INVALID`), instead of being
 * `undefined`. Keys that it has are found before, and cost nothing. `instead`: what to write for a key, where that is no other key.
 */
export function refusingPrototype(
  what: string,
  known: readonly string[],
  instead: Readonly<Record<string, string>> = {},
): object {
  return new Proxy({} as object, {
    get: (target, key, receiver) => {
      if (isOfAny(key)) return Reflect.get(target, key, receiver);
      const name = key as string;
      const advice = Object.hasOwn(instead, name) ? instead[name] : hint(name, known);
      throw new SystemError(
        'PREDICATE_INVALID',
        `A predicate reads '${name}' of ${what}, and there is no such key; ${advice}`,
      );
    },
  });
}
