import { z } from 'zod';

/** What is told of a key, where it is wrong and where it is documented. */
export interface About {
  /** A sentence without its full stop. */
  readonly is: string;
  /** In force where nothing is given, for a person to read; none: there is nothing then. */
  readonly otherwise?: string | number | boolean;
  /** Never shown. */
  readonly hidden?: true;
}

export const about = z.registry<About>();

export function describe<S extends z.ZodType>(schema: S, is: string, more: Omit<About, 'is'> = {}): S {
  about.add(schema, { is, ...more });
  return schema;
}

/** Something with these methods. */
export function withMethods<T>(names: readonly (keyof T)[]) {
  return z.custom<T>(
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      names.every((name) => typeof (value as T)[name] === 'function'),
  );
}

export const yes = (otherwise: boolean) => describe(z.boolean(), 'a choice is true or false', { otherwise });
export const call = <T>(is = 'a listener is a function') =>
  describe(
    z.custom<T>((value) => typeof value === 'function'),
    is,
  );
