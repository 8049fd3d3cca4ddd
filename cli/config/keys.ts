import { z } from 'zod';
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
  /** `--data-dir`, by commander's name for it. */
  readonly flag?: string;
  /**
   * Converts a text to a value. A text that cannot be converted comes back unchanged, and the schema refuses
   * it.
   */
  read(text: string): unknown;
  /** Never shown. */
  readonly hidden: boolean;
}

/** The flags of `baton site`, by the key that each sets. */
const flags: Readonly<Record<string, string>> = {
  cluster: 'cluster',
  site: 'id',
  listen: 'listen',
  peers: 'peers',
  root: 'root',
  dataDir: 'dataDir',
  newcomer: 'newcomer',
  voters: 'voters',
  'strict.leaseMs': 'strict',
  traceDir: 'trace',
  'tls.certFile': 'tlsCert',
  'tls.keyFile': 'tlsKey',
  'tls.caFile': 'tlsCa',
  secretFile: 'secretFile',
  insecure: 'insecure',
};

const groups = ['strict', 'timing', 'limits'];
const plain = ['cluster', 'site', 'listen', 'peers', 'root', 'dataDir', 'newcomer', 'voters', 'traceDir'];
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
  ...(flags[path] !== undefined && { flag: flags[path] }),
  read: readerOf(path),
  hidden: path === 'secret',
}));

/** The description of a key of `ClusterOptions`. */
export function aboutKey(path: string) {
  return about.get(schemaAt(clusterSchema, path.split('.')));
}

function readerOf(path: string): (text: string) => unknown {
  if (path === 'listen') return address;
  if (path === 'peers') return peers;
  if (files.includes(path)) return String;
  const schema = inner(schemaAt(clusterSchema, path.split('.')));
  if (schema instanceof z.ZodNumber)
    return (text) => (text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text));
  if (schema instanceof z.ZodBoolean) return (text) => ({ true: true, false: false })[text] ?? text;
  if (schema instanceof z.ZodArray) return names;
  return String;
}
