import { join } from 'node:path';
import type { SiteId } from '../../machines/actor.ts';
import type { DurableState } from '../../machines/epoch/messages.ts';
import { OperatingError } from '../api/errors.ts';
import { decode, encode, encodeBatch, type StoreContent } from './content.ts';
import { appendFile, type FileSystem, replaceFile, systemFiles } from './files.ts';
import { own } from './owner.ts';
import { type Processes, systemProcesses } from './processes.ts';

/**
 * What a site must still know after a crash (protocol.md: R7, R8), for all of its locks. Nothing that depends
 * on a `put` may leave the site, as a message or to its client, before `sync` has returned.
 */
export interface Store {
  /** How many lives this site had before, with this disk. */
  readonly life: number;
  /**
   * What `lock` has to start with, where `founder` is the root of its epoch 0: `'none'` when this site never
   * ran it before. A lock of which nothing is kept may all the same have run in an earlier life of this site,
   * in epoch 0; so it is as kept as closed there, which costs it one epoch change when it is first asked for.
   */
  read(lock: string, founder: SiteId): DurableState | 'none';
  /** The locks of which something is kept. */
  locks(): readonly string[];
  /** In memory, until `sync`. Epoch 0 with no promise needs no disk: that is what `read` takes for granted. */
  put(lock: string, disk: DurableState): void;
  /**
   * Puts on the disk what is not there yet; nothing when all is.
   *
   * @throws `DISK_FAILED`, now and ever after: what the disk has then is unknown, and the site must stop.
   */
  sync(): void;
  /** Lets another process have it. What was not synced is dropped, as in a crash. */
  close(): void;
}

export interface StoreOptions {
  /** Made when it is not there. The store is `<dataDir>/<site>.json`. */
  readonly dataDir: string;
  readonly site: SiteId;
  readonly cluster: string;
  /** This name never ran before, so that there may be no file. Where there is one, it counts. */
  readonly newcomer: boolean;
  /** Up to so many bytes the file only grows; from there on, until it has doubled since it was written anew. Default 65,536. */
  readonly leastBytes?: number;
  /** Default: the disk of this machine. */
  readonly files?: FileSystem;
  /** Default: those of this machine. */
  readonly processes?: Processes;
}

/** Of a site that will not come back under its name. */
export function memoryStore(): Store {
  const kept = new Map<string, DurableState>();
  return {
    life: 0,
    read: (lock) => kept.get(lock) ?? 'none',
    locks: () => [...kept.keys()],
    put: (lock, disk) => void kept.set(lock, disk),
    sync: () => {},
    close: () => {},
  };
}

/**
 * The store of `site` on the disk, for this process alone.
 *
 * @throws `DISK_MISSING`: there is no file, and the site is no newcomer. `DISK_CORRUPT`: the file is torn,
 *   altered, or no store; it is left as it is. `DISK_FOREIGN`: it is of another site or cluster.
 *   `DISK_FAILED`: the file system refused. `STORE_IN_USE`: another process has it.
 */
export function openStore(options: StoreOptions): Store {
  const { dataDir, site, files = systemFiles, processes = systemProcesses } = options;
  const release = failing(dataDir, () => {
    files.makeDirectory(dataDir);
    return own(files, processes, dataDir, site);
  });
  try {
    return new FileStore(options, files, release);
  } catch (error) {
    release();
    throw error;
  }
}

class FileStore implements Store {
  readonly life: number;
  readonly #options: StoreOptions;
  readonly #files: FileSystem;
  readonly #release: () => void;
  readonly #path: string;
  readonly #kept: Map<string, DurableState>;
  /** What is not on the disk yet. */
  readonly #dirty = new Map<string, DurableState>();
  /** Of the file: up to its present end, its size in bytes, and from which on it is to be written anew. */
  #checksum = '';
  #size = 0;
  #mostSize = 0;
  #failure: unknown = null;

  constructor(options: StoreOptions, files: FileSystem, release: () => void) {
    this.#options = options;
    this.#files = files;
    this.#release = release;
    this.#path = join(options.dataDir, `${options.site}.json`);
    const found = this.#load();
    this.life = found === null ? 0 : found.life + 1;
    this.#kept = new Map(found?.locks);
    this.#attempt(() => this.#replace());
  }

  read(lock: string, founder: SiteId): DurableState | 'none' {
    const kept = this.#kept.get(lock);
    if (kept !== undefined) return kept;
    return this.life > 0 ? { promised: 0, epoch: 0, root: founder } : 'none';
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
  }

  sync(): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#dirty.size > 0) this.#attempt(() => this.#append());
  }

  close(): void {
    this.#release();
  }

  /** What has changed, at the end of the file; or all of it anew, when most of what stands there is over. */
  #append(): void {
    const { bytes, checksum } = encodeBatch(this.#checksum, this.#dirty);
    if (this.#size + bytes.length > this.#mostSize) {
      this.#replace();
      return;
    }
    appendFile(this.#files, this.#path, bytes);
    this.#size += bytes.length;
    this.#checksum = checksum;
    this.#dirty.clear();
  }

  #replace(): void {
    const { cluster, site, leastBytes = 64 * 1024 } = this.#options;
    const locks = new Map([...this.#kept].filter(([, { promised }]) => promised > 0));
    const { bytes, checksum } = encode({ cluster, site, life: this.life, locks });
    replaceFile(this.#files, this.#path, bytes);
    this.#checksum = checksum;
    this.#size = bytes.length;
    this.#mostSize = Math.max(leastBytes, 2 * bytes.length);
    this.#dirty.clear();
  }

  #attempt(write: () => void): void {
    try {
      failing(this.#path, write);
    } catch (error) {
      // A second attempt could succeed without what the first one lost.
      this.#failure = error;
      throw error;
    }
  }

  #load(): StoreContent | null {
    const { cluster, site, newcomer } = this.#options;
    const path = this.#path;
    const bytes = failing(path, () => this.#files.read(path));
    if (bytes === null) {
      if (newcomer) return null;
      throw new OperatingError(
        'DISK_MISSING',
        `there is no ${path}, and with it what site ${site} promised is gone: it must not vote under this name ` +
          'again (R8). Bring the file back, or start a site with a new name; only of a name that never ran ' +
          'before say that it is a newcomer',
      );
    }
    const content = decode(bytes);
    if (typeof content === 'string') {
      throw new OperatingError(
        'DISK_CORRUPT',
        `${path} is not what a site wrote: ${content}. It is left as it is, and is not taken for an older ` +
          `state. If it cannot be brought back whole, site ${site} must not vote under this name again (R8): ` +
          'start a site with a new name',
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
}

/** `action`, with the errors of the file system made ours. */
function failing<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof OperatingError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === undefined) throw cause;
    throw new OperatingError(
      'DISK_FAILED',
      `the disk refused ${path}: ${message}. Nothing that depends on it may be said: the site stops. See to ` +
        'the disk, then start it again with the same data directory',
      { cause },
    );
  }
}
