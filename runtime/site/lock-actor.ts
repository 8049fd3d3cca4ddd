import type { Message } from '../../machines/actor.ts';
import type { DurableState, Fence, LeaseEffect } from '../../machines/epoch/messages.ts';
import type { ClientEvent } from '../../machines/naimi-trehel/messages.ts';
import type { Clock } from '../api/clock.ts';
import type { InvariantError, OperatingError } from '../api/errors.ts';
import { Driver, type DriverSetting, type DriverStart, type Elected } from '../driver/driver.ts';
import { LeaseClock, type LeaseClockOptions } from '../election/lease-clock.ts';
import type { Suspicion } from '../election/suspicion.ts';
import { VoteCollector, type VoteCollectorOptions } from '../election/vote-collector.ts';
import { type Client, WaitQueue } from '../lock/wait-queue.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { Notice } from '../options/index.ts';
import type { Store } from '../store/store.ts';
import type { StampedEnvelope } from '../wire/frames.ts';
import type { Tally } from './tally.ts';

/** What the places of a site have in common. */
export interface LockActorSetting extends DriverSetting {
  readonly tally: Tally;
  readonly clock: Clock;
  readonly mailbox: Mailbox;
  readonly store: Store;
  /** How many callers a token serves in a row. */
  readonly combine: number;
  /** Where failures are survived. */
  readonly suspicion: Suspicion | null;
  readonly ballots: Pick<VoteCollectorOptions, 'graceMs' | 'inReach'>;
  /** `null`: without leases. */
  readonly leases: Pick<LeaseClockOptions, 'leaseMs' | 'driftShare'> | null;
  readonly notice: (notice: Notice) => void;
  readonly sync: () => void;
  /** It has something now that it does not need when it is idle. */
  readonly woke: (place: LockActor) => void;
  /** May its callers ask? */
  readonly begun: () => boolean;
  readonly crashed: (error: InvariantError) => void;
}

const nothing: readonly Message[] = [];

/**
 * One lock at this site: its actor, and what stands around it. While it is idle, that is nothing: callers, votes and
 * leases are here only while there are any.
 */
export class LockActor extends Driver implements Client {
  declare protected readonly setting: LockActorSetting;
  #callers: WaitQueue | null = null;
  #ballot: VoteCollector | null = null;
  #leases: LeaseClock | null = null;
  /** It has had a lease. */
  #leased = false;
  #epoch: number;
  /** The client has asked, and was not granted. */
  #waits = false;
  /** The suspicion knows that it waits. */
  #watched = false;

  constructor(setting: LockActorSetting, start: DriverStart, epoch: number) {
    super(setting, start);
    this.#epoch = epoch;
  }

  /** Local callers. */
  get callers(): WaitQueue {
    if (this.#callers) return this.#callers;
    this.#callers = new WaitQueue(this, this.setting);
    if (this.setting.begun()) this.#callers.begin();
    this.setting.woke(this);
    return this.#callers;
  }

  get waiting(): number {
    return this.#callers?.waiting ?? 0;
  }

  get hasMajority(): boolean {
    return this.setting.suspicion?.majority ?? true;
  }

  /** From now on callers may ask. */
  beginCallers(): void {
    this.#callers?.begin();
  }

  /** Grants no more. Resolves when nobody holds the lock here, or after `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    await this.#callers?.drain(timeoutMs);
  }

  /** Another turn of the event loop has begun since its callers were here last. */
  turned(): void {
    this.#callers?.turned();
  }

  /** Drops what an idle lock does not need; false when it is not idle. */
  rest(): boolean {
    if (this.#callers?.idle) this.#callers = null;
    if (this.#ballot?.idle) this.#ballot = null;
    if (this.#leases?.idle) {
      this.#leased = this.#leases.begun;
      this.#leases = null;
    }
    return this.#callers === null && this.#leases === null && this.#ballot === null;
  }

  /** A message of a peer. */
  receive(envelope: StampedEnvelope): void {
    if (this.#ballot) this.#ballot.arrive(envelope);
    else this.deliver(envelope);
  }

  suspect(): void {
    const { tally, notice } = this.setting;
    tally.suspicions += 1;
    notice({ type: 'suspected', lock: this.lock });
    this.tell({ type: 'suspect' });
  }

  /** The votes that this site as a candidate waits for. */
  get ballot(): VoteCollector | null {
    return this.#ballot;
  }

  /** Whoever waits is told why it waits in vain. */
  refuse(reason: OperatingError): void {
    this.#callers?.refuse(reason);
  }

  /** Nothing is taken or granted any more. */
  end(reason: Error): void {
    this.#ballot?.stop();
    this.#leases?.stop();
    this.stop();
    this.#callers?.end(reason);
  }

  /** By its callers. */
  say(event: ClientEvent): void {
    const { type } = event;
    if (type === 'ask') this.#leaseClock?.client(true);
    if (type === 'release' || type === 'withdraw') this.#leases?.client(false);
    if (type === 'withdraw') this.#settled();
    if (type !== 'ask') {
      this.tell(event);
      return;
    }
    this.#waits = true;
    // Who is granted at once has not waited for anybody.
    const first = !this.hasMajority;
    if (first) this.#watch();
    this.tell(event);
    if (!first && this.#waits) this.#watch();
  }

  sayNow(event: ClientEvent): boolean {
    if (this.busy) return false;
    // A minority grants nothing: who asks there is suspected first, and so waits.
    const enters = event.type === 'again' || event.type === 'try';
    if (enters && !this.hasMajority) return false;
    this.say(event);
    return true;
  }

  #watch(): void {
    const { suspicion } = this.setting;
    if (!suspicion) return;
    this.#watched = true;
    if (suspicion.asked(this.lock)) this.suspect();
  }

  #settled(): void {
    this.#waits = false;
    if (!this.#watched) return;
    this.#watched = false;
    this.setting.suspicion?.settled(this.lock);
  }

  get #leaseClock(): LeaseClock | null {
    const { leases, clock } = this.setting;
    if (!leases || this.#leases) return this.#leases;
    this.#leases = new LeaseClock({ ...leases, clock, begun: this.#leased, wake: () => this.wake() });
    this.setting.woke(this);
    return this.#leases;
  }

  protected post(envelope: StampedEnvelope): void {
    if (envelope.message.type === 'VOTE_REQUEST') this.#stand(envelope);
    this.setting.mailbox.post(envelope);
  }

  #stand(envelope: StampedEnvelope): void {
    this.#ballot ??= new VoteCollector({
      ...this.setting.ballots,
      clock: this.setting.clock,
      deliver: (kept) => this.deliver(kept),
      closed: () => {
        this.#ballot = null;
      },
    });
    this.#ballot.sent(envelope);
    this.setting.woke(this);
  }

  protected persist(disk: DurableState): void {
    const { store, suspicion, notice } = this.setting;
    store.put(this.lock, disk);
    suspicion?.persisted(this.lock, disk);
    if (disk.epoch === this.#epoch) return;
    this.#epoch = disk.epoch;
    notice({ type: 'adopted', lock: this.lock, epoch: disk.epoch, root: disk.root });
  }

  protected sync(): void {
    this.setting.sync();
  }

  protected grant(fence: Fence | null): void {
    this.setting.tally.entered += 1;
    this.#settled();
    // One that was tried for has not been asked for.
    this.#leases?.client(true);
    this.callers.grant(fence);
  }

  protected lose(fence: Fence): void {
    const { tally, notice } = this.setting;
    tally.lost += 1;
    // It may have asked again since it was lost.
    this.#leases?.client(this.#waits);
    this.callers.lose(fence);
    notice({ type: 'lost', lock: this.lock, fence });
  }

  protected elected({ epoch, root }: Elected): void {
    const { tally, notice } = this.setting;
    tally.elections += 1;
    notice({ type: 'elected', lock: this.lock, epoch, root });
  }

  protected left(): void {
    this.callers.left();
  }

  protected lease(effect: LeaseEffect): void {
    this.#leaseClock?.take(effect);
  }

  protected due(): readonly Message[] {
    return this.#leases?.due() ?? nothing;
  }

  protected breached(envelope: StampedEnvelope, error: OperatingError): void {
    this.setting.mailbox.refuse(envelope, error);
  }

  protected crashed(error: InvariantError): void {
    this.setting.crashed(error);
  }
}
