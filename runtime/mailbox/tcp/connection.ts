import type { Socket } from 'node:net';
import { OperatingError } from '../../errors.ts';
import { type Codec, Decoder, encode } from '../../frame/codec.ts';
import type { Frame } from '../../frame/frames.ts';

/** What a connection tells its owner; throwing an OperatingError out of `frame` refuses the frame. */
export interface ConnectionOwner {
  frame(frame: Frame): void;
  /** The connection is being closed for what it brought; `closed` follows. */
  refused(error: OperatingError): void;
  /** Once, last; `cause` is what the socket complained of. */
  closed(cause: Error | null): void;
  /** The socket takes more again. */
  drained(): void;
}

/** Counts what goes over all the connections of a mailbox. */
export interface Traffic {
  bytesSent: number;
  bytesReceived: number;
}

// A peer whose machine is gone sends nothing: this is how long until TCP asks.
const keepAliveMs = 10_000;

/** One socket as frames. */
export class Connection {
  readonly remote: string;
  readonly #socket: Socket;
  readonly #codec: Codec;
  readonly #owner: ConnectionOwner;
  readonly #traffic: Traffic;
  #error: Error | null = null;
  #refused = false;

  constructor(socket: Socket, codec: Codec, traffic: Traffic, owner: ConnectionOwner) {
    this.#socket = socket;
    this.#codec = codec;
    this.#traffic = traffic;
    this.#owner = owner;
    this.remote = `${socket.remoteAddress}:${socket.remotePort}`;
    const decoder = new Decoder(codec);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, keepAliveMs);
    socket.on('data', (chunk: Buffer) => this.#read(decoder, chunk));
    socket.on('end', () => {
      if (decoder.partial)
        this.refuse(new OperatingError('FRAME_MALFORMED', 'the stream ended within a frame'));
    });
    socket.on('drain', () => owner.drained());
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.on('close', () => owner.closed(this.#error));
  }

  /** False once it is closing: what is written would be lost. */
  get writable(): boolean {
    return this.#socket.writable;
  }

  /** Encodes and writes at once. */
  send(frame: Frame): void {
    this.write(encode(this.#codec, frame));
  }

  /** False when the socket wants no more before `drained`. */
  write(bytes: Buffer): boolean {
    this.#traffic.bytesSent += bytes.length;
    return this.#socket.write(bytes);
  }

  /** Closes after what is written and `last`; what still comes is read. */
  finish(last: Buffer | null): void {
    if (last) this.write(last);
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

  #read(decoder: Decoder, chunk: Buffer): void {
    this.#traffic.bytesReceived += chunk.length;
    try {
      for (const frame of decoder.push(chunk)) {
        this.#owner.frame(frame);
        if (this.#socket.destroyed) return;
      }
    } catch (error) {
      if (!(error instanceof OperatingError)) throw error;
      this.refuse(error);
    }
  }
}
