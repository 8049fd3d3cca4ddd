import type { Socket } from 'node:net';
import { OperatingError } from '../../api/errors.ts';
import type { Codec } from '../../wire/codec.ts';
import { Decoder } from '../../wire/decoder.ts';
import type { Frame, StampedEnvelope } from '../../wire/frames.ts';
import { Writer } from '../../wire/writer.ts';
import { corruptionOf, remoteOf } from './transport.ts';
import type { WriteScheduler } from './write-scheduler.ts';

/** What a connection tells its owner; throwing an OperatingError out of `frame` refuses the frame. */
export interface ConnectionOwner {
  /** Bytes have come, before the frames that they complete. */
  heard(): void;
  frame(frame: Frame): void;
  /** Before bytes that carry messages leave. */
  beforeWrite(): void;
  /** The connection is being closed for what it brought; `closed` follows. */
  refused(error: OperatingError): void;
  /** Once, last; `cause` is what the socket complained of. */
  closed(cause: Error | null): void;
}

/** Counts what goes over all the connections of a mailbox. */
export interface Traffic {
  bytesSent: number;
  bytesReceived: number;
}

export interface ConnectionOptions {
  /** The mailbox's number of it. */
  readonly id: number;
  readonly codec: Codec;
  /** Of all the connections of a mailbox. */
  readonly outgoing: WriteScheduler;
  /** The type of the messages that go first. */
  readonly urgent: string | null;
  readonly traffic: Traffic;
}

/** One socket as frames. A stream that ends within a frame has ended before it. */
export class Connection {
  readonly id: number;
  readonly remote: string;
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #owner: ConnectionOwner;
  readonly #unsent = new Writer();
  readonly #flushNow = () => {
    this.#due = null;
    this.#flush();
  };
  #carriesMessages = false;
  /** Where in the queue it stands. */
  #due: 'first' | 'later' | null = null;
  #error: Error | null = null;
  #refused = false;

  constructor(socket: Socket, options: ConnectionOptions, owner: ConnectionOwner) {
    this.id = options.id;
    this.#socket = socket;
    this.#options = options;
    this.#owner = owner;
    this.remote = remoteOf(socket);
    const decoder = new Decoder(options.codec);
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#read(decoder, chunk));
    socket.on('error', (error) => {
      this.#error = error;
      const refusal = corruptionOf(error);
      if (refusal) this.refuse(refusal);
    });
    socket.on('close', () => owner.closed(this.#error));
  }

  /** The other side takes less than it is given. */
  get congested(): boolean {
    return this.#socket.writableNeedDrain;
  }

  /** It closes behind what is on its way. */
  get finishing(): boolean {
    return this.#socket.writableEnded;
  }

  /**
   * Takes a frame on its way, or drops it when the connection is closing. All that comes of what
   * was read at once is one write.
   */
  send(frame: Frame): void {
    if (!this.#socket.writable) return;
    this.#options.codec.write(frame, this.#unsent);
    this.#carriesMessages ||= frame.type === 'data';
    this.#flushSoon('later');
  }

  /** `send`, for a message. */
  sendData(seq: number, ack: number, envelope: StampedEnvelope): void {
    if (!this.#socket.writable) return;
    const { codec, urgent } = this.#options;
    codec.writeData(seq, ack, envelope, this.#unsent);
    this.#carriesMessages = true;
    this.#flushSoon(envelope.message.type === urgent ? 'first' : 'later');
  }

  /** Closes after what is on its way and `last`; what still comes is read. */
  finish(last: Frame | null): void {
    if (last) this.send(last);
    this.#flush();
    this.#socket.end();
  }

  /** Closes now; `cause` is what `closed` will name. */
  destroy(cause?: Error): void {
    this.#socket.destroy(cause);
  }

  /** Closes for what it brought, and reads no more of it. */
  refuse(error: OperatingError): void {
    if (this.#refused) return;
    this.#refused = true;
    this.#owner.refused(error);
    this.#socket.destroy();
  }

  #flushSoon(due: 'first' | 'later'): void {
    if (this.#due === due || this.#due === 'first') return;
    this.#due = due;
    this.#options.outgoing.add(this.#flushNow, due === 'first');
  }

  #flush(): void {
    if (this.#unsent.empty) return;
    if (this.#carriesMessages) this.#owner.beforeWrite();
    this.#carriesMessages = false;
    const pieces = this.#unsent.take();
    if (!this.#socket.writable) return;
    if (pieces.length > 1) this.#socket.cork();
    for (const bytes of pieces) {
      this.#options.traffic.bytesSent += bytes.length;
      this.#socket.write(bytes);
    }
    if (pieces.length > 1) this.#socket.uncork();
  }

  #read(decoder: Decoder, chunk: Buffer): void {
    this.#options.traffic.bytesReceived += chunk.length;
    this.#owner.heard();
    try {
      decoder.push(chunk);
      for (let frame = decoder.next(); frame; frame = decoder.next()) {
        if (this.#socket.destroyed) return;
        this.#owner.frame(frame);
      }
    } catch (error) {
      if (!(error instanceof OperatingError)) throw error;
      this.refuse(error);
    }
  }
}
