import type { SiteId } from '../../../machines/actor.ts';
import type { Clock, Random } from '../../api/clock.ts';
import { OperatingError } from '../../api/errors.ts';
import type { Notice } from '../../api/notice.ts';
import type { Address, PeerChange, StampedEnvelope } from '../../api/peer.ts';
import type { Limits, Timing } from '../../options/schema.ts';
import type { Codec } from '../../wire/codec.ts';
import { anySite, asGuest, type ByeReason, type Identity, type LinkedFrame } from '../../wire/frames.ts';
import type { MailboxHandlers } from '../mailbox.ts';
import type { Pipe, Transport } from '../pipe.ts';
import type { Connection, ConnectionPeer } from './connection.ts';
import { dials, linkIncarnation } from './handshake.ts';
import { Link } from './link.ts';
import { PeerHealth } from './peer-health.ts';
import { Introduction, Probe, type Reconnector, Redial } from './reconnector.ts';
import { reasonOf } from './transport.ts';

export interface PeerOptions {
  /** `anySite`: the site that answers. */
  readonly id: SiteId;
  /** True if this side dials. Default: the site whose id comes first dials. */
  readonly calls?: boolean;
  /** Whether a ping is answered now. Default: always. */
  readonly answers?: () => boolean;
  /** At a guest: is told of the number of each ping that is answered, and has one sent with each heartbeat. */
  readonly ponged?: (number: number) => void;
  /** Is told after each call whether the host of the peer refused it: no process listens there. */
  readonly refused?: (yes: boolean) => void;
  /** The identity of this site, as sent to the peer. */
  readonly identity: () => Omit<Identity, 'life'>;
  /** `null`: it is not known where it listens, and it is to say so itself. */
  readonly address: Address | null;
  /** The settings give the address: it is not changed by what others say. */
  readonly isGiven: boolean;
  /** How a hello is written, and which messages there are in a version of the wire. */
  readonly codec: Codec;
  readonly transport: Transport;
  readonly limits: Limits;
  readonly timing: Pick<Timing, 'heartbeatMs' | 'failureTimeoutMs'>;
  readonly clock: Clock;
  readonly random: Random;
  /** Another process answers at its address. */
  readonly mistaken: (error: OperatingError) => void;
  /** A connection that this site has dialled stands. */
  readonly onSocket: (socket: Pipe) => void;
  /** The receiver of messages and of changes of the peer. */
  readonly handlers: () => MailboxHandlers;
  readonly notice: (notice: Notice) => void;
}

/**
 * Number of earlier incarnations that are remembered. One that is older is refused by its data: they are another's, or of
 * an earlier run.
 */
const mostPast = 1_024;

/** Another site: the link to it, whether it is believed to be up, and how it is dialled again. */
export class Peer implements ConnectionPeer {
  readonly link: Link;
  readonly #options: PeerOptions;
  readonly #health: PeerHealth;
  readonly #reconnector: Reconnector;
  /** Where the other side dials, and may not know of this one. */
  readonly #introduction: Introduction | null;
  #id: SiteId;
  #address: Address | null;
  /** Identity of the peer: as it said last, and as it was met. */
  #said: Identity | null = null;
  #known: Identity | null = null;
  /** The host that its last connection came from. */
  #from: string | null = null;
  /** The last life that is over of each incarnation that was met before, the latest last. */
  readonly #past = new Map<string, number>();
  /** It has said goodbye, and no other life of it has been met. */
  #gone = false;
  /** Messages for a life that is over; of more than may wait, the latest. */
  #dropped: readonly StampedEnvelope[] = [];
  #droppedCount = 0;
  /** This site says goodbye. */
  #bye: { readonly reason: ByeReason; readonly done: () => void } | null = null;
  #finished = false;

  constructor(options: PeerOptions) {
    const { id, identity, transport, limits, timing, clock, random, notice } = options;
    this.#id = id;
    this.#address = options.address;
    this.#options = options;
    this.#health = new PeerHealth({
      peer: () => this.#id,
      failureTimeoutMs: timing.failureTimeoutMs,
      now: clock.now(),
      tell: (change) => this.#change(change),
    });
    this.link = new Link({
      peer: id,
      identity: () => ({ ...identity(), target: this.#id }),
      maxOutbox: limits.maxOutbox,
      clock,
      handlers: options.handlers,
      owner: {
        met: (restarted) => this.#meet(restarted),
        overflowed: (lost) => this.#overflowed(lost),
        refused: (lost) => this.drop(lost),
        drained: () => this.#sayBye(),
      },
    });
    const refused = (yes: boolean) => {
      this.#health.refused(yes);
      options.refused?.(yes);
    };
    const reach = { limits, clock, random, refused, timeoutMs: timing.failureTimeoutMs };
    const call = (stands: () => void) => transport.call(this.#address!, this.#id, stands);
    const { calls = dials(identity().site, id) } = options;
    const hello = () => options.codec.encode({ type: 'hello', ...this.link.identity });
    this.#introduction = calls ? null : new Introduction({ ...reach, call, hello });
    this.#reconnector = calls
      ? new Redial({
          ...reach,
          call,
          onSocket: options.onSocket,
          mistaken: options.mistaken,
          failed: (reason, retryInMs) => {
            // Nobody expects one that has said goodbye.
            if (!this.#gone) notice({ type: 'dial-failed', peer: this.#id, reason, retryInMs });
          },
        })
      : new Probe({
          ...reach,
          knock: transport.knock,
          address: () => this.#address,
          wanted: () => this.#health.up,
        });
  }

  get id(): SiteId {
    return this.#id;
  }

  /** Whether it listens anywhere: a guest need not. */
  get listens(): boolean {
    return (this.#said?.port ?? 0) > 0;
  }

  /** Where it listens, as far as the host that it calls from is the one that it listens at; `null`: nowhere. */
  get listensAt(): Address | null {
    const port = this.#said?.port ?? 0;
    return port === 0 || this.#from === null ? null : { host: this.#from, port };
  }

  /** The highest version of the wire that both sides speak, as the peer said last; `null`: it has said nothing yet. */
  get version(): number | null {
    return this.#said && Math.min(this.#said.version, this.#options.codec.versions.version);
  }

  /**
   * Whether the peer knows messages of this type. What it does not know is not sent: it is lost, as the protocol allows of what a version
   * added.
   */
  speaks(type: string): boolean {
    const { codec } = this.#options;
    const { version, oldest } = codec.versions;
    const common = this.version ?? oldest;
    return common === version || codec.isSpoken(type, common);
  }

  /** How long nothing was heard of it, in ms. */
  silenceMs(now: number): number {
    return this.#health.silence(now);
  }

  /** True if the peer is believed up. */
  get isUp(): boolean {
    return this.#health.up;
  }

  /** It has said goodbye, and no other incarnation of it has been met: messages to it are dropped. */
  get gone(): boolean {
    return this.#gone;
  }

  /** Messages go both ways. */
  get up(): boolean {
    return this.link.upOn !== null;
  }

  /** This site has nothing to say to it any more. */
  get finished(): boolean {
    return this.#finished;
  }

  /** Why a connection of that life of the peer is refused, or null. */
  whyRefused(identity: Identity): string | null {
    const known = this.#known;
    if (known && known.id !== identity.id && this.#health.up) {
      return `${this.id} is up, and one that has other data came: two processes must not have one name; end one of them`;
    }
    const isOther = known?.id === identity.id && known.incarnation !== identity.incarnation;
    if (isOther && identity.run <= known.run) {
      return (
        `${this.id} was met in run ${known.run} of its data, and one of run ${identity.run} came: an old copy of its data ` +
        'directory has forgotten what it promised, and two processes must not share one; empty it, or end one of them'
      );
    }
    // A copy of the data that is started elsewhere comes as a later run, too. One that took the place of a site that is up would begin a second
    // token. A guest is one process, which begins a run for each session.
    if (isOther && this.link.upOn && identity.founders !== asGuest) {
      return (
        `${this.id} is connected in run ${known.run} of its data, and one of run ${identity.run} came: two processes must not have one name, ` +
        'nor share their data; end one of them. The second is taken when the first is gone'
      );
    }
    return identity.life <= (this.#past.get(identity.incarnation) ?? 0)
      ? `the life ${linkIncarnation(identity)} of ${this.id} is over: it cannot come back`
      : null;
  }

  open(): void {
    this.#health.heard(this.#options.clock.now());
    this.#reach();
  }

  /** The known address of the peer. */
  get address(): Address | null {
    return this.#address;
  }

  /** It listens there. `calls`: and is to be called. */
  moved(address: Address, calls = true): void {
    if (this.#options.isGiven) return;
    const before = this.#address;
    this.#address = address;
    if (this.#finished || this.link.connected || !calls) return;
    if (before?.host !== address.host || before.port !== address.port) this.#reach();
  }

  /** See `Mailbox.recheck`. */
  recheck(): boolean {
    if (this.#finished || !this.#health.expect(this.#options.clock.now())) return false;
    if (!this.link.connected) this.#reach();
    return true;
  }

  #reach(): void {
    if (this.#address === null) return;
    this.#reconnector.open();
    this.#introduction?.open();
  }

  /** A frame of a connection that has been identified. */
  arrive(frame: LinkedFrame, connection: Connection): void {
    if (frame.type === 'hello' || frame.type === 'welcome') {
      this.#said = frame;
      this.#from = connection.remoteHost;
      if (this.#id === anySite) this.#id = frame.site;
    }
    this.link.arrive(frame, connection);
  }

  heard(connection: Connection): void {
    if (connection === this.link.upOn) this.#health.heard(this.#options.clock.now());
  }

  /** Received messages are acknowledged at once, so that a ping asks for the acknowledgement, too. */
  ping(number: number, connection: Connection): void {
    this.link.flushAck();
    const { answers = () => true } = this.#options;
    if (!connection.congested && answers()) connection.send({ type: 'pong', number });
  }

  pong(number: number): void {
    this.#health.pong(number);
    this.#options.ponged?.(number);
  }

  /** Once a heartbeat. `number` is for a ping. */
  beat(now: number, number: number): void {
    const { heartbeatMs } = this.#options.timing;
    const connection = this.link.upOn;
    const quietMs = this.#health.silence(now);
    if (this.#health.isSilent(now)) {
      this.#health.silent();
      connection?.destroy(new Error(`nothing came for ${Math.round(quietMs)} ms`));
    } else if (this.#options.ponged || quietMs >= heartbeatMs / 2 || !this.#health.up) {
      connection?.send({ type: 'ping', number });
    }
  }

  /** This process was stopped for long: nothing that was believed before counts. */
  paused(now: number, number: number): void {
    this.#health.paused(number, now);
    this.link.upOn?.send({ type: 'ping', number });
  }

  hearBye(reason: ByeReason, connection: Connection): void {
    this.#gone = true;
    this.#endLife();
    this.link.disconnected(connection);
    connection.finish(null);
    if (reason === 'left') this.#options.notice({ type: 'left', peer: this.id });
    this.#health.down(reason);
  }

  /** Nothing more is read from a connection to it, or one that was dialled for it. */
  lost(connection: Connection, cause: Error | null): void {
    const wasUp = connection === this.link.upOn;
    const silently = wasUp
      ? 'closed by the other side'
      : 'closed during the handshake; if it refuses this site, its own log says why';
    const reason = cause ? reasonOf(cause) : silently;
    this.link.disconnected(connection);
    if (this.#finished) return;
    if (wasUp) this.#options.notice({ type: 'connection-lost', peer: this.id, reason });
    if (this.link.connected) return;
    this.#reconnector.lost(wasUp, reason);
    if (this.#address !== null) this.#introduction?.lost();
  }

  /** Resolves when all was acknowledged and goodbye is said; or at once: the peer is down, or this was stopped. */
  finish(reason: ByeReason): Promise<void> {
    return new Promise((done) => {
      this.#bye = { reason, done };
      if (this.#finished) done();
      else if (!this.#health.up) this.#end();
      else {
        this.link.flushAck();
        this.link.finish();
        this.#askForAck();
      }
    });
  }

  /** Nothing more is done for it. */
  stop(): void {
    this.#finished = true;
    this.#reconnector.stop();
    this.#introduction?.stop();
    this.link.stop();
    this.#bye?.done();
  }

  /** `stop`; a notice says how many messages were never acknowledged. */
  giveUp(): void {
    if (!this.#finished) this.#end();
  }

  #end(): void {
    const count = this.#droppedCount + this.link.waiting;
    this.stop();
    if (count > 0) this.#options.notice({ type: 'dropped', peer: this.id, count });
  }

  /** The life that was met last is over, and with it all lives before in that incarnation. */
  #endLife(): void {
    if (!this.#known) return;
    const { incarnation, life } = this.#known;
    this.#past.delete(incarnation);
    this.#past.set(incarnation, life);
    if (this.#past.size > mostPast) this.#past.delete(this.#past.keys().next().value!);
  }

  #meet(restarted: { readonly lost: readonly StampedEnvelope[] } | null): void {
    const { clock, notice } = this.#options;
    const id = this.#id;
    const said = this.#said!;
    let lost: readonly StampedEnvelope[] | null = null;
    if (restarted) {
      if (this.#known && linkIncarnation(this.#known) !== linkIncarnation(said)) this.#endLife();
      this.drop(restarted.lost);
      if (this.#droppedCount > 0) notice({ type: 'dropped', peer: id, count: this.#droppedCount });
      lost = this.#dropped;
      this.#dropped = [];
      this.#droppedCount = 0;
      this.#gone = false;
    }
    this.#known = said;
    this.#reconnector.met();
    this.#introduction?.met();
    notice({ type: 'connected', peer: id, incarnation: said.incarnation });
    this.#health.met(said.incarnation, lost, clock.now());
    this.#askForAck();
  }

  /** These will not arrive. The next incarnation of the peer is told so. */
  drop(lost: readonly StampedEnvelope[]): void {
    this.#dropped = [...this.#dropped, ...lost].slice(-this.#options.limits.maxOutbox);
    this.#droppedCount += lost.length;
  }

  #overflowed(lost: readonly StampedEnvelope[]): void {
    const { limits, notice } = this.#options;
    const error = new OperatingError(
      'OUTBOX_FULL',
      `more than ${limits.maxOutbox} messages wait for ${this.id} (limits.maxOutbox): they were dropped, and the link starts again`,
    );
    this.drop(lost);
    notice({ type: 'error', error, peer: this.id, remote: null });
    this.#health.down('silent');
  }

  #change(change: PeerChange): void {
    this.#options.handlers().peerChanged(change, this.#known?.id ?? null);
    if (change.type === 'down' && this.#bye) this.giveUp();
  }

  /** Where this site waits for the last acknowledgement. */
  #askForAck(): void {
    if (this.#bye && !this.#finished) this.link.upOn?.send({ type: 'ping', number: 0 });
  }

  #sayBye(): void {
    const connection = this.link.upOn;
    const { reason } = this.#bye!;
    this.stop();
    connection?.finish({ type: 'bye', reason });
  }
}
