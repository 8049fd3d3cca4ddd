import { checked, invalid } from './checked.ts';
import { conflictsOf } from './rules.ts';
import { clusterSchema, type Settings } from './schema.ts';

/**
 * What `joinCluster` is given, checked, with its defaults.
 *
 * Throws `OPTIONS_INVALID`, which names every key that is wrong, what came, and what it may be.
 */
export function parseOptions(options: unknown): Settings {
  const settings = checked(clusterSchema, options);
  const conflicts = conflictsOf(settings);
  if (conflicts.length > 0)
    throw invalid(conflicts.map(({ path, message }) => `${path.join('.')}: ${message}`));
  return settings;
}
