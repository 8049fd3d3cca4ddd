import { inspect } from 'node:util';
import { closestMatch } from 'leven';
import type * as z from 'zod';
import { OperatingError } from '../api/errors.ts';
import { about } from './describe.ts';
import { keysOf, schemaAt } from './walk.ts';

/**
 * Returns `value` with the defaults of `schema`. `further`: keys that this value must have, though not every
 * value must. Throws `OPTIONS_INVALID`, which names every wrong key, its value and the allowed values.
 */
export function checked<S extends z.ZodType>(
  schema: S,
  value: unknown,
  further: readonly string[] = [],
): z.output<S> {
  const parsed = schema.safeParse(value, { reportInput: true });
  const wrong = parsed.success ? [] : parsed.error.issues.flatMap((issue) => textsOf(schema, issue));
  for (const key of further)
    if (
      value instanceof Object &&
      !Array.isArray(value) &&
      (value as Record<string, unknown>)[key] === undefined
    )
      wrong.push(`${key}: ${aboutOf(schema, [key], false).is}; it is missing`);
  if (!parsed.success || wrong.length > 0) throw invalid(wrong);
  return parsed.data;
}

/** Returns `OPTIONS_INVALID` for all wrong keys together. */
export function invalid(texts: readonly string[]): OperatingError {
  const message = texts.length === 1 ? texts[0]! : `${texts.length} keys are wrong\n${texts.join('\n')}`;
  return new OperatingError('OPTIONS_INVALID', message);
}

/** Returns the known key that is nearest to a misspelt one. */
export function nearest(key: string, known: readonly string[]): string | undefined {
  return closestMatch(key, known, { maxDistance: Math.max(2, Math.floor(key.length / 3)) });
}

function textsOf(schema: z.ZodType, issue: z.core.$ZodIssue): string[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(schema, path, key));
  const { is, hidden } = aboutOf(schema, path, issue.code === 'invalid_key');
  const came = hidden ? kindOf(issue.input) : show(issue.input);
  const where = path.length === 0 ? '' : `${path.join('.')}: `;
  return [issue.input === undefined ? `${where}${is}; it is missing` : `${where}${is}, got ${came}`];
}

/** Returns the description of the value at `path`, or of its last key. */
function aboutOf(schema: z.ZodType, path: readonly string[], ofKey: boolean) {
  const at = schemaAt(schema, ofKey ? path.slice(0, -1) : path);
  const known = about.get(ofKey ? ((at as z.ZodRecord).keyType as z.ZodType) : at);
  if (known === undefined) throw new Error(`nothing is told of ${path.join('.')}`);
  return known;
}

function unknownKey(schema: z.ZodType, path: readonly string[], key: string): string {
  const known = keysOf(schemaAt(schema, path));
  const meant = nearest(key, known);
  const hint = meant === undefined ? `there are ${known.join(', ')}` : `did you mean ${meant}?`;
  return `${[...path, key].join('.')}: there is no such key; ${hint}`;
}

function show(value: unknown): string {
  if (typeof value === 'string')
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
  if (value instanceof Promise) return 'a Promise';
  return inspect(value, {
    depth: 1,
    breakLength: Number.POSITIVE_INFINITY,
    maxArrayLength: 5,
    maxStringLength: 40,
  });
}

function kindOf(value: unknown): string {
  if (typeof value === 'string') return `a string of ${Buffer.byteLength(value)} bytes`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value === null || value === undefined) return `${value}`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
