import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { SiteId } from '../../machines/actor.ts';
import type { RecordLine } from '../../machines/record.ts';
import type { Clock } from '../doors.ts';
import { OperatingError } from '../errors.ts';
import type { Recorder } from './recorder.ts';

const flushBytes = 64 * 1024;
const flushAfterMs = 200;

/** A stretch of text that goes to the end of one file. */
interface Disk {
  append(text: string): void;
  close(): void;
}

/**
 * Records into `<dir>/<site>.ndjson`. Lines are gathered and written together, and the last of them when it
 * is closed or the process exits, whichever is first; only a kill loses what was gathered.
 *
 * A disk that refuses ends the record, not the site: `failed` is told `TRACE_FAILED`.
 */
export class FileRecorder implements Recorder {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #failed: (error: OperatingError) => void;
  readonly #path: string;
  #lines: string[] = [];
  #bytes = 0;
  #open = true;
  #cancelFlush: (() => void) | null = null;
  readonly #atExit = () => this.close();

  /** Throws `TRACE_FAILED` when the file exists already or cannot be made. */
  constructor(dir: string, site: SiteId, clock: Clock, failed: (error: OperatingError) => void) {
    this.#path = join(dir, `${site}.ndjson`);
    this.#clock = clock;
    this.#failed = failed;
    try {
      this.#disk = openDisk(dir, this.#path);
    } catch (cause) {
      throw traceFailed(this.#path, cause);
    }
    process.once('exit', this.#atExit);
  }

  record(line: RecordLine): void {
    if (!this.#open) return;
    const text = `${JSON.stringify(line)}\n`;
    this.#lines.push(text);
    this.#bytes += text.length;
    if (this.#bytes >= flushBytes) this.#flush();
    else this.#cancelFlush ??= this.#clock.after(flushAfterMs, () => this.#flush());
  }

  close(): void {
    if (!this.#open) return;
    this.#flush();
    if (this.#open) this.#end();
  }

  #flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = null;
    const text = this.#lines.join('');
    this.#lines = [];
    this.#bytes = 0;
    if (text === '') return;
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
function openDisk(dir: string, path: string): Disk {
  mkdirSync(dir, { recursive: true });
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
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new OperatingError(
    'TRACE_FAILED',
    `cannot record into ${path}: ${reason}; give each run a directory of its own`,
    {
      cause,
    },
  );
}
