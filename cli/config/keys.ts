import * as z from 'zod';
import { about } from '../../runtime/options/describe.ts';
import { clusterSchema } from '../../runtime/options/schema.ts';
import { inner, keysOf, schemaAt } from '../../runtime/options/walk.ts';
import { address, names, peers } from '../options.ts';

/** A key that a file, a variable or a flag can give. */
export interface Key {
  /** `timing.heartbeatMs`. */
  readonly path: string;
  /** `BATON_TIMING_HEARTBEAT_MS`. */
  readonly variable: string;
  /** `dataDir` for `--data-dir`. */
  readonly flag?: string;
  /** ` <dir>`, where the flag takes a value. */
  readonly placeholder?: string;
  /** Its purpose. */
  readonly does: string;
  /** Its default in `baton site`, for a person to read. */
  readonly otherwise: string;
  /**
   * Converts a text to a value. A text that cannot be converted comes back unchanged, and the schema refuses
   * it.
   */
  read(text: string): unknown;
  /** True for a secret, which is never shown. */
  readonly hidden: boolean;
}

/** `--data-dir` for `dataDir`. */
export function flagName(flag: string): string {
  return `--${flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The flags of `baton site`, by the key that each sets, with the placeholder of its value in `--help`. */
const flags: Readonly<Record<string, readonly [flag: string, value: string]>> = {
  site: ['id', ' <id>'],
  listen: ['listen', ' <host:port>'],
  peers: ['peers', ' <id=host:port,...>'],
  cluster: ['cluster', ' <name>'],
  root: ['root', ' <id>'],
  dataDir: ['dataDir', ' <dir>'],
  voters: ['voters', ' <id,...>'],
  founders: ['founders', ' <id,...>'],
  join: ['join', ''],
  guest: ['guest', ''],
  discovery: ['discovery', ' <host:port,...>'],
  'strict.leaseMs': ['strict', ' <ms>'],
  traceDir: ['trace', ' <dir>'],
  'tls.certFile': ['tlsCert', ' <file>'],
  'tls.keyFile': ['tlsKey', ' <file>'],
  'tls.caFile': ['tlsCa', ' <file>'],
  secretFile: ['secretFile', ' <file>'],
  insecure: ['insecure', ''],
};

/** Defaults of `baton site` that `joinCluster` does not have. */
const ownDefaults: Readonly<Record<string, string>> = {
  cluster: 'baton',
  root: 'the first of all ids in code-unit order',
};

const groups = ['strict', 'members', 'timing', 'limits'];
const plain = [
  'cluster',
  'site',
  'listen',
  'peers',
  'guest',
  'discovery',
  'founders',
  'join',
  'root',
  'dataDir',
  'voters',
  'traceDir',
];
const files = ['tls.certFile', 'tls.keyFile', 'tls.caFile', 'secretFile'];

export const keys: readonly Key[] = [
  ...plain,
  ...groups.flatMap((group) => keysOf(schemaAt(clusterSchema, [group])).map((key) => `${group}.${key}`)),
  ...files,
  'secret',
  'insecure',
].map((path) => ({
  path,
  variable: `BATON_${path
    .replace(/(?=[A-Z])/g, '_')
    .replace('.', '_')
    .toUpperCase()}`,
  ...(flags[path] && { flag: flags[path][0], placeholder: flags[path][1] }),
  does: doesOf(path),
  otherwise: ownDefaults[path] ?? String(aboutKey(path)?.otherwise ?? groupOf(path)?.otherwise ?? ''),
  read: readerOf(path),
  hidden: path === 'secret',
}));

/** Returns the description of a key of `ClusterOptions`. */
export function aboutKey(path: string) {
  return files.includes(path) ? undefined : about.get(schemaAt(clusterSchema, path.split('.')));
}

/** Returns the description of the group of a key. */
export function groupOf(path: string) {
  const [group] = path.split('.');
  return files.includes(path) ? undefined : about.get(schemaAt(clusterSchema, [group!]));
}

/** Returns the purpose of a key. A key for a file describes the option whose value the file holds. */
export function doesOf(path: string): string {
  if (!files.includes(path)) return aboutKey(path)?.does ?? groupOf(path)?.does ?? '';
  return `${aboutKey(path.replace('File', ''))?.does} Read from this file.`;
}

function readerOf(path: string): (text: string) => unknown {
  if (path === 'listen') return address;
  if (path === 'peers') return peers;
  if (path === 'discovery') return names;
  if (files.includes(path)) return String;
  const schema = inner(schemaAt(clusterSchema, path.split('.')));
  if (schema instanceof z.ZodNumber)
    return (text) => (text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text));
  if (schema instanceof z.ZodBoolean) return (text) => ({ true: true, false: false })[text] ?? text;
  if (schema instanceof z.ZodArray) return names;
  return String;
}
