import type { SiteId } from '../../../machines/actor.ts';
import type { Clock, Random } from '../../api/clock.ts';
import { OperatingError } from '../../api/errors.ts';
import type { Notice } from '../../api/notice.ts';
import type { Address, StampedEnvelope } from '../../api/peer.ts';
import type { Limits, Timing } from '../../options/schema.ts';
import type { Codec } from '../../wire/codec.ts';
import { type ByeReason, type Identity, mostSites } from '../../wire/frames.ts';
import type { AttachedGuests, Mailbox, MailboxHandlers } from '../mailbox.ts';
import type { Pipe, Proven, Transport } from '../pipe.ts';
import { RateLimiter } from '../rate-limiter.ts';
import { Connection, type ConnectionSetting, type Traffic, WriteScheduler } from './connection.ts';
import { dials, founded } from './handshake.ts';
import { Heartbeat } from './heartbeat.ts';
import { Listener } from './listener.ts';
import { Peer, type PeerOptions } from './peer.ts';

export interface TcpMailboxOptions {
  readonly self: SiteId;
  readonly cluster: string;
  /** A digest of the options that every site must have alike. A site with another one is refused with `FOREIGN_CONFIGURATION`. */
  readonly configuration: string;
  /** The same, of those that all founders must have alike, now. Default: `founded`, there is nothing to found. */
  readonly founders?: () => string;
  /** Random for each start of the process. */
  readonly incarnation: string;
  /** Id of this site's data, and how often that was started before: an earlier run of the same data is refused. */
  readonly dataId: string;
  readonly run: number;
  readonly transport: Transport;
  readonly listen: Address;
  /** The address for others, in place of the one at which it listens. Default: that one. */
  readonly advertise?: { readonly host?: string | undefined; readonly port?: number | undefined };
  readonly peers: Readonly<Record<SiteId, Address>>;
  readonly codec: Codec;
  /** Messages of this type are written before all others. Default: none is. */
  readonly urgent?: string;
  readonly limits: Limits;
  readonly timing: Pick<Timing, 'heartbeatMs' | 'failureTimeoutMs'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly notice: (notice: Notice) => void;
}

/**
 * Mailboxes over TCP: one connection for each pair of sites, dialled by the one whose id comes first, and under
 * each pair the link that is checked: whatever connections do, each message arrives once and in order while both
 * incarnations live.
 *
 * A connection with a frame that no correct peer sends is closed, with a notice and a count. Nothing else changes.
 */
export class TcpMailbox implements Mailbox {
  readonly self: SiteId;
  readonly traffic: Traffic = { bytesSent: 0, bytesReceived: 0 };
  readonly refused = new Map<OperatingError['code'], number>();
  readonly #options: TcpMailboxOptions;
  readonly #peers = new Map<SiteId, Peer>();
  readonly #guests = new Map<SiteId, Peer>();
  readonly guests: AttachedGuests = {
    dismiss: (guest, reason = 'left') => void this.#guests.get(guest)?.finish(reason),
    addressOf: (guest) => this.#guests.get(guest)?.listensAt ?? null,
    listens: (guest) => this.#guests.get(guest)?.listens ?? false,
    silenceMs: (guest) =>
      this.#guests.get(guest)?.silenceMs(this.#options.clock.now()) ?? Number.POSITIVE_INFINITY,
  };
  readonly #connections = new Set<Connection>();
  readonly #setting: ConnectionSetting;
  readonly #listener: Listener;
  readonly #heartbeat: Heartbeat;
  readonly #limiter: RateLimiter;
  #connectionCount = 0;
  #guestCount = 0;
  #pings = 0;
  #handlers = nobody;
  #open = false;
  #isUnref = false;
  #listens: Address = { host: '0.0.0.0', port: 0 };
  #quiet: (() => void) | null = null;

  constructor(options: TcpMailboxOptions) {
    this.#options = options;
    this.self = options.self;
    for (const [id, address] of Object.entries(options.peers))
      this.#peers.set(id, this.#peer(id, address, true));
    const { self, cluster, configuration, founders = () => founded } = options;
    const { codec, urgent = null, clock, timing, limits } = options;
    this.#setting = {
      self,
      cluster,
      configuration,
      founders,
      meet: (site, isGuest) =>
        isGuest ? this.#admitGuest(site) : (this.#peers.get(site) ?? this.#admit(site)),
      introduced: (peer, at) => this.#introduced(peer.id, at),
      codec,
      urgent,
      clock,
      timeoutMs: Math.min(timing.failureTimeoutMs, limits.handshakeTimeoutMs),
      scheduler: new WriteScheduler(clock),
      traffic: this.traffic,
      handlers: () => this.#handlers,
      checkPause: () => this.#heartbeat.check(),
      refused: (error, peer, remote) => this.#refuse(error, peer, remote),
      closed: (connection) => {
        this.#connections.delete(connection);
        if (this.#connections.size === 0) this.#quiet?.();
      },
    };
    this.#listener = new Listener({
      ...options,
      admit: (socket, proven, shaken) => this.#connect(socket, null, proven, shaken),
      refused: (error, remote) => this.#refuse(error, null, remote),
    });
    this.#limiter = new RateLimiter(() => options.clock.now());
    this.#heartbeat = new Heartbeat({
      ...options.timing,
      clock: options.clock,
      random: options.random,
      beat: (now) => this.#ask((peer, number) => peer.beat(now, number)),
      paused: (now) => this.#ask((peer, number) => peer.paused(now, number)),
    });
  }

  /** Where it listens, once it is open. */
  get address(): Address {
    return this.#listener.address;
  }

  /** Where others find it. */
  get advertised(): Address {
    return this.#listens;
  }

  /** Throws `LISTEN_FAILED`. */
  async open(handlers: MailboxHandlers): Promise<void> {
    const failed = (cause: Error) => listenFailed(this.self, cause);
    await this.#listener
      .open(this.#options.listen, (cause) => this.#report(failed(cause), null))
      .catch((cause: Error) => {
        throw failed(cause);
      });
    this.#handlers = handlers;
    this.#open = true;
    const { host = this.address.host, port = this.address.port } = this.#options.advertise ?? {};
    this.#listens = { host, port };
    this.#options.notice({ type: 'listening', address: this.address });
    this.#heartbeat.start();
    for (const peer of this.#peers.values()) peer.open();
  }

  post(envelope: StampedEnvelope): void {
    const { target, message } = envelope;
    const peer = this.#peers.get(target) ?? this.#guests.get(target);
    if (!this.#open) {
      const why = 'its mailbox is not open';
      throw new OperatingError(
        'MAILBOX_CLOSED',
        `${this.self} cannot send ${message.type} to ${target}: ${why}`,
      );
    }
    // It was removed.
    if (!peer) return;
    if (peer.gone) peer.drop([envelope]);
    else if (peer.speaks(message.type)) peer.link.post(envelope);
  }

  refuse({ source }: StampedEnvelope, error: OperatingError): void {
    const connection = (this.#peers.get(source) ?? this.#guests.get(source))?.link.refuse();
    if (connection) connection.refuse(error);
    else this.#refuse(error, source, null);
  }

  /** From now on neither its listener nor its connections keep the process alive. */
  unref(): void {
    this.#isUnref = true;
    this.#listener.unref();
    for (const connection of this.#connections) connection.unref();
  }

  add(peer: SiteId, address: Address | null): void {
    const at = address && this.#options.transport.mayCall(address.host) ? address : null;
    const known = this.#peers.get(peer);
    if (!known) this.#begin(peer, at);
    else if (at && !known.up) known.moved(at);
  }

  recheck(peer: SiteId): boolean {
    return this.#peers.get(peer)?.recheck() ?? false;
  }

  remove(peer: SiteId): void {
    for (const known of [this.#peers, this.#guests]) {
      known.get(peer)?.giveUp();
      known.delete(peer);
    }
  }

  addressOf(peer: SiteId): Address | null {
    return this.#peers.get(peer)?.address ?? null;
  }

  versionOf(peer: SiteId): number | null {
    if (peer === this.self) return this.#options.codec.versions.version;
    return this.#peers.get(peer)?.version ?? null;
  }

  isUp(peer: SiteId): boolean {
    return (this.#peers.get(peer) ?? this.#guests.get(peer))?.isUp ?? false;
  }

  outboxFill(peer: SiteId): number {
    return (this.#peers.get(peer)?.link.waiting ?? 0) / this.#options.limits.maxOutbox;
  }

  connected(): readonly SiteId[] {
    return [...this.#peers.values()].filter(({ up }) => up).map(({ id }) => id);
  }

  async close(reason: ByeReason): Promise<void> {
    const { clock, limits } = this.#options;
    this.#open = false;
    const handlers = this.#handlers;
    this.#handlers = {
      ...nobody,
      receive: (envelope) => this.#reportUndelivered(envelope),
      beforeWrite: () => handlers.beforeWrite(),
    };
    const peers = [...this.#all()];
    const cancel = clock.after(limits.closeTimeoutMs, () => {
      const slow = new Error(`the peer did not close within ${limits.closeTimeoutMs} ms`);
      for (const peer of peers) peer.giveUp();
      for (const connection of this.#connections) connection.destroy(slow);
    });
    await Promise.all(peers.map((peer) => peer.finish(reason)));
    this.#heartbeat.stop();
    const closed = this.#listener.close();
    for (const connection of this.#connections) connection.end();
    if (this.#connections.size > 0) {
      await new Promise<void>((resolve) => {
        this.#quiet = resolve;
      });
    }
    cancel();
    await closed;
  }

  abort(): void {
    this.#open = false;
    this.#handlers = nobody;
    this.#heartbeat.stop();
    void this.#listener.close();
    for (const peer of this.#all()) peer.stop();
    for (const connection of this.#connections) connection.destroy();
  }

  /** Adds a site that is not in the configuration. */
  #admit(site: SiteId): Peer {
    if (this.#peers.size < mostPeers) return this.#begin(site, null);
    throw new OperatingError(
      'FOREIGN_SITE',
      `${site} is unknown, and ${mostPeers} sites are known already; check addresses and peers`,
    );
  }

  *#all(): Generator<Peer> {
    yield* this.#peers.values();
    yield* this.#guests.values();
  }

  #admitGuest(guest: SiteId): Peer {
    const known = this.#guests.get(guest);
    // One that was dismissed, or has left, comes in another session.
    if (known && !known.finished) return known;
    const { maxGuests } = this.#options.limits;
    const { guests } = this.#handlers;
    const why =
      guests === undefined
        ? 'this site takes none'
        : this.#peers.has(guest)
          ? 'a site has this name'
          : this.#guests.size >= maxGuests && !known
            ? `${maxGuests} are here already (limits.maxGuests)`
            : null;
    if (why !== null) throw new OperatingError('FOREIGN_SITE', `the guest ${guest} is not taken: ${why}`);
    // The guest knows an earlier session, and this one has none of the messages that were posted in it.
    this.#guestCount += 1;
    const incarnation = `${this.#options.incarnation}.${this.#guestCount}`;
    const peer = this.#peer(guest, null, true, {
      identity: () => ({ ...this.#identity(guest), incarnation }),
      calls: false,
      answers: () => guests!.answers(guest),
      handlers: () => ({
        ...nobody,
        receive: (envelope) => guests!.receive(envelope),
        peerChanged: (change, id) => guests!.peerChanged(change, id),
      }),
    });
    this.#guests.set(guest, peer);
    peer.open();
    return peer;
  }

  #introduced(site: SiteId, at: Address): void {
    const { transport, self } = this.#options;
    if (!transport.mayCall(at.host)) {
      const why = `${site} listens at ${at.host}, beyond this machine, and ${self} has neither tls nor secret to call it there`;
      throw new OperatingError('INSECURE_PEER', why);
    }
    const peer = this.#peers.get(site);
    // The address of a peer that is up is known. A site that dials needs no call: its address is for its kernel alone,
    // and for others.
    if (peer && !peer.up) peer.moved(at, dials(self, site));
  }

  #begin(id: SiteId, address: Address | null): Peer {
    const peer = this.#peer(id, address, false);
    this.#peers.set(id, peer);
    if (this.#open) peer.open();
    return peer;
  }

  #identity(target: SiteId): Omit<Identity, 'life'> {
    const { self, cluster, configuration, founders = () => founded } = this.#options;
    const { codec, incarnation, dataId, run } = this.#options;
    return {
      ...codec.versions,
      cluster,
      configuration,
      founders: founders(),
      site: self,
      target,
      incarnation,
      id: dataId,
      run,
      ...this.#listens,
    };
  }

  /** `isGiven`: by the settings. */
  #peer(id: SiteId, address: Address | null, isGiven: boolean, other: Partial<PeerOptions> = {}): Peer {
    const { codec, transport, limits, timing, clock, random, notice } = this.#options;
    const peer: Peer = new Peer({
      id,
      identity: () => this.#identity(id),
      address,
      isGiven,
      codec,
      transport,
      limits,
      timing,
      clock,
      random,
      notice,
      // Its answer must name the site that was dialled.
      onSocket: (socket) => this.#connect(socket, peer, null),
      mistaken: (error) => this.#refuse(error, id, `${peer.address!.host}:${peer.address!.port}`),
      handlers: () => this.#handlers,
      ...other,
    });
    return peer;
  }

  #ask(what: (peer: Peer, number: number) => void): void {
    this.#pings += 1;
    for (const peer of this.#all()) what(peer, this.#pings);
  }

  /** `dialled` is the peer that this site dialled; `null`: the other side dialled. */
  #connect(socket: Pipe, dialled: Peer | null, proven: Proven, shaken = () => {}): void {
    this.#connectionCount += 1;
    const start = { id: this.#connectionCount, dialled, proven, shaken };
    const connection = new Connection(socket, this.#setting, start);
    if (this.#isUnref) connection.unref();
    this.#connections.add(connection);
  }

  #reportUndelivered({ source, message }: StampedEnvelope): void {
    const error = new OperatingError(
      'UNDELIVERED',
      `${message.type} of ${source} arrived after the close; ignore this at a shutdown`,
    );
    this.#report(error, source);
  }

  #refuse(error: OperatingError, peer: SiteId | null, remote: string | null): void {
    this.refused.set(error.code, (this.refused.get(error.code) ?? 0) + 1);
    const untold = this.#limiter.next();
    if (untold !== null) this.#report(error, peer, remote, untold);
  }

  #report(error: OperatingError, peer: SiteId | null, remote: string | null = null, untold = 0): void {
    this.#options.notice({ type: 'error', error, peer, remote, ...(untold > 0 && { untold }) });
  }
}

/** Members, and sites that want to be, or were. */
const mostPeers = 2 * mostSites;

/** The handlers of a mailbox that is not open. */
const nobody: MailboxHandlers = { receive: () => {}, peerChanged: () => {}, beforeWrite: () => {} };

function listenFailed(self: SiteId, cause: Error): OperatingError {
  return new OperatingError('LISTEN_FAILED', `${self} cannot listen: ${cause.message}`, { cause });
}
