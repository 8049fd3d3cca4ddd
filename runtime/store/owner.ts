import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { SiteId } from '../../machines/actor.ts';
import { OperatingError } from '../api/errors.ts';
import type { FileSystem } from './files.ts';
import { type Processes, processIdPattern } from './processes.ts';

/**
 * Makes this process the only one that uses the store of `site` in `dataDir`. Returns a function that gives it up.
 *
 * Each process that wants it makes a file of its own name first and looks for files of others then. So if two start
 * together, at least the later sees the other; both may, and both are refused then. Files of dead processes are
 * removed: names are never used twice, so the file of a living process is never removed.
 *
 * A process of another container that shares the directory is asked by a socket beside its file, which its kernel
 * closes when it dies. Whether one of another machine lives is not known where the directory is on a network: its socket
 * refuses. Then the one that came first stops at its next write, for its file is no longer there.
 *
 * Rejects with `STORE_IN_USE`, or an error of the file system.
 */
export async function own(
  files: FileSystem,
  processes: Processes,
  dataDir: string,
  site: SiteId,
): Promise<() => void> {
  const prefix = `${site}.owner.`;
  const pathOf = (id: string) => join(dataDir, prefix + id);
  // Short, for the path of a socket is: no site id begins with a dot.
  const socketOf = (id: string) =>
    join(dataDir, `.${createHash('sha256').update(`${site} ${id}`).digest('hex').slice(0, 12)}`);
  const inUse = (id: string) =>
    new OperatingError(
      'STORE_IN_USE',
      `process ${id.split('-')[0]}${processes.isAlive(id) === null ? ' of another container or machine' : ''} runs site ` +
        `${site} with its data in ${dataDir}; a site has one process and a directory of its own. If there is no such ` +
        `process any more, delete ${pathOf(id)}`,
    );
  const { self } = processes;
  // The socket is there before the file that tells of it.
  const silence = await processes.answerAt(socketOf(self));
  let release = silence;
  try {
    if (!files.create(pathOf(self))) throw inUse(self);
    release = () => {
      remove(files, pathOf(self));
      silence();
    };
    for (const name of files.list(dataDir)) {
      const id = name.startsWith(prefix) ? name.slice(prefix.length) : '';
      if (id === self || !processIdPattern.test(id)) continue;
      const lives = processes.isAlive(id) ?? (await processes.answers(socketOf(id))) ?? true;
      if (lives) throw inUse(id);
      files.remove(pathOf(id));
      files.remove(socketOf(id));
    }
  } catch (error) {
    release();
    throw error;
  }
  return release;
}

/** One that cannot be removed, on a disk that became read-only say, is removed by the next process. */
function remove(files: FileSystem, path: string): void {
  try {
    files.remove(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  }
}
