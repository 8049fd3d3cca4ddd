import { randomBytes } from 'node:crypto';
import { Duplex } from 'node:stream';
import type { SiteId } from '../../../machines/actor.ts';
import type { NatsConnection, NatsMessage } from '../../api/nats.ts';
import type { Pipe, Transport } from '../pipe.ts';

/** The first byte of a packet. The number of the packet on its stream comes next, in four bytes, and then its bytes. */
const kinds = { call: 1, accept: 2, bytes: 3, end: 4, reset: 5 } as const;
type Kind = keyof typeof kinds;
const kindOf = new Map<number, Kind>(Object.entries(kinds).map(([kind, byte]) => [byte, kind as Kind]));
const headBytes = 5;
/** The server's own default. */
const defaultPayload = 1_048_576;

/**
 * Carries streams of bytes over a NATS server. A site takes calls at the subject `baton.<cluster>.<site>`, and all else at a subject
 * below it, which ends in the name of the stream. NATS delivers at most once: packets are numbered, and a stream that misses one ends, so
 * that the link on top of it sends again what was lost.
 *
 * It proves nothing of the other side: the server's authentication decides which programs may publish and subscribe at these subjects.
 */
export function natsTransport(nats: NatsConnection, cluster: string, site: SiteId): Transport {
  const exchange = new Exchange(nats, cluster, site);
  const call = ({ host }: { readonly host: string }, stands: () => void) => exchange.call(host, stands);
  return {
    call: (address, _, stands) => call(address, stands),
    knock: call,
    mayCall: () => true,
    greet:
      ({ stands }) =>
      (pipe) =>
        stands(pipe, null),
    listen: async (address, accept) => {
      const close = exchange.listen(address.host, accept);
      return { address, close: async () => close(), unref: () => {} };
    },
  };
}

/** The streams of one process. */
class Exchange {
  readonly #nats: NatsConnection;
  readonly #cluster: string;
  /** Above the subjects of the streams of this process. */
  readonly #own: string;
  readonly #streams = new Map<string, NatsStream>();
  readonly #most: number;
  #takers = 0;
  #stopTaking: (() => void) | null = null;

  constructor(nats: NatsConnection, cluster: string, site: SiteId) {
    this.#nats = nats;
    this.#cluster = `baton.${tokenOf(cluster)}`;
    this.#own = `${this.#cluster}.${tokenOf(site)}.${newToken()}`;
    this.#most = (nats.info?.max_payload ?? defaultPayload) - headBytes;
  }

  listen(host: string, accept: (pipe: Pipe) => void): () => void {
    this.#begin();
    const { unsubscribe } = this.#subscribe(`${this.#cluster}.${tokenOf(host)}`, ({ data, reply }) => {
      // Two calls of one stream are one call.
      if (reply === undefined || packetOf(data)?.kind !== 'call' || this.#streams.has(lastOf(reply))) return;
      const stream = this.#open(lastOf(reply), reply);
      stream.send('accept');
      accept(stream);
    });
    return () => {
      unsubscribe();
      this.#end();
    };
  }

  call(host: string, stands: () => void): Pipe {
    const stream = this.#open(newToken(), null);
    stream.once('connect', stands);
    this.publish(`${this.#cluster}.${tokenOf(host)}`, stream.name, 'call', 0);
    return stream;
  }

  publish(subject: string, name: string, kind: Kind, number: number, bytes?: Uint8Array): void {
    const packet = Buffer.allocUnsafe(headBytes + (bytes?.length ?? 0));
    packet[0] = kinds[kind];
    packet.writeUInt32BE(number, 1);
    if (bytes) packet.set(bytes, headBytes);
    this.#nats.publish(subject, packet, { reply: `${this.#own}.${name}` });
  }

  #open(name: string, target: string | null): NatsStream {
    this.#begin();
    const stream = new NatsStream(name, target, this.#most, (...packet) => this.publish(...packet));
    this.#streams.set(name, stream);
    stream.once('close', () => {
      this.#streams.delete(name);
      this.#end();
    });
    return stream;
  }

  /** The subjects of the streams are subscribed to while there are any, or may be. */
  #begin(): void {
    this.#takers += 1;
    if (this.#stopTaking) return;
    const { unsubscribe } = this.#subscribe(`${this.#own}.*`, (message) => this.#take(message));
    this.#stopTaking = unsubscribe;
  }

  #end(): void {
    this.#takers -= 1;
    if (this.#takers > 0) return;
    this.#stopTaking?.();
    this.#stopTaking = null;
  }

  #subscribe(subject: string, take: (message: NatsMessage) => void): { unsubscribe(): void } {
    const subscription = this.#nats.subscribe(subject, {
      callback: (error, message) => {
        if (!error) take(message);
      },
    });
    return { unsubscribe: () => subscription.unsubscribe() };
  }

  #take({ subject, data, reply }: NatsMessage): void {
    const name = lastOf(subject);
    const stream = this.#streams.get(name);
    const packet = packetOf(data);
    // The server says so by an empty message.
    if (packet === null) stream?.destroy(new Error('no process subscribes at the subject of the call'));
    else if (stream) stream.arrive(packet, reply);
    else if (reply !== undefined && packet.kind !== 'reset') this.publish(reply, name, 'reset', 0);
  }
}

interface Packet {
  readonly kind: Kind;
  readonly number: number;
  readonly bytes: Buffer;
}

function packetOf(data: Uint8Array): Packet | null {
  const kind = kindOf.get(data[0] ?? 0);
  if (kind === undefined || data.length < headBytes) return null;
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return { kind, number: buffer.readUInt32BE(1), bytes: buffer.subarray(headBytes) };
}

type Publish = (subject: string, name: string, kind: Kind, number: number, bytes?: Uint8Array) => void;

/** A stream of bytes to another process. It ends with an error when a packet is missing. */
class NatsStream extends Duplex implements Pipe {
  readonly name: string;
  readonly #publish: Publish;
  readonly #most: number;
  /** The subject of the other end; `null`: it has not answered the call yet. */
  #target: string | null;
  /** The call and its answer are number 0. */
  #sent = 1;
  #taken = 0;
  #isReset = false;
  #unwritten: (() => void) | null = null;

  constructor(name: string, target: string | null, most: number, publish: Publish) {
    super({ allowHalfOpen: false });
    this.name = name;
    this.#target = target;
    this.#most = most;
    this.#publish = publish;
  }

  get remoteAddress(): string {
    return this.#target ?? this.name;
  }

  get remotePort(): number {
    return 0;
  }

  /** NATS's client has buffers of its own. */
  setNoDelay(): void {}

  /** The connection to the server is the caller's. */
  unref(): void {}

  destroySoon(): void {
    if (this.writableFinished) this.destroy();
    else this.end(() => this.destroy());
  }

  send(kind: Kind, bytes?: Uint8Array): void {
    const number = kind === 'accept' ? 0 : this.#sent++;
    this.#publish(this.#target!, this.name, kind, number, bytes);
  }

  arrive({ kind, number, bytes }: Packet, reply: string | undefined): void {
    if (kind === 'reset') {
      this.#isReset = true;
      this.destroy(Object.assign(new Error('the other side has reset the stream'), { code: 'ECONNRESET' }));
      return;
    }
    if (kind === 'accept') {
      // Another process that takes calls at the same subject was later.
      if (this.#target !== null || reply === undefined) return;
      this.#target = reply;
      this.emit('connect');
      this.#unwritten?.();
      this.#unwritten = null;
      return;
    }
    if (this.#target !== null && reply !== this.#target) return;
    this.#taken += 1;
    if (number !== this.#taken)
      this.destroy(new Error(`packet ${this.#taken} was lost on the way; packet ${number} came`));
    else if (kind === 'bytes') this.push(bytes);
    else if (kind === 'end') this.push(null);
  }

  override _read(): void {}

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.#whenCalled(() => {
      for (let from = 0; from < chunk.length; from += this.#most)
        this.send('bytes', chunk.subarray(from, from + this.#most));
      done();
    });
  }

  override _final(done: () => void): void {
    this.#whenCalled(() => {
      this.send('end');
      done();
    });
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const isOver = this.writableFinished && this.readableEnded;
    if (this.#target !== null && !this.#isReset && !isOver) this.send('reset');
    done(error);
  }

  #whenCalled(action: () => void): void {
    if (this.#target === null) this.#unwritten = action;
    else action();
  }
}

/** A subject's tokens hold no dot, space or wildcard. */
function tokenOf(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_-]/g, (one) => `=${Buffer.from(one).toString('hex')}`);
}

function newToken(): string {
  return randomBytes(12).toString('hex');
}

function lastOf(subject: string): string {
  return subject.slice(subject.lastIndexOf('.') + 1);
}
