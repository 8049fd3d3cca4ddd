import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { checked, invalid } from './checked.ts';
import { conflictsOf } from './rules.ts';
import { clusterSchema, defaultPort, type Settings, siteIdIs } from './schema.ts';

/** With `size`: time in ms after which a member that is down makes room for another. */
const removeAfterMs = 5_000;

/** Keys that a guest, or a process with `size`, need not give. */
const ofSites = ['site', 'listen', 'peers'] as const;

/**
 * Checks the options of `joinCluster` and fills in the defaults. Throws `OPTIONS_INVALID`, which names every
 * wrong key, its value and the allowed values.
 */
export function parseOptions(options: unknown): Settings {
  const { guest, size, nats } = (options ?? {}) as Readonly<Record<'guest' | 'size' | 'nats', unknown>>;
  const isNamed = guest !== true && size === undefined;
  refuseHiddenPeer(options);
  const needed = ofSites.filter((key) => key !== 'listen' || nats === undefined);
  const given = checked(clusterSchema, options, isNamed ? needed : []);
  const isShared = given.guest || (given.size !== undefined && given.nats === undefined);
  const { site: named = hostname() } = given;
  // Over NATS the name of a site is its address.
  const site = isShared || given.site === undefined ? uniqueId(named) : named;
  const listen = given.listen ?? (given.guest ? nowhere : everywhere(given, site));
  const settings: Settings = {
    ...given,
    site,
    listen,
    advertise: { ...podAddress(listen), ...given.advertise },
    peers: given.peers ?? {},
    ...(given.size !== undefined && { members: { removeAfterMs, ...given.members } }),
  };
  const conflicts = conflictsOf(settings);
  if (conflicts.length > 0)
    throw invalid(conflicts.map(({ path, message }) => `${path.join('.')}: ${message}`));
  return settings;
}

/**
 * Throws `OPTIONS_INVALID` for a peer with the name `__proto__`. The schema of a record passes over this key, and in a literal it sets the
 * prototype: without the peer, the site would found a cluster alone.
 */
function refuseHiddenPeer(options: unknown): void {
  const { peers } = (options ?? {}) as { readonly peers?: unknown };
  if (typeof peers !== 'object' || peers === null) return;
  const prototype: object | null = Object.getPrototypeOf(peers);
  if (Object.hasOwn(peers, '__proto__') || Object.keys(prototype ?? {}).length > 0)
    throw invalid([`peers.__proto__: ${siteIdIs}, got "__proto__"`]);
}

/** A guest does not listen. */
const nowhere = { host: '127.0.0.1', port: 0 };

/** Listens at all addresses if there are credentials, otherwise on loopback only; over NATS, at its own name. */
function everywhere(
  { tls, secret, insecure, nats }: Pick<Settings, 'tls' | 'secret' | 'insecure' | 'nats'>,
  site: string,
) {
  if (nats) return { host: site, port: defaultPort };
  const isOpen = tls !== undefined || secret !== undefined || insecure === true;
  return { host: isOpen ? '0.0.0.0' : '127.0.0.1', port: defaultPort };
}

/** The address of a Kubernetes pod that listens at all of its addresses, if the manifest passes it. */
function podAddress({ host }: Settings['listen']): { readonly host?: string } {
  const pod = process.env['POD_IP'];
  return pod !== undefined && pod !== '' && (host === '0.0.0.0' || host === '::') ? { host: pod } : {};
}

/** Makes a name that no other process has. */
export function uniqueId(name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9._-]/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  return `${plain.slice(0, 55) || 'guest'}.${randomBytes(4).toString('hex')}`;
}
