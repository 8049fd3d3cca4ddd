import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { checked, invalid } from './checked.ts';
import { conflictsOf } from './rules.ts';
import { clusterSchema, type Settings } from './schema.ts';

/** The keys that a guest does without. */
const ofSites = ['site', 'listen', 'peers'] as const;

/**
 * Checks the options of `joinCluster` and fills in the defaults.
 *
 * Throws `OPTIONS_INVALID`, which names every wrong key, the value that came, and the values that it may have.
 */
export function parseOptions(options: unknown): Settings {
  const isGuest = (options as { readonly guest?: unknown } | null)?.guest === true;
  const given = checked(clusterSchema, options, isGuest ? [] : ofSites);
  const settings = {
    ...given,
    site: isGuest ? guestId(given.site ?? hostname()) : given.site!,
    listen: given.listen ?? nowhere,
    peers: given.peers ?? {},
  };
  const conflicts = conflictsOf(settings);
  if (conflicts.length > 0)
    throw invalid(conflicts.map(({ path, message }) => `${path.join('.')}: ${message}`));
  return settings;
}

/** A guest listens nowhere. */
const nowhere = { host: '127.0.0.1', port: 0 };

/** The only guest of its name. */
function guestId(name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9._-]/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  return `${plain.slice(0, 55) || 'guest'}.${randomBytes(4).toString('hex')}`;
}
