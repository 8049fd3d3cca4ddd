import type { SiteId } from '../../../machines/actor.ts';
import type { Frame as LinkFrame } from '../../../machines/link/frames.ts';
import {
  type LinkContext,
  type LinkEffect,
  type LinkEvent,
  linkMachine,
} from '../../../machines/link/link.ts';
import { EffectActor } from '../../actor.ts';
import type { Clock } from '../../doors.ts';
import { OperatingError } from '../../errors.ts';
import type {
  AckFrame,
  DataFrame,
  Frame,
  HelloFrame,
  Identity,
  StampedEnvelope,
  WelcomeFrame,
} from '../../frame/frames.ts';
import type { Connection } from './connection.ts';
import { lifeOf } from './handshake.ts';

/** How long an acknowledgement waits for a message that takes it along. */
const ackDelayMs = 20;

export interface LinkOwner {
  deliver(envelope: StampedEnvelope): void;
  /** The connection stands and the peer answers on it. `restarted`: what was known is over, and `lost` of ours with it. */
  met(restarted: { readonly lost: readonly StampedEnvelope[] } | null): void;
  /** So many waited that this side's life of the link has ended: nothing of it is sent any more. */
  overflowed(lost: readonly StampedEnvelope[]): void;
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
  #effects: LinkEffect[] = [];
  #busy = false;
  #ackTimer: (() => void) | null = null;
  #lost: { readonly lost: readonly StampedEnvelope[] } | null = null;
  #posted: StampedEnvelope | null = null;

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
    this.#posted = envelope;
    this.#take({ type: 'post', payload: envelope });
  }

  flushAck(): void {
    this.#take({ type: 'flushAck' });
  }

  finish(): void {
    this.#take({ type: 'finish' });
  }

  stop(): void {
    this.#ackTimer?.();
    this.#ackTimer = null;
  }

  get #outbox(): readonly StampedEnvelope[] {
    return (this.#actor.snapshot.context as LinkContext).outbox as readonly StampedEnvelope[];
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
    this.#effects.push(...this.#actor.take(event));
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let effect = this.#effects.shift(); effect; effect = this.#effects.shift()) this.#execute(effect);
    } finally {
      this.#busy = false;
      this.#effects = [];
    }
  }

  #execute(effect: LinkEffect): void {
    const { owner, clock } = this.#options;
    switch (effect.type) {
      case 'transmit':
        if (effect.connection !== this.#connection?.id) return;
        for (const frame of effect.frames) this.#connection.send(this.#onWire(frame));
        return;
      case 'deliver':
        owner.deliver(effect.payload as StampedEnvelope);
        return;
      case 'ackOwed':
        this.#ackTimer ??= clock.after(ackDelayMs, () => {
          this.#ackTimer = null;
          this.flushAck();
        });
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
      case 'overflow':
        this.#endLife([...this.#outbox, this.#posted!]);
        return;
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

  /** As a crash would, for this link alone: the peer hears of another life. */
  #endLife(lost: readonly StampedEnvelope[]): void {
    this.#life += 1;
    this.#actor = this.#begin();
    this.#effects = [];
    this.#lost = { lost: [] };
    this.#connection?.destroy(new Error('too much waited for the peer'));
    this.#connection = null;
    this.#up = false;
    // Not from within `post`.
    this.#options.clock.nextTurn(() => this.#options.owner.overflowed(lost));
  }

  #onWire(frame: LinkFrame): Frame {
    const identity = { ...this.#options.identity, life: this.#life };
    switch (frame.type) {
      case 'HELLO':
        return { type: 'hello', ...identity };
      case 'WELCOME':
        return { type: 'welcome', ...identity, ack: frame.ack };
      case 'DATA':
        return { type: 'data', seq: frame.seq, ack: frame.ack, envelope: frame.payload as StampedEnvelope };
      case 'ACK':
        return { type: 'ack', ack: frame.ack };
    }
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
