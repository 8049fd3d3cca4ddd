import type { InspectionEvent, Observer } from 'xstate';
import type { Message, NamedAction, SiteId } from '../../machines/actor.ts';
import type { Disk, EpochEffect, Fence, LeaseEffect } from '../../machines/epoch/messages.ts';
import type { VectorClock } from '../../machines/record.ts';
import { EffectActor } from '../actor.ts';
import { InvariantError } from '../errors.ts';
import type { StampedEnvelope } from '../frame/frames.ts';
import { NamedSource } from '../inspect/source.ts';
import type { Recorder } from '../trace/recorder.ts';
import type { HostEffect, Protocol, ProtocolSnapshot } from './protocol.ts';
import { VectorTime } from './vector-time.ts';

export interface HostOptions extends HostHandlers {
  readonly site: SiteId;
  /** How many lives the site had before. */
  readonly life: number;
  readonly peers: readonly SiteId[];
  readonly lock: string;
  readonly protocol: Protocol;
  /** For the machine, as the protocol has made it. */
  readonly input: unknown;
  readonly recorder: Recorder;
  /** What is sent and received is counted there, by `type`. */
  readonly tally: { readonly sent: Map<string, number>; readonly received: Map<string, number> };
  readonly inspect?: Observer<InspectionEvent> | ((event: InspectionEvent) => void);
}

/** Who does what the machine asks for. What one throws stops the host for good. */
export interface HostHandlers {
  readonly post: (envelope: StampedEnvelope) => void;
  /** To be on the disk when `sync` has returned, and before any message leaves. */
  readonly persist: (disk: Disk) => void;
  /** Called before the client hears of an effect. */
  readonly sync: () => void;
  /** `fence` where the protocol has one. */
  readonly grant: (fence: Fence | null) => void;
  readonly lost: (fence: Fence) => void;
  readonly elected: (election: Omit<Elected, 'type'>) => void;
  readonly left: () => void;
  /** Of strict mode: for the machine's clock. */
  readonly lease: (effect: LeaseEffect) => void;
  /** What the machine's clock has to tell before anything else. */
  readonly due: () => readonly Message[];
  /** The host has stopped for good. */
  readonly crashed: (error: InvariantError) => void;
}

type Elected = Extract<EpochEffect, { type: 'elected' }>;

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
] as const satisfies readonly HostEffect['type'][];

interface Arrival {
  readonly event: Message;
  /** The message it came in, or null for the client's. */
  readonly envelope: StampedEnvelope | null;
}

/**
 * Runs the actor of one lock at one site, and is the only interpreter of its effects: an event in, its
 * effects out in the order asked, and no other event in between. It decides nothing by the machine's state.
 */
export class Host {
  readonly #options: HostOptions;
  readonly #actor: EffectActor<Message, HostEffect>;
  readonly #members: Set<SiteId>;
  readonly #time: VectorTime;
  readonly #source: NamedSource | null;
  readonly #arrivals: Arrival[] = [];
  #busy = false;
  #stopped = false;

  constructor(options: HostOptions) {
    const { protocol, input, site, life, peers, lock, recorder, inspect } = options;
    this.#options = options;
    this.#members = new Set(peers);
    this.#time = new VectorTime(site, life);
    this.#source = inspect === undefined ? null : new NamedSource(inspect);
    this.#actor = new EffectActor(protocol.machine, effectTypes, {
      id: site,
      input,
      ...(this.#source && { inspect: this.#source.inspect }),
    });
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
    for (const effect of this.#actor.begun) this.#execute(effect, {});
  }

  get snapshot(): ProtocolSnapshot {
    return this.#actor.snapshot;
  }

  /** An event of the client. */
  tell(event: Message): void {
    this.#arrive({ event, envelope: null });
  }

  /** A message of a peer. */
  deliver(envelope: StampedEnvelope): void {
    this.#arrive({ event: envelope.message, envelope });
  }

  /** Something is due. */
  wake(): void {
    this.#takeAll();
  }

  /** What was under way between this site and `peer` is lost. */
  linkBegan(peer: SiteId): void {
    const { site, lock, recorder } = this.#options;
    recorder.record({ version: 1, kind: 'link', site, lock, peer });
  }

  /** Takes no further event. */
  stop(): void {
    this.#stopped = true;
    this.#actor.stop();
  }

  // What an effect brings about at once (an idle lock that is asked for again) waits for the effects before it.
  #arrive(arrival: Arrival): void {
    this.#arrivals.push(arrival);
    this.#takeAll();
  }

  #takeAll(): void {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (;;) {
        // Who was stopped must not go on as if no time had passed.
        for (const event of this.#options.due()) if (!this.#stopped) this.#step({ event, envelope: null });
        const next = this.#arrivals.shift();
        if (!next || this.#stopped) break;
        this.#step(next);
      }
    } catch (error) {
      if (!(error instanceof InvariantError)) throw error;
      this.stop();
      this.#options.crashed(error);
    } finally {
      this.#busy = false;
    }
  }

  #step({ event, envelope }: Arrival): void {
    const { site, lock, protocol, recorder } = this.#options;
    const clock = this.#time.tick(envelope?.stamp.clock ?? null);
    if (this.#source !== null) this.#source.peer = envelope?.source ?? null;
    const effects = this.#actor.take(event);
    const { snapshot } = this;
    const cause = envelope && { site: envelope.source, seq: envelope.stamp.seq };
    recorder.record({
      version: 1,
      kind: 'event',
      site,
      lock,
      seq: this.#time.seq,
      clock,
      cause,
      event: { ...event },
      snapshot,
      effects: effects as readonly NamedAction[],
    });
    const broken = protocol.invariants(snapshot);
    if (broken !== null)
      throw new InvariantError('INVARIANT_BROKEN', `${site} after ${event.type}: ${broken}`);
    if (envelope) {
      count(this.#options.tally.received, event.type);
      this.#members.delete(protocol.departs(event) ?? site);
    }
    for (const effect of effects) this.#execute(effect, clock);
  }

  #execute(effect: HostEffect, clock: VectorClock): void {
    const handlers = this.#options;
    switch (effect.type) {
      case 'send':
        this.#send(effect.target, effect.message, clock);
        return;
      case 'broadcast':
        for (const target of this.#members) this.#send(target, effect.message, clock);
        return;
      case 'persist': {
        const { type: _, ...disk } = effect;
        this.#attempt('keep what was promised', () => handlers.persist(disk));
        return;
      }
      case 'grant':
        this.#sync();
        handlers.grant('fence' in effect ? effect.fence : null);
        return;
      case 'lost':
        this.#sync();
        handlers.lost(effect.fence);
        return;
      case 'elected': {
        this.#sync();
        const { type: _, ...election } = effect;
        handlers.elected(election);
        return;
      }
      case 'left':
        handlers.left();
        return;
      case 'leaseTimer':
      case 'leased':
      case 'leaseEnded':
      case 'promiseTimer':
      case 'promiseEnded':
        handlers.lease(effect);
        return;
      case 'unexpected':
        throw new InvariantError(
          'UNEXPECTED_EVENT',
          `no transition of ${this.#options.site} takes ${effect.event.type} in ${JSON.stringify(this.snapshot)}`,
        );
      default:
        effect satisfies never;
    }
  }

  #send(target: SiteId, message: Message, clock: VectorClock): void {
    const { site: source, lock, post } = this.#options;
    const stamp = { seq: this.#time.seq, clock };
    this.#attempt(`send ${message.type} to ${target}`, () => post({ source, target, lock, message, stamp }));
    count(this.#options.tally.sent, message.type);
  }

  #sync(): void {
    this.#attempt('sync its disk', this.#options.sync);
  }

  // The actor is already past the effect: what cannot be done now is lost, and with it perhaps the token.
  #attempt(what: string, effect: () => void): void {
    try {
      effect();
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new InvariantError('EFFECT_FAILED', `${this.#options.site} cannot ${what}: ${reason}`, { cause });
    }
  }
}

function count(counts: Map<string, number>, type: string): void {
  counts.set(type, (counts.get(type) ?? 0) + 1);
}
