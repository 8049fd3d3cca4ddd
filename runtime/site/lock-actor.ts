import type { AnyStateMachine, InspectionEvent, Observer } from 'xstate';
import type { NamedAction, SiteId } from '../../machines/actor.ts';
import { breachBy, breachOf, mayLeadBack } from '../../machines/epoch/breach.ts';
import { brokenInvariant, type SiteView } from '../../machines/epoch/invariants.ts';
import type {
  ClientEvent,
  DurableState,
  EpochEffect,
  Fence as EpochFence,
  MembersChange,
  SiteMessage,
  Suspicion,
} from '../../machines/epoch/messages.ts';
import type { SiteEvent, SiteInput } from '../../machines/epoch/site.ts';
import { reasonOf } from '../../machines/errors.ts';
import type { Clock } from '../api/clock.ts';
import { InvariantError, OperatingError } from '../api/errors.ts';
import type { Fence } from '../api/fence.ts';
import type { Notice } from '../api/notice.ts';
import type { StampedEnvelope } from '../api/peer.ts';
import type { LockStatus } from '../api/status.ts';
import type { Engine } from '../driver/actor.ts';
import { Driver, type DriverOwner } from '../driver/driver.ts';
import type { ElectionTrigger } from '../election/election-trigger.ts';
import { LeaseClock, type LeaseClockOptions } from '../election/lease-clock.ts';
import { VoteCollector } from '../election/vote-collector.ts';
import type { GrantWatch } from '../lock/grant-watch.ts';
import type { Places } from '../lock/places.ts';
import type { Row } from '../lock/row.ts';
import { type QueueOwner, WaitQueue } from '../lock/wait-queue.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { LockRecord, type LockRecordSetting } from '../observe/lock-record.ts';
import { NamedSource } from '../observe/source.ts';
import type { Store } from '../store/store.ts';
import type { Tally } from './tally.ts';

/** The setting that all lock actors of a site share. */
export interface LockActorSetting extends LockRecordSetting {
  readonly statechart: AnyStateMachine;
  readonly engine?: Engine;
  readonly inspect?: Observer<InspectionEvent> | ((event: InspectionEvent) => void);
  readonly tally: Tally;
  readonly clock: Clock;
  readonly mailbox: Pick<Mailbox, 'post' | 'refuse'>;
  readonly store: Store;
  /** The entry of a lock in the store. */
  readonly durable: (lock: string) => DurableState;
  /** How many local callers the token serves in a row. */
  readonly maxBatch: number;
  /** How long a caller that does not wait in line waits for an answer of the others. */
  readonly answerMs: number;
  readonly trigger: ElectionTrigger;
  /** The longest that a vote is kept back. */
  readonly graceMs: number;
  /** `null`: without leases. */
  readonly leases: Pick<LeaseClockOptions, 'leaseMs' | 'driftShare'> | null;
  readonly notice: (notice: Notice) => void;
  readonly places: Places;
  readonly grants: GrantWatch;
  readonly row: Row;
  /** Writes all pending changes to the disk. */
  readonly sync: () => void;
  /** The actor now holds something that an idle one does without. */
  readonly activated: (actor: LockActor) => void;
  /** The other members. */
  readonly peers: () => readonly SiteId[];
  /** Tells that a lock has promised `epoch`, before any message shows it. */
  readonly promised: (epoch: number) => void;
  /** Whether a peer is up, with the data that the cluster was founded with. */
  readonly isUp: (peer: SiteId) => boolean;
  /** Generation of the cluster: the first part of every fence. */
  readonly generation: () => number;
  /** Nothing of the lock but its promise counts any more (R13). */
  readonly forgotten: (actor: LockActor) => void;
  /** A peer did not take what this site sent about a lock (M5). */
  readonly unheard: (actor: LockActor, told: Unheard) => void;
  /** The reason why no lock may be granted yet; `null`: none is known. */
  readonly hindrance: () => string | null;
  /** Whether local callers may ask yet. */
  readonly begun: () => boolean;
  /** This site stood for `epoch` of a lock. */
  readonly stood: (lock: string, epoch: number, because: Suspicion) => void;
  /** A local caller waits, and no majority is in reach. */
  readonly waitsInMinority: () => void;
  readonly crashed: (error: InvariantError) => void;
}

export type Unheard = Extract<EpochEffect, { type: 'unheard' }>;

const effectTypes = [
  'send',
  'broadcast',
  'persist',
  'grant',
  'lost',
  'elected',
  'unheard',
  'forgotten',
  'leaseTimer',
  'leased',
  'leaseEnded',
  'promiseTimer',
  'promiseEnded',
  'unexpected',
] as const satisfies readonly EpochEffect['type'][];

const nothing: readonly SiteEvent[] = [];
/** Maximum number of local callers whose waiting time a status gives. */
const mostWaitsTold = 100;
const forget = { type: 'forget' } as const;

const uses = { ask: true, releaseAndAsk: true, try: true, REQUEST: true };
/** Uses without such a pause are taken as one. */
const pauseMs = 1_000;

/**
 * One lock at this site: its statechart, run by a driver, and the effects of that carried out. Local callers, the votes
 * for a candidacy and leases are here only while there are any, so that an idle lock costs little.
 */
export class LockActor implements QueueOwner, DriverOwner<SiteEvent, EpochEffect, StampedEnvelope> {
  readonly lock: string;
  /** The peer that named the lock first; `null`: this site did. */
  readonly namedBy: SiteId | null;
  readonly #setting: LockActorSetting;
  readonly #driver: Driver<SiteEvent, EpochEffect, StampedEnvelope>;
  /** It begins with the election that every name costs once names are forgotten: that is no news. */
  #isBeginning: boolean;
  readonly #record: LockRecord;
  #queue: WaitQueue | null = null;
  #votes: VoteCollector | null = null;
  #leases: LeaseClock | null = null;
  /** Whether this lock ever had a lease. */
  #leased = false;
  /** When the last event but `forget` was taken, in whole milliseconds of the site's clock. */
  #changedAt: number;
  /** Whether the lock was asked for, then not for a while, and then again. */
  isUsedAgain = false;

  constructor(
    setting: LockActorSetting,
    lock: string,
    peers: readonly SiteId[],
    input: SiteInput,
    namedBy: SiteId | null = null,
  ) {
    const { site, statechart, recorder, inspect, engine } = setting;
    this.lock = lock;
    this.namedBy = namedBy;
    this.#isBeginning = input.forgotten ?? false;
    this.#setting = setting;
    this.#changedAt = Math.floor(setting.clock.now());
    this.#record = new LockRecord(setting, lock);
    const source = inspect && new NamedSource(inspect, () => this.#driver?.cause?.source ?? null);
    const options = {
      id: site,
      input,
      ...(engine && { engine }),
      ...(source && { inspect: source.inspect }),
    };
    this.#driver = new Driver(statechart, effectTypes, options, this);
    if (recorder.active) this.#record.start(input, peers, this);
    this.#driver.start();
  }

  /** The local callers. */
  get queue(): WaitQueue {
    if (this.#queue) return this.#queue;
    this.#queue = new WaitQueue(this, this.#setting);
    if (this.#setting.begun()) this.#queue.begin();
    this.#setting.activated(this);
    return this.#queue;
  }

  /** The statechart's state. It changes with the next event. */
  get state(): SiteView {
    return this.#driver.state as SiteView;
  }

  /** A copy of the state. */
  get snapshot(): SiteView {
    return this.#driver.snapshot as SiteView;
  }

  /** The number of the last event. */
  get seq(): number {
    return this.#record.seq;
  }

  /** Local callers wait for a grant. */
  get waits(): boolean {
    return this.#queue?.waits ?? false;
  }

  get waiting(): number {
    return this.#queue?.waiting ?? 0;
  }

  /** The state of this lock here, for a person to read. */
  get status(): LockStatus {
    const { value, context } = this.snapshot;
    const { last, line, token, epoch, fence } = context;
    const heldMs = this.#queue?.heldMs ?? null;
    const { hindrance } = this;
    // To callers, a section ends as it is released.
    const isOver = this.#queue?.lingers ?? false;
    return {
      last,
      line,
      token,
      client: isOver ? 'idle' : value.client,
      waiting: this.waiting,
      waitedMs: this.#queue?.waitedMs(mostWaitsTold) ?? [],
      epoch,
      frozen: value.epoch !== 'following',
      changedMs: Math.max(0, this.#setting.clock.now() - this.#changedAt),
      ...(fence && !isOver && { fence: this.#fence(fence) }),
      ...(heldMs !== null && { heldMs }),
      ...(hindrance !== null && { hindrance }),
    };
  }

  /** The votes that this site waits for as a candidate. */
  get votes(): VoteCollector | null {
    return this.#votes;
  }

  /** How long the lease lasts under which this site may be inside, in ms; `null`: there are no leases. */
  get leaseLeftMs(): number | null {
    return this.#setting.leases && (this.#leases?.leftMs ?? 0);
  }

  /** From now on local callers may ask. */
  begin(): void {
    this.#queue?.begin();
  }

  /** Grants no more. Resolves when nobody holds the lock here, or after `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    await this.#queue?.drain(timeoutMs);
  }

  /** Fails the callers that wait: they would wait in vain. */
  refuse(reason: OperatingError): void {
    this.#queue?.refuse(reason);
  }

  /** A turn of the event loop has begun since the callers asked last. */
  turned(): void {
    this.#queue?.turned();
  }

  /** Drops what an idle lock does without. False: the lock is not idle. */
  passivate(): boolean {
    if (this.#queue?.idle) this.#queue = null;
    if (this.#votes?.idle) this.#votes = null;
    if (this.#leases?.idle) {
      this.#leased = this.#leases.begun;
      this.#leases = null;
    }
    return this.#queue === null && this.#leases === null && this.#votes === null;
  }

  /** Whether no event but `forget` has come for `ms`. */
  isUnused(ms: number): boolean {
    return this.#setting.clock.now() - this.#changedAt >= ms;
  }

  /** Nobody has used the lock for long. */
  forget(): void {
    this.#driver.take(forget);
  }

  /** Takes a message of a peer. */
  receive(envelope: StampedEnvelope): void {
    if (this.#votes) this.#votes.arrive(envelope);
    else this.#driver.take(envelope.message as SiteMessage, envelope);
  }

  /** This site stands for a new epoch. */
  suspect(because: Suspicion): void {
    const { tally, notice } = this.#setting;
    tally.suspicions += 1;
    if (!this.#isBeginning) notice({ type: 'suspected', lock: this.lock, because });
    const before = this.snapshot.context.promised;
    this.#driver.take({ type: 'suspect', because });
    const { promised } = this.snapshot.context;
    if (promised > before) this.#setting.stood(this.lock, promised, because);
  }

  /** The voters have changed. */
  configured(change: MembersChange): void {
    this.#driver.take(change);
  }

  /** The messages under way between this site and `peer` are lost. */
  linkRestarted(peer: SiteId): void {
    this.#record.linkRestarted(peer);
  }

  /** Takes no event and grants nothing any more. */
  end(reason: Error): void {
    this.#votes?.stop();
    this.#leases?.stop();
    this.#driver.stop();
    this.#queue?.end(reason);
  }

  // For the queue of local callers.

  get hasMajority(): boolean {
    return this.#setting.trigger.majority;
  }

  get hindrance(): string | null {
    return this.#setting.hindrance();
  }

  get busy(): boolean {
    return this.#driver.busy;
  }

  dispatch(event: ClientEvent): void {
    if (event.type === 'ask' || event.type === 'releaseAndAsk') this.#leaseClock?.update();
    else if (event.type === 'release') this.#leases?.update();
    this.#driver.take(event);
    if (event.type === 'try' && this.#isBeginning) this.#bringBack();
  }

  /** The token of a lock that was forgotten is nowhere, so that a site that only tries would try in vain for ever. */
  #bringBack(): void {
    const { clock, answerMs } = this.#setting;
    clock.nextTurn(() => {
      if (!this.#isBeginning || this.queue.wanted) return;
      this.queue
        .run(() => undefined, { timeoutMs: answerMs })
        .catch((error: unknown) => {
          // The next try begins anew.
          // A broken invariant has ended the site, which tells of it.
          if (!(error instanceof OperatingError || error instanceof InvariantError)) throw error;
        });
    });
  }

  pushed(): void {
    if (!this.hasMajority) this.#setting.waitsInMinority();
  }

  look(): void {
    if (this.#leases) this.#driver.take(null);
  }

  waitBegan(): void {
    const because = this.#setting.trigger.asked(this.lock);
    if (because !== null) this.suspect(because);
  }

  waitEnded(): void {
    this.#setting.trigger.settled(this.lock);
    this.#leases?.update();
  }

  // For the driver.

  due(): readonly SiteEvent[] {
    return this.#leases?.due() ?? nothing;
  }

  // A message that no correct peer sends is not taken: it is lost with the link, as the protocol takes any to be.

  judge(_: SiteEvent, envelope: StampedEnvelope): 'refuse' | 'try' | 'take' {
    const message = envelope.message as SiteMessage;
    const { context } = this.#driver.state as SiteView;
    const breach = breachOf(message, envelope.source, context);
    if (breach === null) return mayLeadBack(message, context) ? 'try' : 'take';
    this.#refuse(envelope, breach);
    return 'refuse';
  }

  refuses(_: SiteEvent, envelope: StampedEnvelope, effects: readonly EpochEffect[]): boolean {
    const breach =
      effects[0]?.type === 'unexpected'
        ? `no transition takes it in ${JSON.stringify(this.snapshot)}`
        : breachBy(effects);
    if (breach === null) return false;
    this.#refuse(envelope, breach);
    return true;
  }

  took(event: SiteEvent, envelope: StampedEnvelope | null, effects: readonly EpochEffect[]): void {
    const { site, tally, clock } = this.#setting;
    // The sweep's own question is no use of the lock.
    if (event.type !== 'forget') {
      const now = clock.now();
      if (event.type in uses && now - this.#changedAt >= pauseMs) this.isUsedAgain = true;
      this.#changedAt = Math.floor(now);
    }
    this.#record.event(event, envelope, effects as readonly NamedAction[], this);
    const broken = brokenInvariant(this.#driver.state as SiteView);
    if (broken !== null)
      throw new InvariantError('INVARIANT_BROKEN', `${site} after ${event.type}: ${broken}`);
    if (envelope) count(tally.received, event.type);
  }

  execute(effect: EpochEffect): void {
    switch (effect.type) {
      case 'send':
        this.#send(effect.target, effect.message);
        return;
      case 'broadcast':
        for (const peer of this.#setting.peers()) this.#send(peer, effect.message);
        return;
      case 'persist':
        this.#persist(effect);
        return;
      case 'grant':
        this.#sync();
        this.#setting.tally.entered += 1;
        this.queue.grant(this.#fence(effect.fence));
        this.#leases?.update();
        return;
      case 'lost':
        this.#sync();
        this.#lose(this.#fence(effect.fence));
        return;
      case 'elected': {
        this.#sync();
        const { epoch, root } = effect;
        this.#setting.tally.elections += 1;
        if (!this.#isBeginning) this.#setting.notice({ type: 'elected', lock: this.lock, epoch, root });
        return;
      }
      case 'forgotten':
        this.#setting.forgotten(this);
        return;
      case 'unheard':
        this.#setting.unheard(this, effect);
        return;
      case 'leaseTimer':
      case 'leased':
      case 'leaseEnded':
      case 'promiseTimer':
      case 'promiseEnded':
        this.#leaseClock?.take(effect);
        return;
      case 'unexpected':
        throw new InvariantError(
          'UNEXPECTED_EVENT',
          `no transition of ${this.#setting.site} takes ${effect.event.type} in ${JSON.stringify(this.snapshot)}`,
        );
      default:
        effect satisfies never;
    }
  }

  crashed(error: InvariantError): void {
    this.#setting.crashed(error);
  }

  #refuse(envelope: StampedEnvelope, breach: string): void {
    const { site, mailbox } = this.#setting;
    const { source, message } = envelope;
    const what = `${source} breaks the protocol of ${this.lock} by ${JSON.stringify(message)}: ${breach}`;
    const next = `${site} does not take it and begins anew with ${source}; update ${source}, or find out what runs there`;
    mailbox.refuse(envelope, new OperatingError('PROTOCOL_BREACH', `${what}; ${next}`));
  }

  #send(target: SiteId, message: SiteMessage): void {
    const { site: source, mailbox, tally } = this.#setting;
    const envelope = { source, target, lock: this.lock, message, stamp: this.#record.stamp };
    if (message.type === 'VOTE_REQUEST') this.#collectVotes(envelope);
    try {
      mailbox.post(envelope);
    } catch (cause) {
      throw this.#failed(`send ${message.type} to ${target}`, cause);
    }
    count(tally.sent, message.type);
  }

  #collectVotes(request: StampedEnvelope): void {
    this.#votes ??= new VoteCollector({
      graceMs: this.#setting.graceMs,
      isUp: this.#setting.isUp,
      clock: this.#setting.clock,
      deliver: (kept) => this.#driver.take(kept.message as SiteMessage, kept),
      closed: () => {
        this.#votes = null;
      },
    });
    this.#votes.sent(request);
    this.#setting.activated(this);
  }

  #persist({ promised, epoch, root }: DurableState): void {
    const { store, trigger, durable, notice, promised: promisedHere } = this.#setting;
    const before = durable(this.lock);
    try {
      store.put(this.lock, { promised, epoch, root });
    } catch (cause) {
      throw this.#failed('keep what it promised', cause);
    }
    promisedHere(promised);
    trigger.persisted(this.lock, before);
    if (epoch === before.epoch) return;
    if (!this.#isBeginning) notice({ type: 'adopted', lock: this.lock, epoch, root });
    this.#isBeginning = false;
  }

  #lose(fence: Fence): void {
    this.#setting.tally.lost += 1;
    this.queue.lose(fence);
    this.#leases?.update();
    this.#setting.notice({ type: 'lost', lock: this.lock, fence });
  }

  #fence({ epoch, k }: EpochFence): Fence {
    return { generation: this.#setting.generation(), epoch, k };
  }

  /** Local callers hear of nothing that the disk does not have. */
  #sync(): void {
    try {
      this.#setting.sync();
    } catch (cause) {
      throw this.#failed('sync its disk', cause);
    }
  }

  // The statechart is already past the effect. An effect that cannot be carried out is lost, and perhaps the token with it.
  #failed(what: string, cause: unknown): InvariantError {
    const reason = reasonOf(cause);
    return new InvariantError('EFFECT_FAILED', `${this.#setting.site} cannot ${what}: ${reason}`, { cause });
  }

  /** `null` without leases. */
  get #leaseClock(): LeaseClock | null {
    const { leases, clock } = this.#setting;
    if (!leases || this.#leases) return this.#leases;
    this.#leases = new LeaseClock({
      ...leases,
      clock,
      hasLeased: this.#leased,
      wanted: () => this.#queue?.wanted ?? false,
      wake: () => this.#driver.take(null),
    });
    this.#setting.activated(this);
    return this.#leases;
  }
}

function count(counts: Map<string, number>, type: string): void {
  counts.set(type, (counts.get(type) ?? 0) + 1);
}
