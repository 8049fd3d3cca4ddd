import type { Socket } from 'node:net';
import type { Way } from './way.ts';

/** The number of bytes that a held direction keeps before it stops reading, as the kernel would. */
const maxQueuedBytes = 1024 * 1024;

type Item = { readonly dueAt: number; readonly what: Buffer | 'end' | 'reset' };

/** The bytes of one connection from `source` to `sink`, as the faults of this direction let them pass. */
export class Flow {
  readonly #way: Way;
  readonly #source: Socket;
  readonly #sink: Socket;
  /** Resets both ends. */
  readonly #reset: () => void;
  readonly #queue: Item[] = [];
  #queuedBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;
  #stopped = false;

  constructor(way: Way, source: Socket, sink: Socket, reset: () => void) {
    this.#way = way;
    this.#source = source;
    this.#sink = sink;
    this.#reset = reset;
    way.waiters.add(this.#pump);
    source.on('data', (chunk: Buffer) => this.#push(chunk));
    source.on('end', () => {
      this.#ended = true;
      this.#push('end');
    });
    source.on('close', () => {
      if (!this.#ended) this.#push('reset');
    });
    sink.on('drain', this.#pump);
  }

  /** Ends the flow: it reads nothing more, and drops the bytes that wait. */
  stop(): void {
    this.#stopped = true;
    this.#way.waiters.delete(this.#pump);
    clearTimeout(this.#timer);
    this.#queue.length = 0;
  }

  #push(what: Item['what']): void {
    // The bytes are dropped. They must be read all the same, or the end of the stream is never seen.
    if (this.#stopped) return;
    this.#queue.push({ dueAt: performance.now() + this.#way.nextDelayMs(), what });
    if (typeof what !== 'string') this.#queuedBytes += what.length;
    if (this.#queuedBytes > maxQueuedBytes) this.#source.pause();
    this.#pump();
  }

  readonly #pump = (): void => {
    clearTimeout(this.#timer);
    while (!this.#stopped && !this.#way.held && !this.#sink.writableNeedDrain) {
      const item = this.#queue[0];
      if (item === undefined) return;
      const waitMs = item.dueAt - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(this.#pump, waitMs);
        return;
      }
      this.#queue.shift();
      this.#pass(item.what);
    }
  };

  #pass(what: Item['what']): void {
    if (what === 'end') this.#sink.end();
    else if (what === 'reset') this.#reset();
    else {
      this.#queuedBytes -= what.length;
      if (this.#queuedBytes <= maxQueuedBytes && this.#source.isPaused()) this.#source.resume();
      this.#write(what);
    }
  }

  #write(bytes: Buffer): void {
    const { cutAfterBytes } = this.#way;
    if (cutAfterBytes === null || bytes.length < cutAfterBytes) {
      if (cutAfterBytes !== null) this.#way.cutAfterBytes = cutAfterBytes - bytes.length;
      this.#sink.write(bytes);
      return;
    }
    this.#way.cutAfterBytes = null;
    // The reset waits until the kernel has these bytes: a reset overtakes bytes that are still in this
    // process.
    this.#sink.write(bytes.subarray(0, cutAfterBytes), this.#reset);
    this.stop();
  }
}
