import {
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

/**
 * The one door to the disk. All of it is synchronous, so that no event overtakes what it has to be kept by.
 * A disk that refuses throws the file system's own error (`ENOSPC`, `EACCES`, `EIO`, ...).
 */
export interface FileSystem {
  /** With its parents; they are on the disk when it returns. Nothing when it is there. */
  makeDirectory(path: string): void;
  /** The names in a directory. */
  list(path: string): readonly string[];
  /** `null` when there is no such file. */
  read(path: string): Uint8Array | null;
  /** An empty file; `false` when there is one of this name. */
  create(path: string): boolean;
  /** Nothing when it is gone. */
  remove(path: string): void;
  rename(from: string, to: string): void;
  /** For writing from its beginning; emptied when it is there. */
  open(path: string): number;
  /** For writing at its end. Throws when there is no such file. */
  append(path: string): number;
  /** Appends, and says how many bytes were taken: a disk that fills up takes fewer. */
  write(file: number, bytes: Uint8Array): number;
  /** Returns when what was written is on the disk. */
  sync(file: number): void;
  close(file: number): void;
  /** Returns when the names in this directory are on the disk. */
  syncDirectory(path: string): void;
}

/**
 * Puts `bytes` in the place of what stood at `path`: whoever reads it, after a crash at any point too, has
 * either all of the old or all of the new. When it returns, the new is on the disk.
 */
export function replaceFile(files: FileSystem, path: string, bytes: Uint8Array): void {
  const draft = `${path}.tmp`;
  writeAll(files, files.open(draft), bytes);
  files.rename(draft, path);
  // Until the directory is on the disk too, a loss of power may bring the old file back.
  files.syncDirectory(dirname(path));
}

/**
 * Puts `bytes` at the end of the file at `path`. When it returns, they are on the disk; after a crash at any point before,
 * any part of them may be.
 */
export function appendFile(files: FileSystem, path: string, bytes: Uint8Array): void {
  // Opened anew each time: one that was deleted meanwhile must not take any more.
  writeAll(files, files.append(path), bytes);
}

function writeAll(files: FileSystem, file: number, bytes: Uint8Array): void {
  try {
    for (let written = 0; written < bytes.length; ) written += files.write(file, bytes.subarray(written));
    files.sync(file);
  } finally {
    files.close(file);
  }
}

export const systemFiles: FileSystem = {
  makeDirectory: (path) => {
    const first = mkdirSync(path, { recursive: true });
    if (first === undefined) return;
    for (let made = path; made.length >= first.length; made = dirname(made)) syncDirectory(dirname(made));
  },
  list: (path) => readdirSync(path),
  read: (path) => orWhen('ENOENT', null, () => readFileSync(path)),
  create: (path) =>
    orWhen('EEXIST', false, () => {
      closeSync(openSync(path, 'wx'));
      return true;
    }),
  remove: (path) => rmSync(path, { force: true }),
  rename: renameSync,
  open: (path) => openSync(path, 'w'),
  append: (path) => openSync(path, constants.O_WRONLY | constants.O_APPEND),
  write: (file, bytes) => writeSync(file, bytes),
  sync: fsyncSync,
  close: closeSync,
  syncDirectory,
};

function syncDirectory(path: string): void {
  // There a directory cannot be opened, and a rename is on the disk by itself.
  if (process.platform === 'win32') return;
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function orWhen<T, U>(code: string, instead: U, action: () => T): T | U {
  try {
    return action();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === code) return instead;
    throw error;
  }
}
