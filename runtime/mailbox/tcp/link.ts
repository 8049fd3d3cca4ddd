import type { SiteId } from '../../../machines/actor.ts';
import type { Clock } from '../../doors.ts';
import { OperatingError } from '../../errors.ts';
import type { ByeReason } from '../../frame/frames.ts';
import type { Connection } from './connection.ts';

export interface LinkOptions {
  readonly peer: SiteId;
  readonly maxOutboxBytes: number;
  readonly clock: Clock;
  readonly beforeWrite: () => void;
}

/** Everything between this site and one peer that outlives a connection: what waits to be sent, and who the peer is. */
export class Link {
  readonly peer: SiteId;
  /** The incarnation it was first met with; it may have no other. */
  incarnation: string | null = null;
  /** Why there will be no further connection. */
  over: ByeReason | 'restarted' | null = null;
  connection: Connection | null = null;
  readonly #options: LinkOptions;
  #outbox: Buffer[] = [];
  #outboxBytes = 0;
  #blocked = false;
  #flushing = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.peer = options.peer;
  }

  /** Messages that wait. */
  get waiting(): number {
    return this.#outbox.length;
  }

  /** Throws `OUTBOX_FULL`. */
  post(bytes: Buffer): void {
    const { maxOutboxBytes } = this.#options;
    if (this.#outboxBytes + bytes.length > maxOutboxBytes) {
      throw new OperatingError(
        'OUTBOX_FULL',
        `expected at most ${maxOutboxBytes} bytes to wait for ${this.peer}, ${this.#outboxBytes} do; is it reachable?`,
      );
    }
    this.#outbox.push(bytes);
    this.#outboxBytes += bytes.length;
    this.#flushSoon();
  }

  attach(connection: Connection, incarnation: string): void {
    this.connection = connection;
    this.incarnation = incarnation;
    this.#blocked = false;
    this.#flushSoon();
  }

  detach(): void {
    this.connection = null;
  }

  drained(): void {
    this.#blocked = false;
    this.#flushSoon();
  }

  /** Sends what waits whether the socket wants it or not, then `last`, and closes after it. */
  finish(last: Buffer | null): void {
    if (last) this.#outbox.push(last);
    this.connection?.finish(this.#outbox.length > 0 ? this.#drainOutbox() : null);
  }

  // Once a turn: one write for all that a turn's events gave, instead of a packet for each.
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    this.#options.clock.nextTurn(() => {
      this.#flushing = false;
      if (!this.connection?.writable || this.#blocked || this.#outbox.length === 0) return;
      this.#blocked = !this.connection.write(this.#drainOutbox());
    });
  }

  #drainOutbox(): Buffer {
    this.#options.beforeWrite();
    const bytes = this.#outbox.length === 1 ? this.#outbox[0]! : Buffer.concat(this.#outbox);
    this.#outbox = [];
    this.#outboxBytes = 0;
    return bytes;
  }
}
