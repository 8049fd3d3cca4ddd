import type { Socket } from 'node:net';
import type { SiteId } from '../../../machines/actor.ts';
import type { Clock } from '../../api/clock.ts';
import { OperatingError } from '../../api/errors.ts';
import type { DataFrame, Frame } from '../../wire/frames.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { identify } from './handshake.ts';
import type { LinkedFrame } from './link.ts';
import type { Peer } from './peer.ts';
import type { Proven } from './transport.ts';

export interface SessionOptions extends ConnectionOptions {
  readonly clock: Clock;
  readonly self: SiteId;
  readonly cluster: string;
  readonly configuration: string;
  readonly peers: ReadonlyMap<SiteId, Peer>;
  readonly proven: Proven;
  /** How long the handshake may take with a peer that was called, and what comes after a bye. */
  readonly timeoutMs: number;
  /** Before anything that comes is believed. */
  readonly check: () => void;
  readonly beforeWrite: () => void;
  readonly refused: (error: OperatingError, peer: SiteId | null, remote: string) => void;
  /** Once: the link is up on it, or it is closed. */
  readonly shaken: () => void;
  readonly closed: (session: Session) => void;
}

/** One connection from its first frame to its end: whose it is, and what each frame is for. */
export class Session {
  readonly #options: SessionOptions;
  readonly #connection: Connection;
  #stopTimer = () => {};
  /** Whom it leads to: whom this site called by it, or who has said hello. */
  #peer: Peer | null;
  #greeted = false;
  #shaking = true;
  #parted = false;

  /** `dialled` is whom this site has called, or null when it was called. */
  constructor(socket: Socket, dialled: Peer | null, options: SessionOptions) {
    this.#options = options;
    this.#peer = dialled;
    this.#connection = new Connection(socket, options, {
      heard: () => {
        options.check();
        this.#peer?.heard(this.#connection);
      },
      frame: (frame) => this.#take(frame),
      beforeWrite: options.beforeWrite,
      refused: (error) => options.refused(error, this.#peer?.id ?? null, this.#connection.remote),
      closed: (cause) => {
        options.check();
        this.#shaken();
        this.#stopTimer();
        options.closed(this);
        this.#peer?.lost(this.#connection, cause);
      },
    });
    if (dialled) this.#within('no welcome');
    dialled?.link.dialled(this.#connection);
  }

  /** Closes it, unless it closes already behind its last frame. */
  end(): void {
    if (!this.#connection.finishing) this.#connection.destroy();
  }

  destroy(cause?: Error): void {
    this.#connection.destroy(cause);
  }

  // Whoever does not keep to it is only slow, or stopped: that is for the failure detector.
  #within(what: string): void {
    const { clock, timeoutMs } = this.#options;
    this.#stopTimer = clock.after(timeoutMs, () => this.destroy(new Error(`${what} within ${timeoutMs} ms`)));
  }

  #shaken(): void {
    if (!this.#shaking) return;
    this.#shaking = false;
    this.#stopTimer();
    this.#options.shaken();
  }

  /** Throws what the frame is refused for. */
  #take(frame: Frame): void {
    if (this.#parted) throw outOfPlace(`expected nothing after a bye, a ${frame.type} came`);
    switch (frame.type) {
      case 'hello':
        if (this.#peer) throw outOfPlace(`expected no hello from ${this.#peer.id}`);
        this.#identified(identify(frame, this.#options, this.#options.peers, null), frame);
        return;
      case 'welcome':
        this.#identified(
          identify(frame, this.#options, this.#options.peers, this.#expected(frame.type)),
          frame,
        );
        if (this.#peer!.link.upOn === this.#connection) this.#shaken();
        return;
      case 'data':
        this.#refuseForeign(frame);
        this.#expected(frame.type).arrive(frame, this.#connection);
        return;
      case 'ack':
        this.#expected(frame.type).arrive(frame, this.#connection);
        return;
      case 'ping':
        this.#met(frame.type).ping(frame.number, this.#connection);
        return;
      case 'pong':
        this.#met(frame.type).pong(frame.number);
        return;
      case 'bye':
        this.#met(frame.type).hearBye(frame.reason, this.#connection);
        this.#parted = true;
        this.#within('no end after the bye');
        return;
      default:
        frame satisfies never;
    }
  }

  #identified(peer: Peer, frame: LinkedFrame): void {
    this.#peer = peer;
    this.#greeted = true;
    if (peer.finished) this.#connection.destroy();
    else peer.arrive(frame, this.#connection);
  }

  /** Who has been called, or has said hello. */
  #expected(type: string): Peer {
    if (!this.#peer) throw outOfPlace(`expected a hello first, a ${type} came`);
    return this.#peer;
  }

  /** With whom the handshake is over. */
  #met(type: string): Peer {
    const peer = this.#expected(type);
    if (!this.#greeted || peer.link.upOn !== this.#connection)
      throw outOfPlace(`expected the handshake to be over before a ${type}`);
    return peer;
  }

  #refuseForeign({ envelope: { source, target } }: DataFrame): void {
    const { id } = this.#expected('data');
    const { self } = this.#options;
    if (source !== id) throw new OperatingError('FOREIGN_SOURCE', `${id} speaks for ${source}`);
    if (target !== self) throw new OperatingError('FOREIGN_TARGET', `${id} sends here what is for ${target}`);
  }
}

function outOfPlace(message: string): OperatingError {
  return new OperatingError('FRAME_OUT_OF_PLACE', message);
}
