import { basename, dirname } from 'node:path';
import type { FileSystem } from '../files.ts';

/** The machine has lost its power: nothing more happens until it starts again. */
export class PowerLoss extends Error {}

const directory = -1;

/** The bytes of a file, and how many of them are on the disk. */
interface Inode {
  bytes: Buffer;
  synced: number;
}

/** A change of names that is not on the disk yet. */
type Change = (names: Map<string, Inode>) => void;

export interface DiskOptions {
  /** Power goes off instead of the operation of this number, from 0. Default: never. */
  readonly powerOffAt?: number;
  /** Bytes that fit in. Default: any number. */
  readonly capacity?: number;
  /** Bytes that one write takes at most. Default: all. */
  readonly chunk?: number;
}

/** One directory on a disk that, when the power goes, keeps any part of the bytes that were not synced. */
export class SimulatedDisk implements FileSystem {
  /** How many operations there were. */
  operations = 0;
  readonly #durable: Map<string, Inode>;
  #names: Map<string, Inode>;
  #changes: Change[] = [];
  readonly #opened: Inode[] = [];
  readonly #options: DiskOptions;

  constructor(options: DiskOptions = {}, durable: ReadonlyMap<string, Buffer> = new Map()) {
    this.#options = options;
    this.#durable = new Map([...durable].map(([name, bytes]) => [name, { bytes, synced: bytes.length }]));
    this.#names = new Map(this.#durable);
  }

  /**
   * The files after a loss of power. The first `changes` of the changes of names survive, and the first `bytes` of the
   * bytes that were written and not synced; with `zeros`, zeros stand for the rest.
   */
  afterPowerLoss(changes: number, bytes: number, zeros: boolean): ReadonlyMap<string, Buffer> {
    const names = new Map(this.#durable);
    for (const change of this.#changes.slice(0, changes)) change(names);
    return new Map(
      [...names].map(([name, inode]) => {
        const end = Math.min(inode.bytes.length, inode.synced + bytes);
        const kept = Buffer.alloc(zeros ? inode.bytes.length : end);
        inode.bytes.copy(kept, 0, 0, end);
        return [name, kept];
      }),
    );
  }

  makeDirectory(): void {
    this.#operate();
  }

  list(): string[] {
    this.#operate();
    return [...this.#names.keys()];
  }

  read(path: string): Buffer | null {
    this.#operate();
    return this.#names.get(basename(path))?.bytes ?? null;
  }

  create(path: string): boolean {
    this.#operate();
    if (this.#names.has(basename(path))) return false;
    this.#link(basename(path), { bytes: Buffer.alloc(0), synced: 0 });
    return true;
  }

  remove(path: string): void {
    this.#operate();
    this.#change((names) => names.delete(basename(path)));
  }

  rename(from: string, to: string): void {
    this.#operate();
    this.#change((names) => {
      const inode = names.get(basename(from))!;
      names.delete(basename(from));
      names.set(basename(to), inode);
    });
  }

  open(path: string): number {
    this.#operate();
    const inode = { bytes: Buffer.alloc(0), synced: 0 };
    this.#link(basename(path), inode);
    return this.#opened.push(inode) - 1;
  }

  openDirectory(path: string): number {
    this.#operate();
    if (path !== dirname('/data/x')) throw new Error(`opened ${path}, which is not where the file is`);
    return directory;
  }

  isAt(file: number, path: string): boolean {
    this.#operate();
    return this.#names.get(basename(path)) === this.#opened[file];
  }

  write(file: number, bytes: Uint8Array): number {
    this.#operate();
    const { capacity = Number.POSITIVE_INFINITY, chunk = bytes.length } = this.#options;
    const used = [...this.#names.values()].reduce((sum, inode) => sum + inode.bytes.length, 0);
    const taken = Math.min(bytes.length, chunk, capacity - used);
    if (taken <= 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    const inode = this.#opened[file]!;
    inode.bytes = Buffer.concat([inode.bytes, bytes.subarray(0, taken)]);
    return taken;
  }

  sync(file: number): void {
    if (file === directory) {
      this.syncDirectory();
      return;
    }
    this.#operate();
    const inode = this.#opened[file]!;
    inode.synced = inode.bytes.length;
  }

  close(): void {}

  protected syncDirectory(): void {
    this.#operate();
    for (const change of this.#changes) change(this.#durable);
    this.#changes = [];
  }

  #link(name: string, inode: Inode): void {
    this.#change((names) => names.set(name, inode));
  }

  #change(change: Change): void {
    this.#changes.push(change);
    const names = new Map(this.#names);
    change(names);
    this.#names = names;
  }

  #operate(): void {
    const { powerOffAt = Number.POSITIVE_INFINITY } = this.#options;
    if (this.operations >= powerOffAt) throw new PowerLoss();
    this.operations++;
  }
}
