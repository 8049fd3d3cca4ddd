import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Address } from '../index.ts';

/** A peer that says what the test wants, well-formed or not. */
export class RawPeer {
  readonly socket: Socket;
  readonly received: unknown[] = [];
  #rest = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
  }

  static async dial({ host, port }: Address): Promise<RawPeer> {
    const socket = connect({ host, port });
    await once(socket, 'connect');
    return new RawPeer(socket);
  }

  static over(socket: Socket): RawPeer {
    return new RawPeer(socket);
  }

  say(frame: unknown): void {
    this.socket.write(frameBytes(JSON.stringify(frame)));
  }

  /** Resolves when the other side has closed the connection. */
  async closed(): Promise<void> {
    if (!this.socket.closed) await once(this.socket, 'close');
  }

  // Not the codec under test: what comes from it is well-formed.
  #read(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 4 && this.#rest.length >= 4 + this.#rest.readUInt32BE(0)) {
      const end = 4 + this.#rest.readUInt32BE(0);
      this.received.push(JSON.parse(this.#rest.subarray(4, end).toString()));
      this.#rest = this.#rest.subarray(end);
    }
  }
}

export function frameBytes(payload: string | Buffer): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** What `site` says of itself to `target`. */
export const identity = (site: string, target: string) => ({
  version: 2,
  cluster: 'test',
  site,
  target,
  incarnation: `${site}-1`,
  life: 1,
  memoryOnly: false,
});

export function hello(site: string, target: string, change: object = {}): object {
  return { type: 'hello', ...identity(site, target), ...change };
}

export function welcome(site: string, target: string, change: object = {}): object {
  return { type: 'welcome', ...identity(site, target), ack: 0, ...change };
}

export function data(source: string, target: string, what: object, seq = 1, ack = 0): object {
  const stamp = { seq, clock: { [source]: seq } };
  return { type: 'data', seq, ack, envelope: { source, target, lock: 'main', message: what, stamp } };
}
