import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import type { RecordLine, StartLine } from '../../machines/record.ts';
import { parseLine } from '../runs/schema.ts';
import { CausalOrder } from './causal-order.ts';
import { TimelineBuilder } from './timeline-builder.ts';

/** A file that is being written, read as far as it goes. */
class Growing {
  readonly #path: string;
  readonly #decoder = new StringDecoder('utf8');
  #offset = 0;
  #rest = '';

  constructor(path: string) {
    this.#path = path;
  }

  /** The whole lines that have come since, at most about `bytes` of them. */
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
      if (typeof line === 'string') throw new Error(`${this.#path} is no record: ${line}`);
      return line;
    });
  }
}

/** So much of each file is read at a time: a cluster at full load writes less. */
const bytesAtOnce = 1 << 20;

/** The records of one lock in a directory, while sites write them. Reads only, and makes nobody wait. */
export class Follower {
  readonly #directory: string;
  readonly #files = new Map<string, Growing>();
  readonly #merge = new CausalOrder();
  #lock: string | null;
  #telling: TimelineBuilder | null = null;

  /** `lock`: which, when there are several; default: the first that appears. */
  constructor(directory: string, lock: string | null = null) {
    this.#directory = directory;
    this.#lock = lock;
  }

  /** What has been told so far; `null` before any site has begun. */
  get telling(): TimelineBuilder | null {
    return this.#telling;
  }

  /**
   * Reads what has been written since, and tells it. Only the last moment is judged: all of them would keep a
   * core busy that the cluster needs. After more than `most` steps the telling begins anew: then it is true.
   */
  follow(most: number): { readonly begunAnew: boolean } {
    for (const name of readdirSync(this.#directory).filter((one) => one.endsWith('.ndjson'))) {
      if (!this.#files.has(name)) this.#files.set(name, new Growing(join(this.#directory, name)));
    }
    for (const file of this.#files.values()) this.#add(file.lines(bytesAtOnce));
    const telling = this.#telling;
    if (telling === null) return { begunAnew: false };
    const happenings = [...this.#merge.ready()];
    const events = happenings.filter(({ type }) => type === 'event');
    const begunAnew = telling.steps.length > 0 && telling.steps.length + events.length > most;
    if (begunAnew) telling.beginAnew();
    for (const [index, happening] of happenings.entries()) {
      telling.isJudging = index === happenings.length - 1;
      telling.tell(happening);
    }
    return { begunAnew };
  }

  #add(lines: readonly RecordLine[]): void {
    const start = lines.find((line) => line.kind === 'start') as StartLine | undefined;
    if (start !== undefined) {
      this.#lock ??= start.lock;
      if (start.lock === this.#lock) this.#telling ??= new TimelineBuilder(start);
    }
    this.#merge.add(lines.filter(({ lock }) => lock === this.#lock));
  }
}
