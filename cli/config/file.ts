import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { reasonOf } from '../../machines/errors.ts';
import { nearest } from '../../runtime/options/checked.ts';
import { UsageError } from '../../verification/check/errors.ts';
import { address } from '../options.ts';
import { flagName, keys } from './keys.ts';

/** Reads a settings file in YAML or JSON, key by key. Throws `UsageError`. */
export function readSettings(file: string): ReadonlyMap<string, unknown> {
  const found = new Map<string, unknown>();
  const problems: string[] = [];
  collect(parsed(file), [], found, problems);
  if (problems.length > 0) throw new UsageError(`${file}: ${problems.join('\n')}`);
  return found;
}

function parsed(file: string): unknown {
  try {
    return parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${reasonOf(error)}`);
  }
}

function collect(
  value: unknown,
  above: readonly string[],
  found: Map<string, unknown>,
  problems: string[],
): void {
  const prefix = above.length === 0 ? '' : `${above.join('.')}.`;
  const known = keys.map(({ path }) => path).filter((path) => path.startsWith(prefix));
  const here = [...new Set(known.map((path) => path.slice(prefix.length).split('.')[0]!))];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const what = `${above.join('.') || 'it'} is an object of keys, not ${JSON.stringify(value)}`;
    problems.push(`${what}; there are ${here.join(', ')}`);
    return;
  }
  for (const [name, below] of Object.entries(value)) {
    const path = `${prefix}${name}`;
    if (known.includes(path)) found.set(path, withAddresses(path, below));
    else if (here.includes(name)) collect(below, [...above, name], found, problems);
    else {
      const meant = above.length === 0 ? (ofFlag(name) ?? nearest(name, here)) : nearest(name, here);
      problems.push(
        `${path}: there is no such key; ${meant === undefined ? `there are ${here.join(', ')}` : `did you mean ${meant}?`}`,
      );
    }
  }
}

/** The key that a flag of this name sets: `--id` sets `site`. */
function ofFlag(name: string): string | undefined {
  return keys.find(({ flag }) => flag !== undefined && [flag, flagName(flag).slice(2)].includes(name))?.path;
}

/** Expands `host:port` to an address. */
function withAddresses(path: string, value: unknown): unknown {
  if (path === 'listen') return addressed(value);
  if (path !== 'peers' || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([id, at]) => [id, addressed(at)]));
}

function addressed(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return address(value);
  } catch {
    // The schema reports the wrong value and its place.
    return value;
  }
}
