import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import type { RecordLine, StartLine } from '../../machines/record.ts';
import { ReplayInputError } from '../runs/replay.ts';
import { parseLine } from '../runs/schema.ts';
import { CausalOrder } from './causal-order.ts';
import { TimelineBuilder } from './timeline-builder.ts';

/** A growing file, read up to its current end. */
class Growing {
  readonly #path: string;
  readonly #decoder = new StringDecoder('utf8');
  #offset = 0;
  #rest = '';

  constructor(path: string) {
    this.#path = path;
  }

  /** The complete lines that were added since the last call. Reads at most `bytes` bytes. Throws `ReplayInputError` for a line that is none. */
  lines(bytes: number): readonly RecordLine[] {
    const chunk = Buffer.alloc(bytes);
    const file = openSync(this.#path, 'r');
    let length: number;
    try {
      length = readSync(file, chunk, 0, bytes, this.#offset);
    } finally {
      closeSync(file);
    }
    this.#offset += length;
    const lines = (this.#rest + this.#decoder.write(chunk.subarray(0, length))).split('\n');
    this.#rest = lines.pop()!;
    return lines.map((text) => {
      const line = parseLine(text);
      if (typeof line === 'string') throw new ReplayInputError(`${this.#path} is no record: ${line}`);
      return line;
    });
  }
}

/** Number of bytes read from each file at a time. A cluster at full load writes less. */
const bytesAtOnce = 1 << 20;

/**
 * The records of one lock in a directory, followed while sites write them. It only reads, and never makes a
 * writer wait.
 */
export class Follower {
  readonly #directory: string;
  readonly #files = new Map<string, Growing>();
  readonly #merge = new CausalOrder();
  #lock: string | null;
  #telling: TimelineBuilder | null = null;

  /** `lock` selects the lock when there are several. Default: the first that appears. */
  constructor(directory: string, lock: string | null = null) {
    this.#directory = directory;
    this.#lock = lock;
  }

  /** The timeline so far. `null` before any site has started. */
  get telling(): TimelineBuilder | null {
    return this.#telling;
  }

  /** The time at each site: their clocks are taken to be this one's. */
  get clocks(): Readonly<Record<string, number>> {
    const sites = this.#telling?.timeline.sites ?? [];
    return Object.fromEntries(sites.map(({ id }) => [id, Date.now()]));
  }

  /**
   * Reads and adds the lines written since the last call. Only the last moment is judged, because judging all
   * would keep a core busy that the cluster needs. At most `most` steps are kept, the newest.
   */
  follow(most: number): void {
    for (const name of readdirSync(this.#directory).filter((one) => one.endsWith('.ndjson'))) {
      if (!this.#files.has(name)) this.#files.set(name, new Growing(join(this.#directory, name)));
    }
    for (const file of this.#files.values()) this.#add(file.lines(bytesAtOnce));
    const telling = this.#telling;
    if (telling === null) return;
    const happenings = [...this.#merge.ready()];
    for (const [index, happening] of happenings.entries()) {
      telling.isJudging = index === happenings.length - 1;
      telling.tell(happening);
    }
    telling.keep(most);
  }

  #add(lines: readonly RecordLine[]): void {
    const start = lines.find((line) => line.kind === 'start') as StartLine | undefined;
    if (start !== undefined) {
      this.#lock ??= start.lock;
      if (start.lock === this.#lock) this.#telling ??= new TimelineBuilder(start, { isLive: true });
    }
    this.#merge.add(lines.filter(({ lock }) => lock === this.#lock));
  }
}
