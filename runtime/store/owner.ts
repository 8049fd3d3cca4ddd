import { join } from 'node:path';
import type { SiteId } from '../../machines/actor.ts';
import { OperatingError } from '../api/errors.ts';
import type { FileSystem } from './files.ts';
import { type Processes, processIdPattern } from './processes.ts';

/**
 * Makes this process the only one that uses the store of `site` in `dataDir`; returns how to give it up.
 *
 * Each process that wants it makes a file of its own name first and looks for files of others then. So of
 * two, at least the later sees the other; both may, and both are refused then. What a dead process left
 * behind is taken away: names are never used twice, so that nobody takes away a living one's.
 *
 * Processes of another machine, or of another container, are not seen.
 *
 * @throws `STORE_IN_USE`, or an error of the file system.
 */
export function own(files: FileSystem, processes: Processes, dataDir: string, site: SiteId): () => void {
  const prefix = `${site}.owner.`;
  const pathOf = (id: string) => join(dataDir, prefix + id);
  const inUse = (id: string) =>
    new OperatingError(
      'STORE_IN_USE',
      `process ${id.split('-')[0]} runs site ${site} with its data in ${dataDir}; a site has one process and a ` +
        `directory of its own. If there is no such process any more, delete ${pathOf(id)}`,
    );
  if (!files.create(pathOf(processes.self))) throw inUse(processes.self);
  const release = () => files.remove(pathOf(processes.self));
  try {
    for (const name of files.list(dataDir)) {
      const id = name.startsWith(prefix) ? name.slice(prefix.length) : '';
      if (id === processes.self || !processIdPattern.test(id)) continue;
      if (processes.isAlive(id)) throw inUse(id);
      files.remove(pathOf(id));
    }
  } catch (error) {
    release();
    throw error;
  }
  return release;
}
