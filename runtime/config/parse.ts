import { inspect } from 'node:util';
import { closestMatch } from 'leven';
import type { z } from 'zod';
import { OperatingError } from '../errors.ts';
import { conflictsOf } from './rules.ts';
import { about, clusterSchema, type Settings } from './schema.ts';
import { keysOf, schemaAt } from './walk.ts';

/**
 * What `joinCluster` is given, checked, with its defaults.
 *
 * Throws `OPTIONS_INVALID`, which names every key that is wrong, what came, and what it may be.
 */
export function parseOptions(options: unknown): Settings {
  const parsed = clusterSchema.safeParse(options, { reportInput: true });
  if (!parsed.success) throw invalid(parsed.error.issues.flatMap(textsOf));
  const conflicts = conflictsOf(parsed.data);
  if (conflicts.length > 0)
    throw invalid(conflicts.map(({ path, message }) => `${path.join('.')}: ${message}`));
  return parsed.data;
}

/** The known key that somebody may have meant. */
export function nearest(key: string, known: readonly string[]): string | undefined {
  return closestMatch(key, known, { maxDistance: Math.max(2, Math.floor(key.length / 3)) });
}

function textsOf(issue: z.core.$ZodIssue): string[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key));
  const { is, hidden } = aboutOf(path, issue.code === 'invalid_key');
  const came = hidden ? kindOf(issue.input) : show(issue.input);
  const where = path.length === 0 ? '' : `${path.join('.')}: `;
  return [issue.input === undefined ? `${where}${is}; it is missing` : `${where}${is}, ${came} came`];
}

/** Of the value at `path`, or of the last key of it. */
function aboutOf(path: readonly string[], ofKey: boolean) {
  const schema = ofKey ? schemaAt(clusterSchema, path.slice(0, -1)) : schemaAt(clusterSchema, path);
  const known = about.get(ofKey ? ((schema as z.ZodRecord).keyType as z.ZodType) : schema);
  if (known === undefined) throw new Error(`nothing is told of ${path.join('.')}`);
  return known;
}

function unknownKey(path: readonly string[], key: string): string {
  const known = keysOf(schemaAt(clusterSchema, path));
  const meant = nearest(key, known);
  const hint = meant === undefined ? `there are ${known.join(', ')}` : `did you mean ${meant}?`;
  return `${[...path, key].join('.')}: there is no such key; ${hint}`;
}

function show(value: unknown): string {
  if (typeof value === 'string')
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
  return inspect(value, {
    depth: 1,
    breakLength: Number.POSITIVE_INFINITY,
    maxArrayLength: 5,
    maxStringLength: 40,
  });
}

function kindOf(value: unknown): string {
  if (typeof value === 'string') return `a string of ${Buffer.byteLength(value)} bytes`;
  return value instanceof Uint8Array
    ? `${value.length} bytes`
    : `a ${value === null ? 'null' : typeof value}`;
}

function invalid(texts: readonly string[]): OperatingError {
  const message = texts.length === 1 ? texts[0]! : `${texts.length} keys are wrong\n${texts.join('\n')}`;
  return new OperatingError('OPTIONS_INVALID', message);
}
