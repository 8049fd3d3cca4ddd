import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Address } from '../index.ts';
import { founded } from '../mailbox/tcp/handshake.ts';
import { configurationOf } from '../site/configuration.ts';
import { siteCodec } from '../site/protocol.ts';
import { Codec } from '../wire/codec.ts';
import { Decoder } from '../wire/decoder.ts';
import { type Frame, oldestVersion, protocolVersion } from '../wire/frames.ts';

/** `a` as a peer of `b`, which is the root. */
export const plain = {
  codec: siteCodec(),
  configuration: configurationOf({ strict: undefined }),
};

/** The codec of a protocol that has notes, each a name, among three sites. */
export const testCodec = new Codec({ NOTE: { text: 'name' }, HASTE: { text: 'name' } });

/** A peer that sends any frame that a test gives it, well-formed or not. */
export class RawPeer {
  readonly socket: Socket;
  readonly received: unknown[] = [];
  readonly #codec: Codec;
  readonly #decoder: Decoder;

  private constructor(socket: Socket, codec: Codec) {
    this.socket = socket;
    this.#codec = codec;
    this.#decoder = new Decoder(codec);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
  }

  static async dial({ host, port }: Address, codec = testCodec): Promise<RawPeer> {
    const socket = connect({ host, port });
    await once(socket, 'connect');
    return new RawPeer(socket, codec);
  }

  static over(socket: Socket): RawPeer {
    return new RawPeer(socket, testCodec);
  }

  /** A frame, whether it is in its place or not. */
  say(frame: object): void {
    this.socket.write(this.#codec.encode(frame as Frame));
  }

  /** Resolves when the other side has closed the connection. */
  async closed(): Promise<void> {
    if (!this.socket.closed) await once(this.socket, 'close');
  }

  #read(chunk: Buffer): void {
    this.#decoder.push(chunk);
    try {
      for (let frame = this.#decoder.next(); frame; frame = this.#decoder.next()) this.received.push(frame);
    } catch (error) {
      // A hello cut off behind the versions: the answer to one of a version that is not spoken there.
      if ((error as { code?: string }).code !== 'FRAME_MALFORMED') throw error;
    }
  }
}

export function frameBytes(payload: string | Buffer): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** The identity of `site`, as sent to `target`. */
export const identity = (site: string, target: string) => ({
  version: protocolVersion,
  oldest: oldestVersion,
  cluster: 'test',
  configuration: 'test',
  founders: founded,
  site,
  target,
  incarnation: `${site}-1`,
  life: 1,
  id: site,
  run: 1,
  host: '127.0.0.1',
  port: 1,
});

export function hello(site: string, target: string, change: object = {}): object {
  return { type: 'hello', ...identity(site, target), ...inRun(change) };
}

export function welcome(site: string, target: string, change: object = {}): object {
  return { type: 'welcome', ...identity(site, target), ack: 0, ...inRun(change) };
}

/** A later incarnation is a later run of the same data: `a-2` is run 2. */
function inRun(change: { readonly incarnation?: string }): object {
  const number = /-(\d+)$/.exec(change.incarnation ?? '')?.[1];
  return number === undefined ? change : { run: Number(number), ...change };
}

export function data(source: string, target: string, what: object, seq = 1, ack = 0): object {
  const stamp = { seq, clock: { [source]: seq } };
  return { type: 'data', seq, ack, envelope: { source, target, lock: 'main', message: what, stamp } };
}
