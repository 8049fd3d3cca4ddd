import type { SiteId } from '../../../machines/actor.ts';
import { atEndOfTurn, type Clock } from '../../api/clock.ts';
import { OperatingError } from '../../api/errors.ts';
import type { Address, StampedEnvelope } from '../../api/peer.ts';
import type { Codec } from '../../wire/codec.ts';
import { Decoder } from '../../wire/decoder.ts';
import {
  asGuest,
  type ByeReason,
  type DataFrame,
  type Frame,
  type HelloFrame,
  type LinkedFrame,
} from '../../wire/frames.ts';
import { Writer } from '../../wire/writer.ts';
import type { MailboxHandlers } from '../mailbox.ts';
import type { Pipe, Proven } from '../pipe.ts';
import { BusyPolling } from './busy-polling.ts';
import { dials, type Greeted, identify } from './handshake.ts';
import { corruptionOf, remoteOf } from './transport.ts';

/** The bytes that went over all connections of a mailbox. */
export interface Traffic {
  bytesSent: number;
  bytesReceived: number;
}

/** The peer that a connection leads to. */
export interface ConnectionPeer extends Greeted {
  readonly link: {
    /** The connection on which the handshake is over, or null. */
    readonly upOn: Connection | null;
    /** This site has dialled the connection. */
    dialled(connection: Connection): void;
    arrive(frame: LinkedFrame, connection: Connection): void;
  };
  /** This site is done with the peer. */
  readonly finished: boolean;
  /** A hello or a welcome of the peer, which is identified. */
  arrive(frame: LinkedFrame, connection: Connection): void;
  /** Bytes came. */
  heard(connection: Connection): void;
  ping(number: number, connection: Connection): void;
  pong(number: number): void;
  hearBye(reason: ByeReason, connection: Connection): void;
  /** The connection is closed; `cause` is the socket's error. */
  lost(connection: Connection, cause: Error | null): void;
}

/** The setting that all connections of a mailbox share. */
export interface ConnectionSetting {
  readonly self: SiteId;
  readonly cluster: string;
  readonly configuration: string;
  readonly founders: () => string;
  /** The site, or the guest, of this name; one that was not heard of is made. Throws `FOREIGN_SITE`: there is no room for another. */
  readonly meet: (site: SiteId, isGuest: boolean) => ConnectionPeer;
  /** A site that this one is to dial has told where it listens. */
  readonly introduced: (peer: ConnectionPeer, at: Address) => void;
  readonly codec: Codec;
  /** Messages of this type are written before all others. `null`: no type is. */
  readonly urgent: string | null;
  readonly clock: Clock;
  /** How long the handshake with a peer that was dialled may take, and the end of a connection after a bye. */
  readonly timeoutMs: number;
  readonly scheduler: WriteScheduler;
  readonly traffic: Traffic;
  /** The receiver of messages. */
  readonly handlers: () => MailboxHandlers;
  /** Bytes came, or an end. Called before they are believed: this process may have been suspended. */
  readonly checkPause: () => void;
  /** A connection was closed for a fault. */
  readonly refused: (error: OperatingError, peer: SiteId | null, remote: string) => void;
  readonly closed: (connection: Connection) => void;
}

export interface ConnectionStart {
  /** The mailbox's number of the connection. */
  readonly id: number;
  /** The peer that this site dialled; `null`: the other side dialled. */
  readonly dialled: ConnectionPeer | null;
  readonly proven: Proven;
  /** Called once: the handshake is over, or the connection is closed. */
  readonly shaken: () => void;
}

/**
 * One socket from its first frame to its end: it reads and writes frames, knows whose connection it is, and hands each
 * frame to the peer or its link. A stream that ends within a frame has ended before that frame.
 */
export class Connection {
  readonly id: number;
  readonly remote: string;
  readonly #socket: Pipe;
  readonly #setting: ConnectionSetting;
  readonly #proven: Proven;
  readonly #onShaken: () => void;
  /** The peer that was dialled, or has said hello. */
  #peer: ConnectionPeer | null;
  /** The other side has sent its identity. */
  #greeted = false;
  #shaking = true;
  /** The other side has said bye. */
  #parted = false;
  #stopTimer = () => {};
  readonly #unsent = new Writer();
  readonly #writeNow = () => {
    this.#due = null;
    this.#write();
  };
  #carriesMessages = false;
  /** The place of this connection's next write in the scheduler. */
  #due: 'first' | 'later' | null = null;
  #error: Error | null = null;
  #refused = false;

  constructor(socket: Pipe, setting: ConnectionSetting, { id, dialled, proven, shaken }: ConnectionStart) {
    this.id = id;
    this.#socket = socket;
    this.#setting = setting;
    this.#proven = proven;
    this.#onShaken = shaken;
    this.#peer = dialled;
    this.remote = remoteOf(socket);
    const decoder = new Decoder(setting.codec);
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#read(decoder, chunk));
    socket.on('error', (error) => {
      this.#error = error;
      const refusal = corruptionOf(error);
      if (refusal) this.refuse(refusal);
    });
    socket.on('close', () => this.#closed());
    if (!dialled) return;
    this.#expectWithin('no welcome');
    dialled.link.dialled(this);
  }

  /** Stops keeping the process alive. */
  unref(): void {
    this.#socket.unref();
  }

  /** The other side takes less than it is given. */
  get congested(): boolean {
    return this.#socket.writableNeedDrain;
  }

  /** Takes a frame on its way, or drops it when the connection is closing. Frames of one turn are one write. */
  send(frame: Frame): void {
    if (!this.#socket.writable) return;
    this.#setting.codec.write(frame, this.#unsent);
    this.#carriesMessages ||= frame.type === 'data';
    this.#writeSoon('later');
  }

  /** `send`, for a message. */
  sendData(seq: number, ack: number, envelope: StampedEnvelope): void {
    if (!this.#socket.writable) return;
    const { codec, urgent } = this.#setting;
    codec.writeData(seq, ack, envelope, this.#unsent);
    this.#carriesMessages = true;
    this.#writeSoon(envelope.message.type === urgent ? 'first' : 'later');
  }

  /** Closes after the frames that are on their way and `last`. Frames that still come are read. */
  finish(last: Frame | null): void {
    if (last) this.send(last);
    this.#write();
    this.#socket.end();
  }

  /** Closes now, unless it closes already behind its last frame. */
  end(): void {
    if (!this.#socket.writableEnded) this.#socket.destroy();
  }

  /** Closes now. `cause`: the reason that the peer reports. */
  destroy(cause?: Error): void {
    this.#socket.destroy(cause);
  }

  /** Closes the connection for a fault, and reads no more of it. `isSpoken`: the other side reads a hello. */
  refuse(error: OperatingError, isSpoken = false): void {
    if (this.#refused) return;
    this.#refused = true;
    this.#setting.refused(error, this.#peer?.id ?? null, this.remote);
    if (error.code === 'FOREIGN_VERSION' && isSpoken && !this.#peer) {
      // The side that dialled is told which versions are spoken here, so that it finds the same fault.
      this.#socket.write(this.#setting.codec.encodeVersions());
      this.#socket.destroySoon();
    } else this.#socket.destroy();
  }

  #read(decoder: Decoder, chunk: Buffer): void {
    this.#setting.traffic.bytesReceived += chunk.length;
    this.#setting.checkPause();
    this.#peer?.heard(this);
    try {
      decoder.push(chunk);
      for (let frame = decoder.next(); frame; frame = decoder.next()) {
        if (this.#socket.destroyed) return;
        this.#take(frame);
      }
    } catch (error) {
      if (!(error instanceof OperatingError)) throw error;
      this.refuse(error, decoder.isSpoken);
    }
  }

  /** Throws an OperatingError for a frame that is refused. */
  #take(frame: Frame): void {
    if (this.#parted) throw outOfPlace(`expected nothing after a bye, got a ${frame.type}`);
    switch (frame.type) {
      case 'data':
        this.#refuseForeign(frame);
        if (frame.envelope.message.type === this.#setting.urgent) this.#setting.scheduler.received();
        this.#expected(frame.type).link.arrive(frame, this);
        return;
      case 'ack':
        this.#expected(frame.type).link.arrive(frame, this);
        return;
      case 'hello':
        if (this.#peer) throw outOfPlace(`expected no hello from ${this.#peer.id}`);
        this.#hello(frame, identify(frame, this.#expectation, this.#setting.meet, null));
        return;
      case 'welcome': {
        const called = this.#expected(frame.type);
        const peer = identify(frame, this.#expectation, this.#setting.meet, called);
        this.#identified(peer, frame);
        if (peer.link.upOn === this) this.#shaken();
        return;
      }
      case 'ping':
        this.#met(frame.type).ping(frame.number, this);
        return;
      case 'pong':
        this.#met(frame.type).pong(frame.number);
        return;
      case 'bye':
        this.#met(frame.type).hearBye(frame.reason, this);
        this.#parted = true;
        this.#expectWithin('no end after the bye');
        return;
      default:
        frame satisfies never;
    }
  }

  get #expectation() {
    const { self, cluster, configuration, founders } = this.#setting;
    return { self, cluster, configuration, founders: founders(), proven: this.#proven };
  }

  /**
   * A guest dials. One site of a pair dials. The other may not be known to it yet, or elsewhere than before: so it calls once, to say
   * where.
   */
  #hello(frame: HelloFrame, peer: ConnectionPeer): void {
    if (frame.founders === asGuest) {
      this.#identified(peer, frame);
      return;
    }
    const { remoteAddress = frame.host } = this.#socket;
    const host = isNowhere(frame.host) ? remoteAddress : frame.host;
    this.#setting.introduced(peer, { host, port: frame.port });
    if (dials(this.#setting.self, peer.id)) this.#socket.destroy();
    else this.#identified(peer, frame);
  }

  #identified(peer: ConnectionPeer, frame: LinkedFrame): void {
    this.#peer = peer;
    this.#greeted = true;
    if (peer.finished) this.#socket.destroy();
    else peer.arrive(frame, this);
  }

  get remoteHost(): string | null {
    return this.#socket.remoteAddress?.replace(/^::ffff:/, '') ?? null;
  }

  /** The peer that was dialled, or has said hello. */
  #expected(type: string): ConnectionPeer {
    if (!this.#peer) throw outOfPlace(`expected a hello first, got a ${type}`);
    return this.#peer;
  }

  /** The peer, once the handshake is over. */
  #met(type: string): ConnectionPeer {
    const peer = this.#expected(type);
    if (!this.#greeted || peer.link.upOn !== this)
      throw outOfPlace(`expected the handshake to be over before a ${type}`);
    return peer;
  }

  #refuseForeign({ envelope: { source, target } }: DataFrame): void {
    const { id } = this.#expected('data');
    const { self } = this.#setting;
    if (source !== id)
      throw new OperatingError(
        'FOREIGN_SOURCE',
        `expected messages of ${id} alone, got one of ${source}; find out which program runs at ${id}`,
      );
    if (target !== self)
      throw new OperatingError(
        'FOREIGN_TARGET',
        `expected messages for ${self}, got one for ${target}; check the address of ${self} at ${id}`,
      );
  }

  // A peer that is late is only slow, or suspended: that is for the failure detector.
  #expectWithin(what: string): void {
    const { clock, timeoutMs } = this.#setting;
    this.#stopTimer = clock.after(timeoutMs, () => this.destroy(new Error(`${what} within ${timeoutMs} ms`)));
  }

  #shaken(): void {
    if (!this.#shaking) return;
    this.#shaking = false;
    this.#stopTimer();
    this.#onShaken();
  }

  #closed(): void {
    this.#setting.checkPause();
    this.#shaken();
    this.#stopTimer();
    this.#setting.closed(this);
    this.#peer?.lost(this, this.#error);
  }

  #writeSoon(due: 'first' | 'later'): void {
    if (this.#due === due || this.#due === 'first') return;
    this.#due = due;
    this.#setting.scheduler.add(this.#writeNow, due === 'first');
  }

  /** The only write to the socket. The state that the messages reveal is on the disk before they leave. */
  #write(): void {
    if (this.#unsent.empty) return;
    if (this.#carriesMessages) this.#setting.handlers().beforeWrite();
    this.#carriesMessages = false;
    const pieces = this.#unsent.take();
    if (!this.#socket.writable) return;
    if (pieces.length > 1) this.#socket.cork();
    for (const bytes of pieces) {
      this.#setting.traffic.bytesSent += bytes.length;
      this.#socket.write(bytes);
    }
    if (pieces.length > 1) this.#socket.uncork();
  }
}

/**
 * When the connections of a mailbox write what they have gathered: once nothing more comes of what was just read or
 * called. Connections with urgent messages write first, since a write takes longer than all that led to it.
 */
export class WriteScheduler {
  readonly #polling: BusyPolling;
  #first: (() => void)[] = [];
  #others: (() => void)[] = [];
  readonly #writeAll = () => {
    const first = this.#first;
    const others = this.#others;
    this.#first = [];
    this.#others = [];
    for (const write of first) write();
    for (const write of others) write();
    if (first.length > 0) this.#polling.sent();
  };

  constructor(clock: Clock) {
    this.#polling = new BusyPolling(clock);
  }

  add(write: () => void, isFirst: boolean): void {
    if (this.#first.length === 0 && this.#others.length === 0) atEndOfTurn(this.#writeAll);
    if (isFirst) this.#first = withOne(this.#first, write);
    else this.#others = withOne(this.#others, write);
  }

  /** An urgent message has come. */
  received(): void {
    this.#polling.received();
  }
}

/** `list` with `one` at its end. The first of a list makes a list of one: `push` would make room for 17. */
function withOne<T>(list: T[], one: T): T[] {
  if (list.length === 0) return [one];
  list.push(one);
  return list;
}

/** The address at which a server listens to all. */
function isNowhere(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function outOfPlace(message: string): OperatingError {
  return new OperatingError('FRAME_OUT_OF_PLACE', message);
}
