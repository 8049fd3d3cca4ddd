import type { SiteId } from '../../../machines/actor.ts';
import type { Frame as LinkFrame } from '../../../machines/link/frames.ts';
import {
  type LinkContext,
  type LinkEffect,
  type LinkEvent,
  linkMachine,
} from '../../../machines/link/link.ts';
import type { Clock } from '../../api/clock.ts';
import { OperatingError } from '../../api/errors.ts';
import { EffectActor } from '../../driver/actor.ts';
import type {
  AckFrame,
  DataFrame,
  HelloFrame,
  Identity,
  StampedEnvelope,
  WelcomeFrame,
} from '../../wire/frames.ts';
import type { Connection } from './connection.ts';
import { lifeOf } from './handshake.ts';

/** How long an acknowledgement waits for a message that takes it along. */
const ackDelayMs = 200;

/** After so many deliveries it does not wait, so that the peer's outbox stays short. */
const deliveriesPerAck = 32;

export interface LinkOwner {
  /** Throws an OperatingError for what it refuses. */
  deliver(envelope: StampedEnvelope): void;
  /** The connection stands and the peer answers on it. `restarted`: what was known is over, and `lost` of ours with it. */
  met(restarted: { readonly lost: readonly StampedEnvelope[] } | null): void;
  /**
   * So many waited that this side's life of the link has ended: nothing of it is sent any more. Not told from within
   * `post`.
   */
  overflowed(lost: readonly StampedEnvelope[]): void;
  /** `deliver` has thrown, and so this side's life of the link has ended: nothing of it is sent any more. */
  refused(lost: readonly StampedEnvelope[]): void;
  /** After `finish`: nothing waits any more. */
  drained(): void;
}

export interface LinkOptions {
  readonly peer: SiteId;
  /** What this site says of itself to the peer. */
  readonly identity: Omit<Identity, 'life'>;
  /** The most messages that wait. */
  readonly maxOutbox: number;
  readonly clock: Clock;
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

/** The frames that are about the link; the others are below it. */
export type LinkedFrame = HelloFrame | WelcomeFrame | DataFrame | AckFrame;

type LinkActor = EffectActor<LinkEvent, LinkEffect>;

/** Runs the statechart of one end of a link over whatever connection there is, and carries out its effects. */
export class Link {
  readonly #options: LinkOptions;
  #actor: LinkActor;
  #life = 1;
  #connection: Connection | null = null;
  #up = false;
  /** What was asked for while another event was taken, or null: none is. */
  #later: LinkEffect[] | null = null;
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
    this.#actor = this.#begin();
  }

  /** The connection on which the peer is met, or null. */
  get upOn(): Connection | null {
    return this.#up ? this.#connection : null;
  }

  /** There is a connection, whether the peer is met on it yet or not. */
  get connected(): boolean {
    return this.#connection !== null;
  }

  /** How many messages wait, for a person to read. */
  get waiting(): number {
    return this.#outbox.length;
  }

  /** This site has dialled. */
  dialled(connection: Connection): void {
    this.#join(connection);
    this.#take({ type: 'connected', connection: connection.id });
  }

  arrive(frame: LinkedFrame, connection: Connection): void {
    const event = eventOf(frame, connection.id);
    if (event.type === 'HELLO') this.#join(connection);
    this.#take(event);
  }

  /** Nothing more is read from `connection`. */
  disconnected(connection: Connection): void {
    if (connection === this.#connection) {
      this.#connection = null;
      this.#up = false;
    }
    this.#take({ type: 'disconnected', connection: connection.id });
  }

  post(envelope: StampedEnvelope): void {
    this.#take({ type: 'post', payload: envelope });
  }

  flushAck(): void {
    this.#take({ type: 'flushAck' });
  }

  finish(): void {
    this.#take({ type: 'finish' });
  }

  stop(): void {
    this.#stopped = true;
    this.#ackTimer?.();
    this.#ackTimer = null;
  }

  get #outbox(): readonly StampedEnvelope[] {
    return (this.#actor.state.context as LinkContext).outbox as readonly StampedEnvelope[];
  }

  #begin(): LinkActor {
    const { identity, peer, maxOutbox } = this.#options;
    const input = { incarnation: lifeOf({ ...identity, life: this.#life }), limit: maxOutbox };
    return new EffectActor(linkMachine, effectTypes, { id: `the link to ${peer}`, input });
  }

  /** The newest connection wins. */
  #join(connection: Connection): void {
    const before = this.#connection;
    this.#connection = connection;
    this.#up = false;
    before?.destroy();
  }

  // What an effect brings about at once (a message that is answered) waits for the effects before it.
  #take(event: LinkEvent): void {
    const actor = this.#actor;
    const effects = actor.take(event);
    if (this.#later !== null) {
      for (const effect of effects) this.#later.push(effect);
      return;
    }
    if (effects.length === 0) return;
    const later: LinkEffect[] = [];
    this.#later = later;
    try {
      this.#executeAll(effects, actor);
      // It grows meanwhile.
      this.#executeAll(later, actor);
    } finally {
      this.#later = null;
    }
  }

  /** `actor` is of one life: what is left when that ends is left undone. */
  #executeAll(effects: readonly LinkEffect[], actor: LinkActor): void {
    for (let i = 0; i < effects.length && this.#actor === actor; i++) this.#execute(effects[i]!);
  }

  #execute(effect: LinkEffect): void {
    const { owner, clock } = this.#options;
    switch (effect.type) {
      case 'transmit':
        if (effect.connection !== this.#connection?.id) return;
        for (const frame of effect.frames) this.#transmit(frame, this.#connection);
        return;
      case 'deliver':
        this.#deliver(effect.payload as StampedEnvelope);
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
        const lost = [...this.#outbox, effect.payload as StampedEnvelope];
        this.#endLife('too much waited for the peer');
        clock.nextTurn(() => owner.overflowed(lost));
        return;
      }
      case 'drained':
        owner.drained();
        return;
      case 'unexpected':
        throw new OperatingError(
          'FRAME_OUT_OF_PLACE',
          `${this.#options.peer} sends a ${effect.event.type} that does not fit what came before`,
        );
      default:
        effect satisfies never;
    }
  }

  // The link has counted it as delivered: in this life it would be acknowledged, and lost without a word.
  #deliver(envelope: StampedEnvelope): void {
    const { owner } = this.#options;
    try {
      owner.deliver(envelope);
    } catch (error) {
      if (error instanceof OperatingError) {
        const lost = this.#outbox;
        this.#endLife(error.message);
        owner.refused(lost);
      }
      throw error;
    }
    this.#owed += 1;
    if (this.#owed >= Math.min(deliveriesPerAck, this.#options.maxOutbox / 2)) this.flushAck();
  }

  /** What the peer has sent is not to be taken: this side's life of the link ends. Gives what is left to be closed. */
  refuse(): Connection | null {
    const connection = this.#connection;
    const lost = this.#outbox;
    this.#leave();
    this.#options.owner.refused(lost);
    return connection;
  }

  /** As a crash would, for this link alone: the peer hears of another life. */
  #endLife(why: string): void {
    const connection = this.#connection;
    this.#leave();
    connection?.destroy(new Error(why));
  }

  #leave(): void {
    this.#life += 1;
    this.#actor = this.#begin();
    this.#lost = { lost: [] };
    this.#connection = null;
    this.#up = false;
  }

  #transmit(frame: LinkFrame, connection: Connection): void {
    switch (frame.type) {
      case 'HELLO':
        connection.send({ type: 'hello', ...this.#identity });
        return;
      case 'WELCOME':
        connection.send({ type: 'welcome', ...this.#identity, ack: frame.ack });
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

  get #identity(): Identity {
    return { ...this.#options.identity, life: this.#life };
  }
}

function eventOf(frame: LinkedFrame, connection: number): LinkEvent {
  switch (frame.type) {
    case 'hello':
      return { type: 'HELLO', incarnation: lifeOf(frame), connection };
    case 'welcome':
      return { type: 'WELCOME', incarnation: lifeOf(frame), ack: frame.ack, connection };
    case 'data':
      return { type: 'DATA', seq: frame.seq, ack: frame.ack, payload: frame.envelope, connection };
    case 'ack':
      return { type: 'ACK', ack: frame.ack, connection };
  }
}
