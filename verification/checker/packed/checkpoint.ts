import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { StateLayout } from './state-layout.ts';
import { type Found, SearchError } from './types.ts';

/** The progress of a search at the end of a level, without its states. */
export interface Progressed {
  readonly version: 2;
  /** The subject and the settings of the search. A resumed search must have the same. */
  readonly identity: Readonly<Record<string, string>>;
  readonly plan: StateLayout;
  readonly depth: number;
  readonly transitions: number;
  readonly deadlocks: number;
  readonly deadlock: Found | null;
  readonly cut: number;
  readonly represented: number;
  readonly found: readonly (Found | null)[];
  readonly elapsedMs: number;
  /** Digest of all answers that the model gave to the journal's questions. */
  readonly digest: string;
  /** Length of the journal; count and capacity of each partition; bytes of each chunk of the frontier. */
  readonly journal: number;
  readonly counts: readonly number[];
  readonly capacities: readonly number[];
  readonly frontier: readonly number[];
  /** The states were on the disk. They may be too many for memory. */
  readonly spilled: boolean;
}

const fileName = 'checkpoint';

/**
 * Writes the header and then `parts` to a temporary file, flushes it, and then replaces the previous
 * checkpoint.
 */
export function writeCheckpoint(
  dir: string,
  header: Progressed,
  ...parts: readonly Iterable<Uint8Array>[]
): void {
  mkdirSync(dir, { recursive: true });
  const temporary = join(dir, `${fileName}.tmp`);
  const file = openSync(temporary, 'w');
  try {
    const text = new TextEncoder().encode(JSON.stringify(header));
    writeWhole(file, Uint8Array.from(new Uint8Array(Uint32Array.of(text.length).buffer)));
    writeWhole(file, text);
    for (const part of parts) for (const piece of part) writeWhole(file, piece);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, join(dir, fileName));
}

/** Reads a checkpoint: first the header, then each part in order, straight into its destination. */
export class CheckpointReader {
  readonly header: Progressed;
  private readonly file: number;

  constructor(dir: string) {
    try {
      this.file = openSync(join(dir, fileName), 'r');
    } catch (error) {
      throw new SearchError(
        'CHECKPOINT_MISSING',
        `expected a checkpoint in ${dir}, but cannot read it (${(error as NodeJS.ErrnoException).code}): give the directory of an earlier search`,
      );
    }
    const length = new Uint32Array(1);
    this.read(new Uint8Array(length.buffer));
    const text = new Uint8Array(length[0]!);
    this.read(text);
    this.header = JSON.parse(new TextDecoder().decode(text));
  }

  read(into: Uint8Array): void {
    for (let done = 0; done < into.length; ) {
      const got = readSync(this.file, into, done, into.length - done, null);
      if (got === 0)
        throw new SearchError('CHECKPOINT_DIFFERS', 'the checkpoint ends early: begin again without it');
      done += got;
    }
  }

  close(): void {
    closeSync(this.file);
  }
}

export function writeWhole(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done);
}

/** A digest of numbers. It tells the answers of different models apart. */
export class Digest {
  private readonly hash = createHash('sha256');
  private readonly pending: number[] = [];

  add(...numbers: readonly number[]): void {
    this.pending.push(...numbers);
    if (this.pending.length > 4096) this.flush();
  }

  /** The digest of all numbers added so far. */
  value(): string {
    this.flush();
    return this.hash.copy().digest('hex');
  }

  private flush(): void {
    this.hash.update(Int32Array.from(this.pending));
    this.pending.length = 0;
  }
}
