import { join } from 'node:path';
import type { SiteId } from '../../machines/actor.ts';
import type { DurableState } from '../../machines/epoch/messages.ts';
import type { FoundingDisk } from '../../machines/members/founding.ts';
import { OperatingError } from '../api/errors.ts';
import {
  decode,
  encode,
  encodeBatch,
  type MembersRecord,
  type StoreContent,
  version,
  versionOf,
} from './content.ts';
import { type FileSystem, NoDescriptor, replaceFile, systemFiles, writeAll } from './files.ts';
import { own } from './owner.ts';
import { type Processes, systemProcesses } from './processes.ts';

/**
 * The durable state of a site for all of its locks (protocol.md: R7, R8). Nothing that depends on a `put` may leave
 * the site, as a message or to its client, before `sync` has returned.
 */
export interface Store {
  /** How many lives this site had before, with this disk. */
  readonly life: number;
  /** Random, and kept with this disk: an emptied one is another id, and so another site (protocol.md, section 4). */
  readonly id: string;
  /** The founding that this id accepted; `null`: none. */
  readonly founding: FoundingDisk | null;
  /** In memory, until `sync`. */
  putFounding(founding: FoundingDisk): void;
  /** This id's record of the voters; `null`: it knows of no founding. */
  readonly members: MembersRecord | null;
  /** In memory, until `sync`. */
  putMembers(members: MembersRecord): void;
  /**
   * The state in which `lock` starts, where `founder` is the root of its epoch 0: `'none'` when this site never ran it
   * before. A lock without an entry may all the same have run in epoch 0, in an earlier run of this site in which the
   * cluster was founded. It is read as closed in that epoch, which costs it one epoch change at its first request.
   */
  read(lock: string, founder: SiteId): DurableState | 'none';
  /** The locks that have an entry. */
  locks(): readonly string[];
  /** In memory, until `sync`. Epoch 0 with no promise needs no disk: that is what `read` takes for granted. */
  put(lock: string, disk: DurableState): void;
  /** Drops the entry of a lock, whose promise stands in the record of the members from now on (R13). In memory, until `sync`. */
  forget(lock: string): void;
  /**
   * Writes all pending changes to the disk; without any it does nothing.
   *
   * @throws `DISK_FAILED`, now and ever after: what the disk has then is unknown, and the site must stop.
   */
  sync(): void;
  /** Releases the directory for another process. Entries that were not synced are dropped, as in a crash. */
  close(): void;
}

export interface StoreOptions {
  /** Made when it is not there. The store is `<dataDir>/<site>.json`. */
  readonly dataDir: string;
  readonly site: SiteId;
  readonly cluster: string;
  /** The id of a data directory that has none yet. */
  readonly newId: string;
  /** Size in bytes up to which the file only grows. Beyond it, the file is written anew when it has doubled. Default 65,536. */
  readonly leastBytes?: number;
  /** Default: the disk of this machine. */
  readonly files?: FileSystem;
  /** Default: those of this machine. */
  readonly processes?: Processes;
}

/** The store of a site that will not come back: `id` is another one at every start. */
export function memoryStore(id: string, founding: FoundingDisk | null = null): Store {
  const kept = new Map<string, DurableState>();
  let known = founding;
  let record: MembersRecord | null = null;
  return {
    life: 0,
    id,
    get founding() {
      return known;
    },
    putFounding: (accepted) => {
      known = accepted;
    },
    get members() {
      return record;
    },
    putMembers: (members) => {
      record = members;
    },
    read: (lock) => kept.get(lock) ?? 'none',
    locks: () => [...kept.keys()],
    put: (lock, disk) => void kept.set(lock, disk),
    forget: (lock) => void kept.delete(lock),
    sync: () => {},
    close: () => {},
  };
}

/**
 * The store of `site` on the disk, for this process alone.
 *
 * Rejects with `STORE_IN_USE`: another process has it; with `DISK_FAILED`: the file system refused; and with what
 * `readStore` throws.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { dataDir, site, files = systemFiles, processes = systemProcesses } = options;
  failing(dataDir, () => files.makeDirectory(dataDir));
  const release = await own(files, processes, dataDir, site).catch((error) =>
    failing(dataDir, () => {
      throw error;
    }),
  );
  try {
    return readStore(options, release);
  } catch (error) {
    release();
    throw error;
  }
}

/**
 * The same, of a data directory that is there and is this process's own until `release`.
 *
 * @throws `DISK_CORRUPT`: the file is torn, altered, or no store; it is left as it is. `DISK_VERSION`: another version of Baton wrote it. `DISK_FOREIGN`: it is
 *   of another site or cluster. `DISK_FAILED`: the file system refused.
 */
export function readStore(options: StoreOptions, release: () => void = () => undefined): Store {
  return new FileStore(options, options.files ?? systemFiles, release);
}

/** The initial content of another site with the same name and the same directory. */
export type Beginning = Pick<StoreContent, 'id' | 'founding' | 'members'>;

/**
 * Makes a site that does not run another one, which has run no lock and had no life before. `begin` is given what is there, and what it
 * throws leaves that as it is.
 *
 * Rejects as `openStore` does, and with `DISK_MISSING` where there is no store of the site.
 */
export async function changeStore(
  options: StoreOptions,
  begin: (before: StoreContent) => Beginning,
): Promise<void> {
  const { dataDir, site, cluster, files = systemFiles, processes = systemProcesses } = options;
  const path = join(dataDir, `${site}.json`);
  const before = failing(path, () => loaded(files, path, options));
  if (before === null)
    throw new OperatingError('DISK_MISSING', `expected data of site ${site} in ${path}, and there are none`);
  const release = await own(files, processes, dataDir, site);
  try {
    const { bytes } = encode({ cluster, site, life: 0, ...begin(before), locks: new Map() });
    failing(path, () => files.close(replaceFile(files, path, bytes)));
  } finally {
    release();
  }
}

class FileStore implements Store {
  readonly life: number;
  readonly id: string;
  readonly #options: StoreOptions;
  readonly #files: FileSystem;
  readonly #release: () => void;
  readonly #path: string;
  readonly #kept: Map<string, DurableState>;
  #founding: FoundingDisk | null;
  #members: MembersRecord | null;
  /** The founding or the members are not on the disk yet. */
  #headIsDirty = false;
  /** In an earlier life the cluster was founded, so that any lock may have run. */
  readonly #hasRun: boolean;
  /** The entries that are not on the disk yet. */
  readonly #dirty = new Map<string, DurableState>();
  /** The file's checksum up to its present end, its size in bytes, and the size from which on it is written anew. */
  #checksum = '';
  #size = 0;
  #mostSize = 0;
  /** Open for as long as the store is: a process that has no descriptor left can still keep its word. */
  #file: number | null = null;
  #failure: unknown = null;

  constructor(options: StoreOptions, files: FileSystem, release: () => void) {
    this.#options = options;
    this.#files = files;
    this.#release = release;
    this.#path = join(options.dataDir, `${options.site}.json`);
    const found = loaded(files, this.#path, options);
    this.life = found === null ? 0 : found.life + 1;
    this.id = found?.id ?? options.newId;
    this.#founding = found?.founding ?? null;
    this.#members = found?.members ?? null;
    this.#hasRun = this.#founding?.stage === 'settled';
    this.#kept = new Map(found?.locks);
    this.#attempt(() => this.#replace());
  }

  get founding(): FoundingDisk | null {
    return this.#founding;
  }

  putFounding(founding: FoundingDisk): void {
    this.#founding = founding;
    this.#headIsDirty = true;
  }

  get members(): MembersRecord | null {
    return this.#members;
  }

  putMembers(members: MembersRecord): void {
    this.#members = members;
    this.#headIsDirty = true;
  }

  read(lock: string, founder: SiteId): DurableState | 'none' {
    const kept = this.#kept.get(lock);
    if (kept !== undefined) return kept;
    return this.#hasRun ? { promised: 0, epoch: 0, root: founder } : 'none';
  }

  locks(): readonly string[] {
    return [...this.#kept.keys()].sort();
  }

  put(lock: string, { promised, epoch, root }: DurableState): void {
    const before = this.#kept.get(lock);
    if (before?.promised === promised && before.epoch === epoch && before.root === root) return;
    const disk = { promised, epoch, root };
    this.#kept.set(lock, disk);
    if (before !== undefined || promised > 0) this.#dirty.set(lock, disk);
    if (this.#isCovered(disk)) this.#dirty.delete(lock);
  }

  /** The floor says as much, or more (R13). */
  #isCovered({ promised }: DurableState): boolean {
    return promised <= (this.#members?.floor ?? 0);
  }

  forget(lock: string): void {
    this.#kept.delete(lock);
    this.#dirty.delete(lock);
  }

  sync(): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#headIsDirty) this.#attempt(() => this.#replace());
    else if (this.#dirty.size > 0) this.#attempt(() => this.#append());
  }

  close(): void {
    this.#failure ??= new OperatingError('DISK_FAILED', `the store ${this.#path} is closed`);
    if (this.#file !== null) this.#files.close(this.#file);
    this.#file = null;
    this.#release();
  }

  /** Writes the changes at the end of the file; or writes all of it anew, when most of its content is out of date. */
  #append(): void {
    const { bytes, checksum } = encodeBatch(this.#checksum, this.#dirty);
    if (this.#size + bytes.length > this.#mostSize && this.#replaced()) return;
    // One that was deleted or replaced must not take any more: nobody would find it.
    if (!this.#files.isAt(this.#file!, this.#path)) throw notOurs(this.#path);
    writeAll(this.#files, this.#file!, bytes);
    this.#size += bytes.length;
    this.#checksum = checksum;
    this.#dirty.clear();
  }

  /** False: there is no descriptor for another file now, and this one grows on. */
  #replaced(): boolean {
    if (!this.#files.isAt(this.#file!, this.#path)) throw notOurs(this.#path);
    try {
      this.#replace();
      return true;
    } catch (error) {
      if (!(error instanceof NoDescriptor)) throw error;
      this.#mostSize += this.#leastBytes;
      return false;
    }
  }

  get #leastBytes(): number {
    return this.#options.leastBytes ?? 64 * 1024;
  }

  #replace(): void {
    const { cluster, site } = this.#options;
    const locks = new Map([...this.#kept].filter(([, disk]) => !this.#isCovered(disk)));
    const { bytes, checksum } = encode({
      cluster,
      site,
      life: this.life,
      id: this.id,
      founding: this.#founding,
      members: this.#members,
      locks,
    });
    const file = replaceFile(this.#files, this.#path, bytes);
    if (this.#file !== null) this.#files.close(this.#file);
    this.#file = file;
    this.#checksum = checksum;
    this.#size = bytes.length;
    this.#mostSize = Math.max(this.#leastBytes, 2 * bytes.length);
    this.#dirty.clear();
    this.#headIsDirty = false;
  }

  #attempt(write: () => void): void {
    try {
      failing(this.#path, write);
    } catch (error) {
      // A second attempt could succeed without the changes that the first one lost.
      this.#failure = error;
      throw error;
    }
  }
}

/** The content of the file; `null`: there is none. */
function loaded(
  files: FileSystem,
  path: string,
  { cluster, site }: Pick<StoreOptions, 'cluster' | 'site'>,
): StoreContent | null {
  const bytes = failing(path, () => files.read(path));
  // With the file its id is gone, and nobody takes the site for the one that kept its promises there (R8).
  if (bytes === null) return null;
  const written = versionOf(bytes);
  if (written !== null && written !== version) {
    throw new OperatingError(
      'DISK_VERSION',
      `${path} is of version ${written} of the file, and this Baton reads version ${version}; it is left as it is. ` +
        `Start site ${site} with a Baton that reads it`,
    );
  }
  const content = decode(bytes);
  if (typeof content === 'string') {
    throw new OperatingError(
      'DISK_CORRUPT',
      `${path} is not what a site wrote: ${content}. It is left as it is, and is not taken for an older ` +
        'state. If it cannot be brought back whole, delete it: the site is another one then (R8), and the cluster goes on ' +
        'without the one that it was',
    );
  }
  if (content.site !== site || content.cluster !== cluster) {
    throw new OperatingError(
      'DISK_FOREIGN',
      `${path} is of site ${content.site} in cluster ${content.cluster}, not of site ${site} in cluster ` +
        `${cluster}: give each site a directory of its own`,
    );
  }
  return content;
}

/** `action`, with the errors of the file system made ours. */
function failing<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof OperatingError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === undefined) throw cause;
    const [why, remedy] = reasons[code] ?? ['the disk refused', 'see to the disk'];
    throw new OperatingError(
      'DISK_FAILED',
      `cannot keep ${path}: ${why} (${message}). Nothing that depends on it may be said: the site stops. To go on, ` +
        `${remedy}, then start it again with the same data directory`,
      { cause },
    );
  }
}

/** For each error code of a file system: its meaning, and the remedy. */
const reasons: Readonly<Record<string, readonly [string, string]>> = {
  ENOSPC: ['the disk is full', 'make room on it'],
  EDQUOT: ['the quota of the disk is used up', 'make room on it'],
  EFBIG: ['the file may not grow', 'raise the limit on the size of files (ulimit -f)'],
  EROFS: ['the file system is read-only', 'mount it so that it can be written'],
  EACCES: ['this process has no permission', 'give its user the data directory'],
  EPERM: ['this process has no permission', 'give its user the data directory'],
  EMFILE: [
    'this process has no file descriptor left',
    'raise its limit (ulimit -n), or close what it leaves open',
  ],
  ENFILE: ['this machine has no file descriptor left', 'raise its limit (sysctl fs.file-max)'],
  ELOOP: ['a symbolic link stands in its place, and is not followed', 'remove the link'],
  EINVAL: ['something that is no file stands in its place', 'remove it'],
  ENOTDIR: ['a part of the path is no directory', 'put a directory in its place'],
  ENOENT: [
    'no directory can be made there, or a link leads nowhere',
    'make the directory that it is to be in',
  ],
  EIO: ['the device failed', 'see to the disk'],
};

function notOurs(path: string): OperatingError {
  return new OperatingError(
    'DISK_FAILED',
    `${path} is no longer the file that this process writes: it was removed, or another process has put its own there. ` +
      'Nothing that depends on it may be said: the site stops. Give each site a data directory of its own',
  );
}
