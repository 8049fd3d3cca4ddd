import { closeSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { SiteId } from '../../machines/actor.ts';
import { reasonOf } from '../../machines/errors.ts';
import type { RecordLine } from '../../machines/record.ts';
import type { Clock } from '../api/clock.ts';
import { OperatingError } from '../api/errors.ts';
import { makeDirectories } from '../store/files.ts';
import type { Recorder } from './recorder.ts';

const flushBytes = 64 * 1024;
const flushAfterMs = 200;

/** The one door to the disk: a file that did not exist before, and takes text at its end. */
export interface Disk {
  append(text: string): void;
  close(): void;
}

export interface FileRecorderOptions {
  readonly dir: string;
  readonly site: SiteId;
  /** As the store counts them. Default: 0. */
  readonly life?: number;
  readonly clock: Clock;
  /** Told `TRACE_FAILED` when the disk refuses, which ends the record and not the site. */
  readonly failed: (error: OperatingError) => void;
  /** Default: the file system. */
  readonly openDisk?: (path: string) => Disk;
}

/**
 * Records into `<dir>/<site>.ndjson`, and the lives of a site after its first into `<site>@<life>.ndjson`. Lines
 * are gathered and written together, and the last of them when it is closed or the process exits, whichever is
 * first. Each line gets `at`, its time in milliseconds since 1970; only a kill loses what was gathered and not flushed.
 */
export class FileRecorder implements Recorder {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #failed: (error: OperatingError) => void;
  readonly #path: string;
  #lines: string[] = [];
  #bytes = 0;
  #open = true;
  /** Nothing is written yet. */
  #blank = true;
  #cancelFlush: (() => void) | null = null;
  readonly #atExit = () => this.close();

  /** Throws `TRACE_FAILED` when the file exists already or cannot be made. */
  constructor({ dir, site, life = 0, clock, failed, openDisk = openFile }: FileRecorderOptions) {
    // No site id has an @.
    this.#path = join(dir, life === 0 ? `${site}.ndjson` : `${site}@${life}.ndjson`);
    this.#clock = clock;
    this.#failed = failed;
    try {
      this.#disk = openDisk(this.#path);
    } catch (cause) {
      throw traceFailed(this.#path, cause);
    }
    process.once('exit', this.#atExit);
  }

  get active(): boolean {
    return this.#open;
  }

  record(line: RecordLine): void {
    if (!this.#open) return;
    const at = Math.round(performance.timeOrigin + this.#clock.now());
    const text = `${JSON.stringify(line).slice(0, -1)},"at":${at}}\n`;
    this.#lines.push(text);
    this.#bytes += text.length;
    // Without its first line a file would not even say whose it is.
    if (this.#bytes >= flushBytes || (this.#blank && line.kind === 'start')) this.flush();
    else this.#cancelFlush ??= this.#clock.after(flushAfterMs, () => this.flush());
  }

  close(): void {
    if (!this.#open) return;
    this.flush();
    if (this.#open) this.#end();
  }

  flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = null;
    const text = this.#lines.join('');
    this.#lines = [];
    this.#bytes = 0;
    if (text === '') return;
    this.#blank = false;
    try {
      this.#disk.append(text);
    } catch (cause) {
      this.#end();
      this.#failed(traceFailed(this.#path, cause));
    }
  }

  #end(): void {
    this.#open = false;
    process.off('exit', this.#atExit);
    this.#disk.close();
  }
}

// Synchronous, since only that still works while a process exits; 64 KiB at a time goes to the page cache.
function openFile(path: string): Disk {
  makeDirectories(dirname(path));
  const file = openSync(path, 'wx');
  return {
    append: (text) => {
      const bytes = Buffer.from(text);
      for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
    },
    close: () => closeSync(file),
  };
}

function traceFailed(path: string, cause: unknown): OperatingError {
  const reason = reasonOf(cause);
  return new OperatingError(
    'TRACE_FAILED',
    `cannot record into ${path}: ${reason}; give each run a directory of its own`,
    {
      cause,
    },
  );
}
