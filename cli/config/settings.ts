import { closestMatch } from 'leven';
import { reasonOf } from '../../machines/errors.ts';
import { type ClusterOptions, OperatingError } from '../../runtime/index.ts';
import { parseOptions } from '../../runtime/options/parse.ts';
import { UsageError } from '../../verification/check/errors.ts';
import { credentialsIn } from '../site/credentials.ts';
import { readSettings } from './file.ts';
import { flagName, keys } from './keys.ts';

/** A value and its source: `--listen`, `BATON_LISTEN`, the name of a file, or `default`. */
export interface Given {
  readonly value: unknown;
  readonly from: string;
}

export interface Configuration {
  /** The values that were given, by key. */
  readonly given: ReadonlyMap<string, Given>;
  /** The checked options. */
  readonly options: ClusterOptions;
  /** Environment variables that look like settings but are none. */
  readonly doubts: readonly string[];
}

/**
 * The options of a site: flags before environment variables before the file of `--config` (or
 * `BATON_CONFIG`).
 *
 * Throws `UsageError`.
 */
export function configure(flags: Readonly<Record<string, unknown>>, env: NodeJS.ProcessEnv): Configuration {
  const file = (flags['config'] as string | undefined) ?? env['BATON_CONFIG'];
  const stored = file === undefined ? new Map<string, unknown>() : readSettings(file);
  const given = new Map<string, Given>([['cluster', { value: 'baton', from: 'default' }]]);
  for (const { path, variable, flag, read } of keys) {
    if (stored.has(path)) given.set(path, { value: stored.get(path), from: file! });
    const text = env[variable];
    if (text !== undefined && text !== '')
      given.set(path, { value: readFrom(variable, read, text), from: variable });
    const flagged = flag === undefined ? undefined : flags[flag];
    if (flagged !== undefined) given.set(path, { value: flagged, from: flagName(flag!) });
  }
  return { given, options: checked(given), doubts: doubtsAbout(env) };
}

/** An orchestrator may set other variables with the same prefix, so none is refused. */
function doubtsAbout(env: NodeJS.ProcessEnv): string[] {
  const known = [
    ...keys.map(({ variable }) => variable),
    'BATON_CONFIG',
    'BATON_INSPECT_TOKEN',
    'BATON_ADMIN_TOKEN',
  ];
  return Object.keys(env)
    .filter((name) => name.startsWith('BATON_') && !known.includes(name))
    .flatMap((name) => {
      const meant = closestMatch(name, known, { maxDistance: 2 });
      return meant === undefined ? [] : [`${name} is read by nobody; did you mean ${meant}?`];
    });
}

function readFrom(variable: string, read: (text: string) => unknown, text: string): unknown {
  try {
    return read(text);
  } catch (error) {
    throw new UsageError(`${variable}: ${reasonOf(error)}`);
  }
}

function checked(given: ReadonlyMap<string, Given>): ClusterOptions {
  const needed = given.get('guest')?.value === true ? ['discovery'] : ['site', 'listen', 'peers'];
  const missing = keys.filter(({ path }) => needed.includes(path) && !given.has(path));
  if (missing.length > 0) {
    const texts = missing.map(
      ({ path, variable, flag }) =>
        `${flagName(flag!)} is missing (or ${variable}, or ${path} in a file of --config)`,
    );
    throw new UsageError(texts.join('\n'));
  }
  const options: Record<string, unknown> = {};
  for (const [path, { value }] of given)
    put(options, path.split('.'), path === 'peers' ? withoutItself(value, given.get('site')?.value) : value);
  const { tls, secretFile, secret, insecure, ...others } = options;
  const { certFile: tlsCert, keyFile: tlsKey, caFile: tlsCa } = (tls ?? {}) as Record<string, string>;
  const files = { tlsCert, tlsKey, tlsCa, secretFile, insecure };
  const all = {
    ...others,
    ...(secret !== undefined && { secret }),
    ...credentialsIn(Object.fromEntries(Object.entries(files).filter(([, value]) => value !== undefined))),
  };
  try {
    parseOptions(all);
  } catch (error) {
    if (!(error instanceof OperatingError)) throw error;
    throw new UsageError(error.message.replaceAll(/^(OPTIONS_INVALID: )?([\w.]+): .*$/gm, withSource(given)));
  }
  return all as unknown as ClusterOptions;
}

/** All sites may be given the same peers, as the containers of one manifest are: then each leaves itself out. */
function withoutItself(peers: unknown, site: unknown): unknown {
  if (typeof peers !== 'object' || peers === null) return peers;
  return Object.fromEntries(Object.entries(peers).filter(([peer]) => peer !== site));
}

/** Appends the source of a value to the line on which its key begins. */
function withSource(given: ReadonlyMap<string, Given>) {
  return (line: string, _: string | undefined, path: string) => {
    const key = [...given.keys()].find((known) => path === known || path.startsWith(`${known}.`));
    return key === undefined ? line : `${line} (${given.get(key)!.from})`;
  };
}

function put(into: Record<string, unknown>, [first, ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    into[first!] = value;
    return;
  }
  into[first!] ??= {};
  put(into[first!] as Record<string, unknown>, rest, value);
}
