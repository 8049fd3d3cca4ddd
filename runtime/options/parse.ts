import { checked, invalid } from './checked.ts';
import { conflictsOf } from './rules.ts';
import { clusterSchema, type Settings } from './schema.ts';

/**
 * Checks the options of `joinCluster` and fills in the defaults.
 *
 * Throws `OPTIONS_INVALID`, which names every wrong key, the value that came, and the values that it may have.
 */
export function parseOptions(options: unknown): Settings {
  const settings = checked(clusterSchema, options);
  const conflicts = conflictsOf(settings);
  if (conflicts.length > 0)
    throw invalid(conflicts.map(({ path, message }) => `${path.join('.')}: ${message}`));
  return settings;
}
