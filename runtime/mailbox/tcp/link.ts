import type { SiteId } from '../../../machines/actor.ts';
import type { Frame as LinkFrame } from '../../../machines/link/frames.ts';
import {
  type LinkContext,
  type LinkEffect,
  type LinkEvent,
  linkMachine,
} from '../../../machines/link/link.ts';
import type { Clock } from '../../api/clock.ts';
import { type InvariantError, OperatingError } from '../../api/errors.ts';
import type { StampedEnvelope } from '../../api/peer.ts';
import { Driver, type DriverOwner } from '../../driver/driver.ts';
import type { Identity, LinkedFrame } from '../../wire/frames.ts';
import type { MailboxHandlers } from '../mailbox.ts';
import type { Connection } from './connection.ts';
import { linkIncarnation } from './handshake.ts';

/** How long an acknowledgement waits for a message that takes it along. */
const ackDelayMs = 200;

/** Deliveries after which an acknowledgement does not wait, so that the peer's outbox stays short. */
const deliveriesPerAck = 32;

export interface LinkOwner {
  /**
   * The connection stands and the peer answers on it. `restarted`: the peer's previous incarnation is over;
   * `lost` are our messages to it.
   */
  met(restarted: { readonly lost: readonly StampedEnvelope[] } | null): void;
  /**
   * Too many messages waited, so this side's incarnation of the link has ended: `lost` is not sent any more. Not told from within
   * `post`.
   */
  overflowed(lost: readonly StampedEnvelope[]): void;
  /** A message of the peer was refused, and so this side's life of the link has ended: nothing of it is sent any more. */
  refused(lost: readonly StampedEnvelope[]): void;
  /** After `finish`: nothing waits any more. */
  drained(): void;
}

export interface LinkOptions {
  readonly peer: SiteId;
  /** The identity of this site, as sent to the peer. */
  readonly identity: () => Omit<Identity, 'life'>;
  /** The most messages that wait. */
  readonly maxOutbox: number;
  readonly clock: Clock;
  /** The receiver of messages. */
  readonly handlers: () => MailboxHandlers;
  readonly owner: LinkOwner;
}

const effectTypes = [
  'transmit',
  'deliver',
  'ackOwed',
  'overflow',
  'peerRestarted',
  'met',
  'drained',
  'unexpected',
] as const satisfies readonly LinkEffect['type'][];

const nothing: readonly LinkEvent[] = [];

/** One end of a link: its statechart, run by a driver over whatever connection there is, and the effects of that carried out. */
export class Link implements DriverOwner<LinkEvent, LinkEffect, never> {
  readonly #options: LinkOptions;
  #driver: Driver<LinkEvent, LinkEffect>;
  #life = 1;
  #connection: Connection | null = null;
  #up = false;
  /** How many deliveries nothing that went out has acknowledged. */
  #owed = 0;
  #ackTimer: (() => void) | null = null;
  #stopped = false;
  readonly #ackNow = () => {
    this.#ackTimer = null;
    this.flushAck();
  };
  #lost: { readonly lost: readonly StampedEnvelope[] } | null = null;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#driver = this.#begin();
  }

  /** The connection on which the peer is met, or null. */
  get upOn(): Connection | null {
    return this.#up ? this.#connection : null;
  }

  /** There is a connection, whether the peer is met on it yet or not. */
  get connected(): boolean {
    return this.#connection !== null;
  }

  /** Number of messages that wait for their acknowledgement. */
  get waiting(): number {
    return this.#outbox.length;
  }

  /** This site has dialled. */
  dialled(connection: Connection): void {
    this.#join(connection);
    this.#driver.take({ type: 'connected', connection: connection.id });
  }

  arrive(frame: LinkedFrame, connection: Connection): void {
    const event = eventOf(frame, connection.id);
    if (event.type === 'HELLO') this.#join(connection);
    this.#driver.take(event);
  }

  /** Nothing more is read from `connection`. */
  disconnected(connection: Connection): void {
    if (connection === this.#connection) {
      this.#connection = null;
      this.#up = false;
    }
    this.#driver.take({ type: 'disconnected', connection: connection.id });
  }

  post(envelope: StampedEnvelope): void {
    this.#driver.take({ type: 'post', payload: envelope });
  }

  flushAck(): void {
    this.#driver.take({ type: 'flushAck' });
  }

  finish(): void {
    this.#driver.take({ type: 'finish' });
  }

  stop(): void {
    this.#stopped = true;
    this.#ackTimer?.();
    this.#ackTimer = null;
  }

  get #outbox(): readonly StampedEnvelope[] {
    return (this.#driver.state.context as LinkContext).outbox as readonly StampedEnvelope[];
  }

  #begin(): Driver<LinkEvent, LinkEffect> {
    const { identity, peer, maxOutbox } = this.#options;
    const input = { incarnation: linkIncarnation({ ...identity(), life: this.#life }), limit: maxOutbox };
    return new Driver(linkMachine, effectTypes, { id: `the link to ${peer}`, input }, this);
  }

  /** The newest connection wins. */
  #join(connection: Connection): void {
    const before = this.#connection;
    this.#connection = connection;
    this.#up = false;
    before?.destroy();
  }

  // For the driver.

  due(): readonly LinkEvent[] {
    return nothing;
  }

  judge(): 'take' {
    return 'take';
  }

  refuses(): boolean {
    return false;
  }

  took(): void {}

  crashed(error: InvariantError): void {
    throw error;
  }

  execute(effect: LinkEffect): void {
    const { owner, clock, handlers, maxOutbox } = this.#options;
    switch (effect.type) {
      case 'transmit':
        if (effect.connection !== this.#connection?.id) return;
        for (const frame of effect.frames) this.#transmit(frame, this.#connection);
        return;
      case 'deliver':
        try {
          handlers().receive(effect.payload as StampedEnvelope);
        } catch (error) {
          // The statechart has counted it as delivered: in this life it would be acknowledged, and lost without a word.
          if (error instanceof OperatingError) owner.refused(this.#endLife(error.message));
          throw error;
        }
        this.#owed += 1;
        if (this.#owed >= Math.min(deliveriesPerAck, maxOutbox / 2)) this.flushAck();
        return;
      case 'ackOwed':
        if (!this.#stopped) this.#ackTimer ??= clock.after(ackDelayMs, this.#ackNow);
        return;
      case 'peerRestarted':
        this.#lost = { lost: effect.lost as readonly StampedEnvelope[] };
        return;
      case 'met': {
        if (!this.#connection) return;
        this.#up = true;
        const restarted = this.#lost;
        this.#lost = null;
        owner.met(restarted);
        return;
      }
      case 'overflow': {
        const { payload } = effect;
        const lost = this.#endLife('too much waited for the peer', payload as StampedEnvelope);
        clock.nextTurn(() => owner.overflowed(lost));
        return;
      }
      case 'drained':
        owner.drained();
        return;
      case 'unexpected':
        throw new OperatingError(
          'FRAME_OUT_OF_PLACE',
          `${this.#options.peer} sent a ${effect.event.type} out of order`,
        );
      default:
        effect satisfies never;
    }
  }

  /** Ends this side's life of the link, since a message of the peer is refused. Returns the connection to be closed. */
  refuse(): Connection | null {
    const connection = this.#connection;
    this.#options.owner.refused(this.#leave());
    return connection;
  }

  /** `#leave`, and closes the connection. */
  #endLife(why: string, ...refused: readonly StampedEnvelope[]): readonly StampedEnvelope[] {
    const connection = this.#connection;
    const lost = this.#leave(...refused);
    connection?.destroy(new Error(why));
    return lost;
  }

  /** Begins another life of the link, as after a crash of this link alone. Returns the messages that are lost with the old one. */
  #leave(...refused: readonly StampedEnvelope[]): readonly StampedEnvelope[] {
    const waiting = this.#outbox;
    const untaken = this.#driver.stop().flatMap((event) => (event.type === 'post' ? [event.payload] : []));
    this.#life += 1;
    this.#driver = this.#begin();
    this.#owed = 0;
    this.#lost = { lost: [] };
    this.#connection = null;
    this.#up = false;
    return [...waiting, ...refused, ...(untaken as StampedEnvelope[])];
  }

  #transmit(frame: LinkFrame, connection: Connection): void {
    switch (frame.type) {
      case 'HELLO':
        connection.send({ type: 'hello', ...this.identity });
        return;
      case 'WELCOME':
        connection.send({ type: 'welcome', ...this.identity, ack: frame.ack });
        return;
      case 'DATA':
        this.#owed = 0;
        connection.sendData(frame.seq, frame.ack, frame.payload as StampedEnvelope);
        return;
      case 'ACK':
        this.#owed = 0;
        connection.send({ type: 'ack', ack: frame.ack });
        return;
      default:
        frame satisfies never;
    }
  }

  /** The present identity of this site, as sent to the peer. */
  get identity(): Identity {
    return { ...this.#options.identity(), life: this.#life };
  }
}

function eventOf(frame: LinkedFrame, connection: number): LinkEvent {
  switch (frame.type) {
    case 'hello':
      return { type: 'HELLO', incarnation: linkIncarnation(frame), connection };
    case 'welcome':
      return { type: 'WELCOME', incarnation: linkIncarnation(frame), ack: frame.ack, connection };
    case 'data':
      return { type: 'DATA', seq: frame.seq, ack: frame.ack, payload: frame.envelope, connection };
    case 'ack':
      return { type: 'ACK', ack: frame.ack, connection };
  }
}
