import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * The one door to the disk. All of it is synchronous, so that no event overtakes what it has to be kept by.
 * A disk that refuses throws the file system's own error (`ENOSPC`, `EACCES`, `EIO`, ...).
 */
export interface FileSystem {
  /** With its parents; they are on the disk when it returns. Nothing when it is there. */
  makeDirectory(path: string): void;
  /** The names in a directory. */
  list(path: string): readonly string[];
  /** `null` when there is no such file. Throws where there is a symbolic link, or anything but a file. */
  read(path: string): Uint8Array | null;
  /** An empty file; `false` when there is one of this name. */
  create(path: string): boolean;
  /** Nothing when it is gone. */
  remove(path: string): void;
  rename(from: string, to: string): void;
  /** For writing from its beginning; emptied when it is there. Throws where there is a symbolic link. */
  open(path: string): number;
  /** To `sync` the names in it. */
  openDirectory(path: string): number;
  /** Whether `path` leads to this open file, itself and not by a link. */
  isAt(file: number, path: string): boolean;
  /** Appends, and says how many bytes were taken: a disk that fills up takes fewer. */
  write(file: number, bytes: Uint8Array): number;
  /** Returns when all written bytes are on the disk. */
  sync(file: number): void;
  close(file: number): void;
}

/** There is no descriptor for a new file; nothing has changed on the disk. */
export class NoDescriptor extends Error {}

/**
 * Replaces the file at `path` by `bytes`, and gives it, open at its end. A reader finds all of the old or all of the
 * new content, after a crash at any point too. When the call returns, the new content is on the disk.
 *
 * Throws `NoDescriptor`, and the errors of the file system.
 */
export function replaceFile(files: FileSystem, path: string, bytes: Uint8Array): number {
  const draft = `${path}.tmp`;
  const directory = opened(() => files.openDirectory(dirname(path)));
  try {
    const file = opened(() => files.open(draft));
    try {
      writeAll(files, file, bytes);
      files.rename(draft, path);
      // Until the directory is on the disk too, a loss of power may bring the old file back.
      files.sync(directory);
    } catch (error) {
      files.close(file);
      throw error;
    }
    return file;
  } finally {
    files.close(directory);
  }
}

/**
 * Puts `bytes` at the end of an open file. When it returns, they are on the disk; after a crash at any point before, any
 * part of them may be.
 */
export function writeAll(files: FileSystem, file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += files.write(file, bytes.subarray(written));
  files.sync(file);
}

function opened(open: () => number): number {
  try {
    return open();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'EMFILE' && code !== 'ENFILE') throw cause;
    throw Object.assign(new NoDescriptor((cause as Error).message, { cause }), { code });
  }
}

/** Where the system knows neither, both are 0. */
const { O_NOFOLLOW = 0, O_NONBLOCK = 0, O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } = constants;
/** A directory that cannot be opened: there a rename is on the disk by itself. */
const noDirectory = -1;

/**
 * Makes a directory and its parents, and gives those that were missing, the outermost first. (`mkdir` of Node.js with `recursive` never returns where
 * the file system answers ENOENT for a name in a directory that is there, as /proc does.)
 */
export function makeDirectories(path: string, mode = 0o777): readonly string[] {
  const missing: string[] = [];
  let at = resolve(path);
  for (; statSync(at, { throwIfNoEntry: false }) === undefined; at = dirname(at)) missing.unshift(at);
  if (!statSync(at).isDirectory())
    throw Object.assign(new Error(`ENOTDIR: ${at} is no directory`), { code: 'ENOTDIR' });
  for (const one of missing) orWhen('EEXIST', undefined, () => mkdirSync(one, { mode }));
  // Another process may have made a file of this name meanwhile, or a link to nothing stood there.
  if (missing.length > 0) readdirSync(resolve(path));
  return missing;
}

export const systemFiles: FileSystem = {
  makeDirectory: (path) => {
    for (const made of makeDirectories(path, 0o700)) syncDirectory(dirname(made));
  },
  list: (path) => readdirSync(path),
  read: (path) =>
    orWhen('ENOENT', null, () => {
      // A pipe would have it wait for a writer.
      const file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      try {
        if (!fstatSync(file).isFile()) throw notAFile(path);
        return readFileSync(file);
      } finally {
        closeSync(file);
      }
    }),
  create: (path) =>
    orWhen('EEXIST', false, () => {
      closeSync(openSync(path, 'wx', 0o600));
      return true;
    }),
  remove: (path) => rmSync(path, { force: true }),
  rename: renameSync,
  open: (path) => {
    const file = openSync(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK, 0o600);
    if (fstatSync(file).isFile()) return file;
    closeSync(file);
    throw notAFile(path);
  },
  openDirectory: (path) => (process.platform === 'win32' ? noDirectory : openSync(path, O_RDONLY)),
  isAt: (file, path) =>
    orWhen('ENOENT', false, () => {
      const [here, there] = [fstatSync(file, { bigint: true }), lstatSync(path, { bigint: true })];
      return here.ino === there.ino && here.dev === there.dev;
    }),
  write: (file, bytes) => writeSync(file, bytes),
  sync: (file) => {
    if (file !== noDirectory) fsyncSync(file);
  },
  close: (file) => {
    if (file !== noDirectory) closeSync(file);
  },
};

function syncDirectory(path: string): void {
  const directory = systemFiles.openDirectory(path);
  try {
    systemFiles.sync(directory);
  } finally {
    systemFiles.close(directory);
  }
}

function notAFile(path: string): Error {
  return Object.assign(new Error(`${path} is no file`), { code: 'EINVAL' });
}

function orWhen<T, U>(code: string, instead: U, action: () => T): T | U {
  try {
    return action();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === code) return instead;
    throw error;
  }
}
