import type { InspectionEvent, Observer } from 'xstate';
import type { Message, NamedAction, SiteId } from '../../machines/actor.ts';
import type { DurableState, EpochEffect, Fence, LeaseEffect } from '../../machines/epoch/messages.ts';
import { reasonOf } from '../../machines/errors.ts';
import { eventsPerLife, type RecordLine, type VectorClock } from '../../machines/record.ts';
import { InvariantError, OperatingError } from '../api/errors.ts';
import type { Recorder } from '../observe/recorder.ts';
import { NamedSource } from '../observe/source.ts';
import { VectorTime } from '../observe/vector-time.ts';
import type { Protocol, ProtocolSnapshot, SiteEffect } from '../site/protocol.ts';
import type { StampedEnvelope } from '../wire/frames.ts';
import { EffectActor } from './actor.ts';

/** What the hosts of a site have in common. */
export interface DriverSetting {
  readonly site: SiteId;
  /** How many lives the site had before. */
  readonly life: number;
  readonly protocol: Protocol;
  readonly recorder: Recorder;
  /** Whoever looks at a lock for a while; such lines have no clock. */
  readonly tap?: {
    wants(lock: string): boolean;
    record(line: RecordLine): void;
    /** The locks that are wanted. */
    readonly open: readonly string[];
  };
  /** What is sent and received is counted there, by `type`. */
  readonly tally: { readonly sent: Map<string, number>; readonly received: Map<string, number> };
  readonly inspect?: Observer<InspectionEvent> | ((event: InspectionEvent) => void);
}

export interface DriverStart {
  readonly lock: string;
  readonly peers: readonly SiteId[];
  /** For the machine, as the protocol has made it. */
  readonly input: unknown;
}

export type Elected = Extract<EpochEffect, { type: 'elected' }>;

const effectTypes = [
  'send',
  'broadcast',
  'persist',
  'grant',
  'lost',
  'elected',
  'left',
  'leaseTimer',
  'leased',
  'leaseEnded',
  'promiseTimer',
  'promiseEnded',
  'unexpected',
] as const satisfies readonly SiteEffect['type'][];

interface Arrival {
  readonly event: Message;
  /** The message it came in, or null for the client's. */
  readonly envelope: StampedEnvelope | null;
}

/**
 * Runs the actor of one lock at one site, and is the only interpreter of its effects: an event in, its
 * effects out in the order asked, and no other event in between. It decides nothing by the machine's state.
 *
 * Who does what the machine asks for is up to the heir. What one of its methods throws stops the host for good. There is
 * one of these for every lock that was ever used, so what is not always needed is made when it is.
 */
export abstract class Driver {
  readonly lock: string;
  protected readonly setting: DriverSetting;
  readonly #actor: EffectActor<Message, SiteEffect>;
  readonly #peers: readonly SiteId[];
  #departed: Set<SiteId> | null = null;
  /** Where it is recorded. */
  readonly #time: VectorTime | null;
  readonly #source: NamedSource | null;
  #seq: number;
  #clock: VectorClock | null = null;
  /** What has arrived while another event was taken. */
  #later: Arrival[] | null = null;
  #busy = false;
  #stopped = false;

  constructor(setting: DriverSetting, { lock, peers, input }: DriverStart) {
    const { site, life, protocol, recorder, inspect } = setting;
    this.setting = setting;
    this.lock = lock;
    this.#peers = peers;
    this.#time = recorder.active ? new VectorTime(site, life) : null;
    this.#seq = life * eventsPerLife;
    this.#source = inspect === undefined ? null : new NamedSource(inspect);
    this.#actor = new EffectActor(protocol.machine, effectTypes, {
      id: site,
      input,
      ...(this.#source && { inspect: this.#source.inspect }),
    });
    if (!recorder.active) return;
    recorder.record({
      version: 1,
      kind: 'start',
      site,
      lock,
      life,
      machine: protocol.name,
      input,
      peers,
      snapshot: this.snapshot,
    });
  }

  protected abstract post(envelope: StampedEnvelope): void;
  /** To be on the disk when `sync` has returned, and before any message leaves. */
  protected abstract persist(disk: DurableState): void;
  /** Called before the client hears of an effect. */
  protected abstract sync(): void;
  /** `fence` where the protocol has one. */
  protected abstract grant(fence: Fence | null): void;
  protected abstract lose(fence: Fence): void;
  protected abstract elected(election: Elected): void;
  protected abstract left(): void;
  /** Of strict mode: for the machine's clock. */
  protected abstract lease(effect: LeaseEffect): void;
  /** What the machine's clock has to tell before anything else. */
  protected abstract due(): readonly Message[];
  /** A peer has broken the protocol: nothing of what it sent was taken. */
  protected abstract breached(envelope: StampedEnvelope, error: OperatingError): void;
  /** The host has stopped for good. */
  protected abstract crashed(error: InvariantError): void;

  get snapshot(): ProtocolSnapshot {
    return this.#actor.snapshot;
  }

  /** The number of the last event. */
  get seq(): number {
    return this.#seq;
  }

  /** Does what the machine asked for when it began; once, before all else. */
  begin(): void {
    for (const effect of this.#actor.begun) this.#execute(effect);
  }

  /** Is an event being taken just now? What is told then waits. */
  protected get busy(): boolean {
    return this.#busy;
  }

  /** An event of the client. */
  tell(event: Message): void {
    this.#arrive(event, null);
  }

  /** A message of a peer. */
  deliver(envelope: StampedEnvelope): void {
    this.#arrive(envelope.message, envelope);
  }

  /** Something is due. */
  wake(): void {
    if (!this.#busy) this.#takeAll(null, null);
  }

  /** What was under way between this site and `peer` is lost. */
  linkBegan(peer: SiteId): void {
    const { site, recorder, tap } = this.setting;
    const line = { version: 1, kind: 'link', site, lock: this.lock, peer } as const;
    if (recorder.active) recorder.record(line);
    if (tap?.wants(this.lock)) tap.record(line);
  }

  /** Takes no further event. */
  stop(): void {
    this.#stopped = true;
    this.#actor.stop();
  }

  // What an effect brings about at once (an idle lock that is asked for again) waits for the effects before it.
  #arrive(event: Message, envelope: StampedEnvelope | null): void {
    if (!this.#busy) this.#takeAll(event, envelope);
    else if (this.#later) this.#later.push({ event, envelope });
    else this.#later = [{ event, envelope }];
  }

  #takeAll(event: Message | null, envelope: StampedEnvelope | null): void {
    this.#busy = true;
    try {
      // Who was stopped must not go on as if no time had passed.
      this.#takeDue();
      if (event && !this.#stopped) this.#step(event, envelope);
      while (this.#later) {
        this.#takeDue();
        const next = this.#later.shift();
        if (!next) this.#later = null;
        else if (!this.#stopped) this.#step(next.event, next.envelope);
      }
    } catch (error) {
      if (!(error instanceof InvariantError)) throw error;
      this.stop();
      this.crashed(error);
    } finally {
      this.#busy = false;
    }
  }

  #takeDue(): void {
    for (const event of this.due()) if (!this.#stopped) this.#step(event, null);
  }

  #step(event: Message, envelope: StampedEnvelope | null): void {
    const { site, protocol, recorder, tap, tally } = this.setting;
    if (this.#source) this.#source.peer = envelope?.source ?? null;
    const effects = envelope ? this.#take(envelope) : this.#actor.take(event);
    if (effects === null) return;
    this.#seq += 1;
    if (this.#time) this.#clock = this.#time.tick(envelope?.stamp.clock ?? null);
    if (recorder.active && this.#clock) recorder.record(this.#line(event, envelope, effects, this.#clock));
    if (tap?.wants(this.lock)) tap.record(this.#line(event, envelope, effects, {}));
    const broken = protocol.invariants(this.#actor.state as ProtocolSnapshot);
    if (broken !== null)
      throw new InvariantError('INVARIANT_BROKEN', `${site} after ${event.type}: ${broken}`);
    if (envelope) {
      count(tally.received, event.type);
      const departs = protocol.departs(event);
      if (departs !== null) this.#departed = new Set(this.#departed).add(departs);
    }
    for (const effect of effects) this.#execute(effect);
  }

  /**
   * What a peer's message asks for, or null: no correct peer sends it now, and to this actor it was never sent. It is one
   * message that is lost with the link, as the protocol takes any to be.
   */
  #take(envelope: StampedEnvelope): readonly SiteEffect[] | null {
    const { source, message } = envelope;
    const { protocol, site } = this.setting;
    let breach = protocol.breachOf(message, source, this.#actor.state);
    const effects =
      breach === null
        ? this.#actor.take(message, (asked) => {
            breach = asked.some(({ type }) => type === 'unexpected')
              ? `no transition takes it in ${JSON.stringify(this.snapshot)}`
              : protocol.breachBy(asked);
            return breach !== null;
          })
        : null;
    if (breach === null) return effects;
    const what = `${source} breaks the protocol of ${this.lock} by ${JSON.stringify(message)}: ${breach}`;
    const next = `${site} does not take it and begins anew with ${source}; update ${source}, or find out what runs there`;
    this.breached(envelope, new OperatingError('PROTOCOL_BREACH', `${what}; ${next}`));
    return null;
  }

  #line(
    event: Message,
    envelope: StampedEnvelope | null,
    effects: readonly SiteEffect[],
    clock: VectorClock,
  ): RecordLine {
    return {
      version: 1,
      kind: 'event',
      site: this.setting.site,
      lock: this.lock,
      seq: this.#seq,
      clock,
      cause: envelope && { site: envelope.source, seq: envelope.stamp.seq },
      event: { ...event },
      snapshot: this.snapshot,
      effects: effects as readonly NamedAction[],
    };
  }

  #execute(effect: SiteEffect): void {
    switch (effect.type) {
      case 'send':
        this.#send(effect.target, effect.message);
        return;
      case 'broadcast':
        for (const target of this.#peers)
          if (!this.#departed?.has(target)) this.#send(target, effect.message);
        return;
      case 'persist': {
        const { promised, epoch, root } = effect;
        try {
          this.persist({ promised, epoch, root });
        } catch (cause) {
          throw this.#failed('keep what was promised', cause);
        }
        return;
      }
      case 'grant':
        this.#sync();
        this.grant('fence' in effect ? effect.fence : null);
        return;
      case 'lost':
        this.#sync();
        this.lose(effect.fence);
        return;
      case 'elected':
        this.#sync();
        this.elected(effect);
        return;
      case 'left':
        this.left();
        return;
      case 'leaseTimer':
      case 'leased':
      case 'leaseEnded':
      case 'promiseTimer':
      case 'promiseEnded':
        this.lease(effect);
        return;
      case 'unexpected':
        throw new InvariantError(
          'UNEXPECTED_EVENT',
          `no transition of ${this.setting.site} takes ${effect.event.type} in ${JSON.stringify(this.snapshot)}`,
        );
      default:
        effect satisfies never;
    }
  }

  #send(target: SiteId, message: Message): void {
    const { site: source, tally } = this.setting;
    const stamp = { seq: this.#seq, clock: this.#clock };
    try {
      this.post({ source, target, lock: this.lock, message, stamp });
    } catch (cause) {
      throw this.#failed(`send ${message.type} to ${target}`, cause);
    }
    count(tally.sent, message.type);
  }

  #sync(): void {
    try {
      this.sync();
    } catch (cause) {
      throw this.#failed('sync its disk', cause);
    }
  }

  // The actor is already past the effect: what cannot be done now is lost, and with it perhaps the token.
  #failed(what: string, cause: unknown): InvariantError {
    const reason = reasonOf(cause);
    return new InvariantError('EFFECT_FAILED', `${this.setting.site} cannot ${what}: ${reason}`, { cause });
  }
}

function count(counts: Map<string, number>, type: string): void {
  counts.set(type, (counts.get(type) ?? 0) + 1);
}
