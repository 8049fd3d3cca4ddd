import * as z from 'zod';

/** The description of an option: for errors, `--help` and docs/configuration.md. */
export interface About {
  /** The allowed values: a sentence without its full stop. */
  readonly is: string;
  /** Its purpose, in sentences. Absent for a part of another option. */
  readonly does?: string;
  /** The default, for a person to read. Absent: there is none. */
  readonly otherwise?: string | number | boolean;
  /** True for a secret: its value is never shown. */
  readonly hidden?: true;
}

export const about = z.registry<About>();

export function describe<S extends z.ZodType>(schema: S, is: string, more: Omit<About, 'is'> = {}): S {
  about.add(schema, { is, ...more });
  return schema;
}

/** An object with these methods. */
export function withMethods<T>(names: readonly (keyof T)[]) {
  return z.custom<T>(
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      names.every((name) => typeof (value as T)[name] === 'function'),
  );
}

/** `true` or `false`. */
export const yes = (otherwise: boolean, does?: string) =>
  describe(z.boolean(), 'a choice is true or false', { otherwise, ...(does !== undefined && { does }) });

/** A function. */
export const call = <T>(is = 'a listener is a function', does?: string) =>
  describe(
    z.custom<T>((value) => typeof value === 'function'),
    is,
    does === undefined ? {} : { does },
  );
