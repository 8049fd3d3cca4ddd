import type { SiteId } from '../../../machines/actor.ts';
import type { Clock, Random } from '../../api/clock.ts';
import { OperatingError } from '../../api/errors.ts';
import type { Notice } from '../../api/notice.ts';
import type { Address, StampedEnvelope } from '../../api/peer.ts';
import type { Limits, Timing } from '../../options/schema.ts';
import type { Codec } from '../../wire/codec.ts';
import { anySite, asGuest } from '../../wire/frames.ts';
import type { Pipe, Transport } from '../pipe.ts';
import { RateLimiter } from '../rate-limiter.ts';
import { Connection, type ConnectionSetting, type Traffic, WriteScheduler } from './connection.ts';
import { Heartbeat } from './heartbeat.ts';
import { Peer } from './peer.ts';

export interface GuestMailboxOptions {
  /** The only guest of this name. */
  readonly self: SiteId;
  readonly cluster: string;
  /** As of `TcpMailboxOptions`. */
  readonly configuration: string;
  readonly incarnation: string;
  readonly transport: Transport;
  /** Port at which this process listens, so that it can become a member. Default: 0, it does not. */
  readonly port?: () => number;
  readonly codec: Codec;
  readonly limits: Limits;
  /** `failureTimeoutMs`: the lease of a session. */
  readonly timing: Pick<Timing, 'heartbeatMs' | 'failureTimeoutMs'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly notice: (notice: Notice) => void;
}

/** The receiver of a session's messages. No message of a session comes after `over`. */
export interface SessionHandlers {
  /** A member has answered, and takes messages from now on. */
  attached(member: SiteId): void;
  receive(envelope: StampedEnvelope): void;
  /** The member has answered a sign of life that was sent at this time. */
  answered(sentAt: number): void;
  /**
   * The member is gone, or was never there. `refused`: no process listens there. `left`: it has said goodbye as one that has
   * handed on all that it had.
   */
  over(why: string, how: 'refused' | 'left' | 'else'): void;
}

interface Session {
  readonly peer: Peer;
  readonly handlers: SessionHandlers;
  readonly begunAt: number;
  attached: boolean;
}

/**
 * A guest's mailbox over TCP: a link to one member at a time, which the guest dials. It listens nowhere. A connection that breaks
 * is dialled again; what was posted meanwhile arrives, once and in order, unless the session ends before.
 */
export class GuestMailbox {
  readonly self: SiteId;
  readonly traffic: Traffic = { bytesSent: 0, bytesReceived: 0 };
  readonly refused = new Map<OperatingError['code'], number>();
  readonly #options: GuestMailboxOptions;
  readonly #setting: ConnectionSetting;
  readonly #heartbeat: Heartbeat;
  readonly #limiter: RateLimiter;
  readonly #connections = new Set<Connection>();
  #connectionCount = 0;
  #sessions = 0;
  #session: Session | null = null;
  #pings = 0;
  /** When each ping was sent that may still be answered. */
  readonly #sentAt = new Map<number, number>();
  /** Why the connection of the present session was refused, here or by the member: the session says no more than that it ended. */
  #refusal: string | null = null;
  #isUnref = false;
  #quiet: (() => void) | null = null;

  constructor(options: GuestMailboxOptions) {
    const { self, cluster, configuration, codec, clock, random, timing, limits } = options;
    this.self = self;
    this.#options = options;
    this.#limiter = new RateLimiter(() => clock.now());
    this.#setting = {
      ...{ self, cluster, configuration, codec, clock },
      founders: () => asGuest,
      meet: (site) => {
        throw new OperatingError('FOREIGN_SITE', `${site} dials a guest, which listens nowhere`);
      },
      introduced: () => {},
      urgent: null,
      timeoutMs: Math.min(timing.failureTimeoutMs, limits.handshakeTimeoutMs),
      scheduler: new WriteScheduler(clock),
      traffic: this.traffic,
      handlers: () => ({ receive: () => {}, peerChanged: () => {}, beforeWrite: () => {} }),
      checkPause: () => this.#heartbeat.check(),
      refused: (error, peer, remote) => this.#refuse(error, peer, remote),
      closed: (connection) => {
        this.#connections.delete(connection);
        if (this.#connections.size === 0) this.#quiet?.();
      },
    };
    this.#heartbeat = new Heartbeat({
      ...timing,
      clock,
      random,
      beat: (now) => this.#ping(now, (peer, number) => peer.beat(now, number)),
      paused: (now) => this.#ping(now, (peer, number) => peer.paused(now, number)),
    });
    this.#heartbeat.start();
  }

  /** The member, while a connection to it stands. */
  connected(): readonly SiteId[] {
    return this.#session?.peer.up ? [this.#session.peer.id] : [];
  }

  /** A guest knows no voters. */
  versionOf(): null {
    return null;
  }

  /** It listens nowhere. */
  get address(): Address {
    return { host: '0.0.0.0', port: 0 };
  }

  /** Begins a session with the site at `address`, whichever that is. The one before is over. */
  attach(address: Address, handlers: SessionHandlers): void {
    this.detach();
    const { self, cluster, configuration, incarnation, transport } = this.#options;
    const { codec, limits, timing, clock, random } = this.#options;
    this.#sessions += 1;
    const run = this.#sessions;
    this.#refusal = null;
    const tell = (what: (session: Session) => void) => {
      if (this.#session === session) what(session);
    };
    let isRefused = false;
    const over = (why: string, how: 'left' | 'else' = 'else') =>
      tell(() => {
        this.detach();
        handlers.over(why, isRefused ? 'refused' : how);
      });
    const peer: Peer = new Peer({
      id: anySite,
      calls: true,
      identity: () => ({
        ...{ ...codec.versions, cluster, configuration, founders: asGuest },
        ...{ site: self, target: anySite, incarnation: `${incarnation}.${run}`, id: incarnation, run },
        // Nobody calls a guest.
        ...{ host: '0.0.0.0', port: this.#options.port?.() ?? 0 },
      }),
      address,
      isGiven: true,
      ...{ codec, transport, limits, timing, clock, random },
      notice: (notice) => {
        this.#options.notice(notice);
        if (notice.type === 'dial-failed')
          tell(({ attached }) => !attached && over(this.#refusal ?? notice.reason));
      },
      onSocket: (socket) => this.#connect(socket, peer),
      refused: (yes) => {
        isRefused = yes;
      },
      mistaken: (error) => this.#refuse(error, null, `${address.host}:${address.port}`),
      ponged: (number) => {
        const sentAt = this.#sentAt.get(number);
        // Earlier ones need no answer any more.
        for (const [earlier] of this.#sentAt) if (earlier <= number) this.#sentAt.delete(earlier);
        if (sentAt !== undefined) tell(() => handlers.answered(sentAt));
      },
      handlers: () => ({
        receive: (envelope) => tell(() => handlers.receive(envelope)),
        peerChanged: (change) =>
          tell((session) => {
            if (change.type === 'restarted') over(`${change.peer} has begun anew`);
            // Believed up again: only the session knows how long it lasts.
            else if (change.type === 'up') {
              if (session.attached) return;
              session.attached = true;
              handlers.attached(change.peer);
              handlers.answered(session.begunAt);
            } else over(`${change.peer} is down (${change.why})`, change.why === 'left' ? 'left' : 'else');
          }),
        beforeWrite: () => {},
      }),
    });
    const session: Session = { peer, handlers, begunAt: clock.now(), attached: false };
    this.#session = session;
    this.#sentAt.clear();
    peer.open();
  }

  /** Throws `MAILBOX_CLOSED`. */
  post(envelope: StampedEnvelope): void {
    if (!this.#session) {
      const what = `${this.self} cannot send ${envelope.message.type}: it is attached to no member`;
      throw new OperatingError('MAILBOX_CLOSED', what);
    }
    this.#session.peer.link.post(envelope);
  }

  /** Ends the session at once, and says so if it can be said now. */
  detach(): void {
    const session = this.#session;
    this.#session = null;
    if (!session) return;
    const { upOn } = session.peer.link;
    session.peer.stop();
    if (upOn) upOn.finish({ type: 'bye', reason: 'closed' });
    else for (const connection of this.#connections) connection.end();
  }

  /** Ends the session when the member has taken all, and closes. */
  async close(): Promise<void> {
    const { clock, limits } = this.#options;
    const cancel = clock.after(limits.closeTimeoutMs, () => {
      this.#session?.peer.giveUp();
      for (const connection of this.#connections) connection.destroy();
    });
    await this.#session?.peer.finish('left');
    this.#session = null;
    this.#heartbeat.stop();
    for (const connection of this.#connections) connection.end();
    if (this.#connections.size > 0) {
      await new Promise<void>((resolve) => {
        this.#quiet = resolve;
      });
    }
    cancel();
  }

  /** Drops everything, as a crash would. */
  abort(): void {
    this.#heartbeat.stop();
    this.#session?.peer.stop();
    this.#session = null;
    for (const connection of this.#connections) connection.destroy();
  }

  unref(): void {
    this.#isUnref = true;
    for (const connection of this.#connections) connection.unref();
  }

  #ping(now: number, what: (peer: Peer, number: number) => void): void {
    this.#pings += 1;
    this.#sentAt.set(this.#pings, now);
    if (this.#session) what(this.#session.peer, this.#pings);
  }

  #connect(socket: Pipe, dialled: Peer): void {
    this.#connectionCount += 1;
    const start = { id: this.#connectionCount, dialled, proven: null, shaken: () => {} };
    const connection = new Connection(socket, this.#setting, start);
    if (this.#isUnref) connection.unref();
    this.#connections.add(connection);
  }

  #refuse(error: OperatingError, peer: SiteId | null, remote: string | null): void {
    this.refused.set(error.code, (this.refused.get(error.code) ?? 0) + 1);
    this.#refusal = error.message;
    const untold = this.#limiter.next();
    if (untold === null) return;
    this.#options.notice({ type: 'error', error, peer, remote, ...(untold > 0 && { untold }) });
  }
}
