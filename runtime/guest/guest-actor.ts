import type { SiteId } from '../../machines/actor.ts';
import type { ClientEvent } from '../../machines/epoch/messages.ts';
import {
  type GuestContext,
  type GuestEffect,
  type GuestEvent,
  guestMachine,
} from '../../machines/guests/guest.ts';
import type { GuestMessage, MemberMessage } from '../../machines/guests/messages.ts';
import type { Clock } from '../api/clock.ts';
import { InvariantError, OperatingError } from '../api/errors.ts';
import type { Fence } from '../api/fence.ts';
import type { Notice } from '../api/notice.ts';
import type { LockStatus } from '../api/status.ts';
import { Driver, type DriverOwner } from '../driver/driver.ts';
import type { GrantWatch } from '../lock/grant-watch.ts';
import type { Places } from '../lock/places.ts';
import type { Row } from '../lock/row.ts';
import { type QueueOwner, WaitQueue } from '../lock/wait-queue.ts';

export interface GuestActorSetting {
  readonly self: SiteId;
  readonly clock: Clock;
  readonly maxBatch: number;
  readonly places: Places;
  readonly grants: GrantWatch;
  readonly row: Row;
  /** How long a caller that does not wait in line waits for an answer. */
  readonly answerMs: number;
  readonly notice: (notice: Notice) => void;
  readonly tally: { entered: number; lost: number };
  /** Why nobody is granted anything now; `null`: nothing is known to be in the way. */
  readonly hindrance: () => string | null;
  /** Ends the session if its lease is over. */
  readonly look: () => void;
  /** The session of now: a lock that is used first begins in it. `null`: there is none. */
  readonly session: () => { readonly member: SiteId; readonly session: number } | null;
  readonly send: (lock: string, target: SiteId, message: GuestMessage) => void;
  /** A caller uses the lock. */
  readonly activated: (actor: GuestActor) => void;
  readonly crashed: (error: InvariantError) => void;
}

const effectTypes = [
  'send',
  'grant',
  'refused',
  'lost',
  'moved',
  'unexpected',
] as const satisfies readonly GuestEffect['type'][];

const nothing: readonly GuestEvent[] = [];
const release = { type: 'release' } as const;

/** One lock at this guest: its statechart, run by a driver, and the effects of that carried out. */
export class GuestActor implements QueueOwner, DriverOwner<GuestEvent, GuestEffect, never> {
  readonly lock: string;
  readonly #setting: GuestActorSetting;
  readonly #driver: Driver<GuestEvent, GuestEffect>;
  #queue: WaitQueue | null = null;
  /** The fence of the present critical section, or of the last one. */
  #fence: Fence | null = null;
  #changedAt: number;

  /** `request`: see `GuestInput`. */
  constructor(setting: GuestActorSetting, lock: string, request: number) {
    this.lock = lock;
    this.#setting = setting;
    this.#changedAt = setting.clock.now();
    const input = { self: setting.self, request };
    this.#driver = new Driver(guestMachine, effectTypes, { id: setting.self, input }, this);
    const session = setting.session();
    if (session) this.#driver.take({ type: 'attached', ...session });
  }

  get queue(): WaitQueue {
    if (this.#queue) return this.#queue;
    this.#queue = new WaitQueue(this, this.#setting);
    this.#queue.begin();
    this.#setting.activated(this);
    return this.#queue;
  }

  get status(): LockStatus {
    const { value, context } = this.#driver.state as { value: string; context: GuestContext };
    const isInside = value === 'inCS';
    const { clock } = this.#setting;
    const heldMs = this.#queue?.heldMs ?? null;
    const { hindrance } = this;
    return {
      last: context.member,
      line: [],
      token: isInside,
      client: value,
      waiting: this.#queue?.waiting ?? 0,
      waitedMs: this.#queue?.waitedMs(100) ?? [],
      epoch: this.#fence?.epoch ?? 0,
      frozen: context.member === null,
      changedMs: Math.max(0, clock.now() - this.#changedAt),
      ...(isInside && this.#fence && { fence: this.#fence }),
      ...(heldMs !== null && { heldMs }),
      ...(hindrance !== null && { hindrance }),
    };
  }

  /** The number of the last request. */
  get request(): number {
    return (this.#driver.state.context as GuestContext).request;
  }

  /** Drops what an idle lock does without. False: the lock is in use. */
  passivate(): boolean {
    if (this.#queue?.idle) this.#queue = null;
    return this.#queue === null;
  }

  turned(): void {
    this.#queue?.turned();
  }

  /** Grants no more. Resolves when nobody holds the lock here, or after `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    await this.#queue?.drain(timeoutMs);
  }

  end(reason: Error): void {
    this.#driver.stop();
    this.#queue?.end(reason);
  }

  /** An event of the session, or of the member. */
  take(event: GuestEvent): void {
    this.#driver.take(event);
  }

  // For the queue of local callers.

  /** It cannot enter without a message, so it never tries. */
  get hasMajority(): boolean {
    return false;
  }

  get hindrance(): string | null {
    return this.#setting.hindrance();
  }

  get busy(): boolean {
    return this.#driver.busy;
  }

  dispatch(event: ClientEvent): void {
    this.#setting.look();
    const { type } = event;
    if (type === 'ask' || type === 'withdraw') this.#driver.take({ type });
    // The session may have ended just now, and the critical section with it.
    else if (type === 'release' && (this.#driver.state.value as string) === 'inCS')
      this.#driver.take(release);
  }

  releaseAndAsk(): void {
    this.#setting.look();
    // The session may have ended just now, and the critical section with it.
    const isInside = (this.#driver.state.value as string) === 'inCS';
    this.#driver.take({ type: isInside ? 'releaseAndAsk' : 'ask' });
  }

  look(): void {
    this.#setting.look();
  }

  pushed(): void {}

  waitBegan(): void {}

  waitEnded(): void {}

  // For the driver.

  due(): readonly GuestEvent[] {
    return nothing;
  }

  judge(): 'take' {
    return 'take';
  }

  refuses(): boolean {
    return false;
  }

  took(): void {
    this.#changedAt = this.#setting.clock.now();
  }

  crashed(error: InvariantError): void {
    this.#setting.crashed(error);
  }

  execute(effect: GuestEffect): void {
    const { send, tally, notice, self } = this.#setting;
    switch (effect.type) {
      case 'send':
        send(this.lock, effect.target, effect.message);
        return;
      case 'grant':
        this.#fence = effect.fence as Fence;
        tally.entered += 1;
        this.queue.grant(this.#fence);
        return;
      case 'refused':
        this.#queue?.refused(
          new OperatingError(
            'TOO_MANY_LOCKS',
            `the member of ${self} has no room for ${this.lock} (its limits.maxLocks)`,
          ),
        );
        return;
      case 'lost':
        tally.lost += 1;
        this.queue.lose(
          this.#fence!,
          'the member that held the lock for this guest has lost it, or is out of reach',
        );
        notice({ type: 'lost', lock: this.lock, fence: this.#fence! });
        return;
      case 'moved':
        notice({ type: 'moved', lock: this.lock });
        return;
      case 'unexpected':
        throw new InvariantError(
          'UNEXPECTED_EVENT',
          `no transition of the guest ${self} takes ${effect.event.type} of ${this.lock}`,
        );
      default:
        effect satisfies never;
    }
  }
}

/** The message of a member for a guest's lock. */
export type Answer = MemberMessage<Fence>;
