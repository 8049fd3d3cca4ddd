import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { SiteId } from '../../machines/actor.ts';
import type { Chance, Clock } from '../doors.ts';
import { OperatingError } from '../errors.ts';
import { type Codec, encode } from '../frame/codec.ts';
import {
  type ByeReason,
  type Frame,
  type HelloFrame,
  protocolVersion,
  type StampedEnvelope,
} from '../frame/frames.ts';
import type { Address, Limits, Notice } from '../options.ts';
import type { Mailbox, MailboxHandlers } from './mailbox.ts';
import { Connection, type Traffic } from './tcp/connection.ts';
import { Dialler } from './tcp/dialler.ts';
import { dials, greet } from './tcp/handshake.ts';
import { Link } from './tcp/link.ts';

export interface TcpMailboxOptions {
  readonly self: SiteId;
  readonly cluster: string;
  /** Random for each start of the process. */
  readonly incarnation: string;
  readonly listen: Address;
  readonly peers: Readonly<Record<SiteId, Address>>;
  readonly codec: Codec;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly notice: (notice: Notice) => void;
}

/**
 * Mailboxes over TCP: one connection for each pair of sites, dialled by the one whose id comes first.
 *
 * Whatever a connection brings that no correct peer sends closes that connection, with a notice and a
 * count, and nothing else. While connections hold, each message arrives once and in order. Over a
 * connection that breaks this is not known yet: `PEER_LOST` says so.
 */
export class TcpMailbox implements Mailbox {
  readonly self: SiteId;
  readonly traffic: Traffic = { bytesSent: 0, bytesReceived: 0 };
  readonly refused = new Map<OperatingError['code'], number>();
  readonly #options: TcpMailboxOptions;
  readonly #links = new Map<SiteId, Link>();
  readonly #diallers = new Map<SiteId, Dialler>();
  /** By connection, whom this site called by it, or null when it was called. */
  readonly #connections = new Map<Connection, Link | null>();
  readonly #server: Server;
  #handshakes = 0;
  #closing = false;
  #handlers: MailboxHandlers | null = null;
  #quiet: (() => void) | null = null;

  constructor(options: TcpMailboxOptions) {
    this.#options = options;
    this.self = options.self;
    const { limits, clock, chance } = options;
    for (const [peer, address] of Object.entries(options.peers)) {
      const link = new Link({
        peer,
        maxOutboxBytes: limits.maxOutboxBytes,
        clock,
        beforeWrite: () => this.#handlers?.beforeWrite(),
      });
      this.#links.set(peer, link);
      if (!dials(this.self, peer)) continue;
      const dialler: Dialler = new Dialler({
        address,
        limits,
        clock,
        chance,
        onSocket: (socket) => this.#welcome(socket, link),
        onFailure: (reason, retryInMs) => options.notice({ type: 'dial-failed', peer, reason, retryInMs }),
      });
      this.#diallers.set(peer, dialler);
    }
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** Where it listens, once it is open. */
  get address(): Address {
    const { address, port } = this.#server.address() as AddressInfo;
    return { host: address, port };
  }

  /** Throws `LISTEN_FAILED`. */
  async open(handlers: MailboxHandlers): Promise<void> {
    const { listen } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ ...listen }, resolve);
    }).catch((cause: Error) => {
      throw listenFailed(this.self, cause);
    });
    this.#server.removeAllListeners('error');
    this.#server.on('error', (cause) => this.#report(listenFailed(this.self, cause), null));
    this.#handlers = handlers;
    this.#options.notice({ type: 'listening', address: this.address });
    for (const dialler of this.#diallers.values()) dialler.dial();
  }

  post(envelope: StampedEnvelope): void {
    const { target, message } = envelope;
    const link = this.#links.get(target);
    if (!this.#handlers || !link) {
      const why = link ? 'its mailbox is not open' : 'that is no peer';
      throw new OperatingError(
        'MAILBOX_CLOSED',
        `${this.self} cannot send ${message.type} to ${target}: ${why}`,
      );
    }
    if (link.over) {
      this.#report(
        new OperatingError(
          'UNDELIVERED',
          `${message.type} to ${target} is dropped: that site is gone (${link.over})`,
        ),
        target,
      );
      return;
    }
    link.post(encode(this.#options.codec, { type: 'message', ...envelope }));
  }

  connected(): readonly SiteId[] {
    return [...this.#links.values()]
      .filter(({ connection, over }) => connection && !over)
      .map(({ peer }) => peer);
  }

  async close(reason: ByeReason): Promise<void> {
    this.#closing = true;
    this.#handlers = null;
    this.#stopDialling();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const bye = encode(this.#options.codec, { type: 'bye', reason });
    for (const link of this.#links.values()) {
      if (link.connection) link.finish(link.over ? null : bye);
      else if (link.waiting > 0) this.#reportUndelivered(link);
    }
    const linked = new Set([...this.#links.values()].map(({ connection }) => connection));
    for (const [connection, dialled] of this.#connections) {
      if (linked.has(connection)) continue;
      // Whoever has heard our hello may take us for connected.
      if (dialled) connection.finish(bye);
      else connection.destroy();
    }
    await this.#untilQuiet();
    await closed;
  }

  abort(): void {
    this.#closing = true;
    this.#handlers = null;
    this.#stopDialling();
    this.#server.close();
    for (const connection of this.#connections.keys()) connection.destroy();
  }

  #stopDialling(): void {
    for (const dialler of this.#diallers.values()) dialler.stop();
  }

  async #untilQuiet(): Promise<void> {
    if (this.#connections.size === 0) return;
    const { clock, limits } = this.#options;
    const cancel = clock.after(limits.closeTimeoutMs, () => {
      const slow = new Error(`the peer did not close within ${limits.closeTimeoutMs} ms`);
      for (const connection of this.#connections.keys()) connection.destroy(slow);
    });
    await new Promise<void>((resolve) => {
      this.#quiet = resolve;
    });
    cancel();
  }

  #accept(socket: Socket): void {
    const { maxHandshakes } = this.#options.limits;
    if (this.#handshakes < maxHandshakes) {
      this.#welcome(socket, null);
      return;
    }
    this.#refuse(
      new OperatingError(
        'TOO_MANY_HANDSHAKES',
        `expected at most ${maxHandshakes} connections without a hello`,
      ),
      null,
      `${socket.remoteAddress}:${socket.remotePort}`,
    );
    socket.destroy();
  }

  /** Gives a new socket its handshake and then its link. `dialled` is whom this site called, or null when it was called. */
  #welcome(socket: Socket, dialled: Link | null): void {
    const { codec, clock, limits, notice } = this.#options;
    let link: Link | null = null;
    const connection: Connection = new Connection(socket, codec, this.traffic, {
      frame: (frame) => {
        if (link) {
          this.#take(link, frame);
          return;
        }
        const greeted = greet(frame, this.#options, this.#links, dialled);
        link = greeted.link;
        handshakeOver();
        if (!dialled) connection.send(this.#hello(link.peer));
        this.#diallers.get(link.peer)?.succeeded();
        link.attach(connection, greeted.incarnation);
        notice({ type: 'connected', peer: link.peer, incarnation: greeted.incarnation });
        this.#handlers?.peer({ type: 'up', peer: link.peer, incarnation: greeted.incarnation });
      },
      refused: (error) => this.#refuse(error, (link ?? dialled)?.peer ?? null, connection.remote),
      drained: () => link?.drained(),
      closed: (cause) => {
        handshakeOver();
        this.#connections.delete(connection);
        if (link) this.#unlink(link, cause);
        else if (dialled && !dialled.over && !dialled.connection) {
          this.#diallers
            .get(dialled.peer)
            ?.retry(cause?.message ?? 'the connection was closed during the handshake');
        }
        if (this.#connections.size === 0) this.#quiet?.();
      },
    });
    const stopTimer = clock.after(limits.handshakeTimeoutMs, () =>
      connection.refuse(
        new OperatingError(
          'HANDSHAKE_TIMEOUT',
          `expected a hello within ${limits.handshakeTimeoutMs} ms, none came`,
        ),
      ),
    );
    this.#handshakes += dialled ? 0 : 1;
    let shaking = true;
    const handshakeOver = () => {
      if (!shaking) return;
      shaking = false;
      this.#handshakes -= dialled ? 0 : 1;
      stopTimer();
    };
    this.#connections.set(connection, dialled);
    if (dialled) connection.send(this.#hello(dialled.peer));
  }

  #hello(target: SiteId): HelloFrame {
    const { cluster, incarnation } = this.#options;
    return { type: 'hello', version: protocolVersion, cluster, site: this.self, target, incarnation };
  }

  /** One frame of a peer that is linked; throws what it is refused for. */
  #take(link: Link, frame: Frame): void {
    if (link.over)
      throw new OperatingError('FRAME_OUT_OF_PLACE', `expected nothing after a bye, a ${frame.type} came`);
    switch (frame.type) {
      case 'hello':
        throw new OperatingError('FRAME_OUT_OF_PLACE', `${link.peer} has said hello already`);
      case 'bye':
        this.#hearBye(link, frame.reason);
        return;
      case 'message': {
        const { type: _, ...envelope } = frame;
        const { source, target, message } = envelope;
        if (source !== link.peer)
          throw new OperatingError('FOREIGN_SOURCE', `${link.peer} speaks for ${source}`);
        if (target !== this.self)
          throw new OperatingError('FOREIGN_TARGET', `${link.peer} sends here what is for ${target}`);
        if (this.#handlers) this.#handlers.receive(envelope);
        else
          this.#report(
            new OperatingError('UNDELIVERED', `${message.type} of ${source} came after the close`),
            source,
          );
        return;
      }
      default:
        frame satisfies never;
    }
  }

  #hearBye(link: Link, reason: ByeReason): void {
    link.over = reason;
    this.#diallers.get(link.peer)?.stop();
    link.finish(null);
    this.#handlers?.peer({ type: 'down', peer: link.peer, why: reason });
    if (reason === 'left') this.#options.notice({ type: 'left', peer: link.peer });
    else if (this.#handlers) {
      this.#report(
        new OperatingError(
          'PEER_CLOSED',
          `${link.peer} has closed without leaving; if it held the token, all wait`,
        ),
        link.peer,
      );
    }
  }

  #unlink(link: Link, cause: Error | null): void {
    link.detach();
    if (link.over || (this.#closing && !cause)) return;
    const lost = link.waiting > 0 ? `, ${link.waiting} messages wait for it` : '';
    this.#report(
      new OperatingError(
        'PEER_LOST',
        `the connection to ${link.peer} broke: ${cause?.message ?? 'closed without a bye'}${lost}; what was under way may be lost`,
        { cause },
      ),
      link.peer,
    );
    this.#handlers?.peer({ type: 'down', peer: link.peer, why: 'silent' });
    this.#diallers.get(link.peer)?.retry('the connection broke');
  }

  #reportUndelivered(link: Link): void {
    this.#report(
      new OperatingError('UNDELIVERED', `${link.waiting} messages for ${link.peer}, which is not connected`),
      link.peer,
    );
  }

  #refuse(error: OperatingError, peer: SiteId | null, remote: string): void {
    this.refused.set(error.code, (this.refused.get(error.code) ?? 0) + 1);
    this.#report(error, peer, remote);
  }

  #report(error: OperatingError, peer: SiteId | null, remote: string | null = null): void {
    this.#options.notice({ type: 'error', error, peer, remote });
  }
}

function listenFailed(self: SiteId, cause: Error): OperatingError {
  return new OperatingError('LISTEN_FAILED', `${self} cannot listen: ${cause.message}`, { cause });
}
