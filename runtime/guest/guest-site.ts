import type { SiteId } from '../../machines/actor.ts';
import type { Configuration } from '../../machines/members/configuration.ts';
import type { CallResult } from '../../machines/members/fitting.ts';
import type { Clock, Random } from '../api/clock.ts';
import { type InvariantError, OperatingError } from '../api/errors.ts';
import type { Notice } from '../api/notice.ts';
import type { Address, StampedEnvelope } from '../api/peer.ts';
import type { Viewer, WatchSession } from '../api/watch.ts';
import { GrantWatch } from '../lock/grant-watch.ts';
import { Places } from '../lock/places.ts';
import { Row } from '../lock/row.ts';
import type { GuestMailbox } from '../mailbox/tcp/guest-mailbox.ts';
import { backoffMs } from '../mailbox/tcp/reconnector.ts';
import { LiveFeed } from '../observe/live-feed.ts';
import type { Limits, Timing } from '../options/schema.ts';
import { type ByeReason, membersLock } from '../wire/frames.ts';
import { type Answer, GuestActor, type GuestActorSetting } from './guest-actor.ts';
import type { GuestTold, MembersAt } from './protocol.ts';

export interface GuestSiteOptions<Tally> {
  readonly self: SiteId;
  readonly mailbox: GuestMailbox;
  readonly clock: Clock;
  readonly random: Random;
  readonly timing: Timing;
  readonly limits: Pick<Limits, 'maxLocks' | 'maxBatch' | 'dialMinMs' | 'dialMaxMs'>;
  /** A session lasts so long without a sign of life that the member has answered, by this guest's clock. */
  readonly leaseMs: number;
  readonly tally: Tally;
  readonly notice: (notice: Notice) => void;
  /** The outcome of a call of an address, where no member serves this guest (M10). */
  readonly tried?: (address: Address, result: CallResult) => void;
  /** Whether holders lose their locks where the member reaches no majority, unless they say otherwise. Default: false. */
  readonly abortInMinority?: boolean;
  /** A session with a member has begun, and is over. */
  readonly sessionChanged?: (isAttached: boolean) => void;
  /** A member asks this guest to become one: where they listen, by their names. */
  readonly invited?: (members: Readonly<Record<SiteId, Address>>) => void;
  readonly crashed: (error: InvariantError) => void;
}

interface Counts {
  readonly sent: Map<string, number>;
  readonly received: Map<string, number>;
  entered: number;
  lost: number;
}

/** Nothing of this is recorded. */
const stamp = { seq: 0, clock: null };
/** Number of idle locks that are kept. */
const keptIdle = 1_024;
const restEveryMs = 250;

/**
 * A guest (protocol.md, section 5): its locks, and its sessions with one member after another. It has no vote and no disk, and stands
 * in no list.
 */
export class GuestSite<Tally extends Counts = Counts> {
  readonly tally: Tally;
  /** Resolves once a member has answered. */
  readonly ready: Promise<void>;
  readonly #options: GuestSiteOptions<Tally>;
  readonly #setting: GuestActorSetting;
  readonly #actors = new Map<string, GuestActor>();
  readonly #feed: LiveFeed;
  #resolveReady!: () => void;
  #rejectReady!: (reason: Error) => void;
  /** Where members may listen: by the settings or by discovery, and by what members say. */
  #given: readonly Address[] = [];
  #told: Readonly<Record<SiteId, Address>> = {};
  /** The address of the present session. */
  #at: Address | null = null;
  /** This process is a member, and its callers use that. */
  #suspended = false;
  /** The addresses that are still to be tried before the next pause. */
  #untried: Address[] = [];
  #failures = 0;
  #isPausing = false;
  #why = 'none was tried yet';
  #sessions = 0;
  /** The highest number of a request for a lock that was forgotten here. */
  #requests = 0;
  #member: SiteId | null = null;
  /** The end of the session, unless the member answers another sign of life before. */
  #leaseEnd = Number.NEGATIVE_INFINITY;
  #stopLease: (() => void) | null = null;
  #cancelAttach: (() => void) | null = null;
  #cancelRest: (() => void) | null = null;
  #closedBy: Error | null = null;
  #ended = false;

  constructor(options: GuestSiteOptions<Tally>) {
    const { self, clock, timing, limits, notice, tally } = options;
    this.#options = options;
    this.tally = tally;
    this.ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve;
      this.#rejectReady = reject;
    });
    this.ready.catch(() => undefined);
    this.#setting = {
      ...{ self, clock, notice, tally, maxBatch: limits.maxBatch, answerMs: timing.heartbeatMs },
      places: new Places(clock),
      grants: new GrantWatch(clock, options.abortInMinority),
      row: new Row(),
      hindrance: () => (this.#member === null ? `no member has answered (${this.#why})` : null),
      look: () => this.#look(),
      session: () => this.#session,
      send: (lock, target, message) => {
        const { guest: _, ...told } = message;
        this.#send(lock, target, { ...told, leaseMs: Math.ceil(options.leaseMs) } as GuestTold);
      },
      activated: () => this.#restLater(),
      crashed: (error) => this.crash(error),
    };
    this.#feed = new LiveFeed({
      ...{ site: self, machine: 'guest', peers: [], clock },
      now: () => performance.timeOrigin + clock.now(),
      count: () => this.locks,
      names: (like, most) => {
        const some = [...this.#actors.keys()].filter((lock) => lock.includes(like));
        return { some: some.slice(0, most), more: some.length > most };
      },
      row: (lock) => {
        const { epoch, frozen, token, line, waiting, waitedMs, changedMs, fence, heldMs } =
          this.#actors.get(lock)!.status;
        const held = fence === undefined || heldMs === undefined ? null : { fence, heldMs };
        return { lock, epoch, frozen, token, line, held, waiting, waitedMs, changedMs };
      },
      peek: () => null,
      stood: () => null,
    });
  }

  // As `Site` has them, for the API.

  get locks(): number {
    return this.#actors.size;
  }

  /** A member answers: it has the majority. */
  get majority(): boolean {
    return this.#member !== null;
  }

  get frozen(): number {
    return this.#member === null ? this.#actors.size : 0;
  }

  get founding(): null {
    return null;
  }

  get configuration(): Configuration | null {
    return null;
  }

  get reached(): readonly SiteId[] {
    return this.#member === null ? [] : [this.#member];
  }

  get unmet(): readonly SiteId[] {
    return this.#member === null ? ['any member'] : [];
  }

  addressOf(): null {
    return null;
  }

  get guestNames(): readonly SiteId[] {
    return [];
  }

  async change(): Promise<never> {
    throw new OperatingError(
      'NOT_A_MEMBER',
      `${this.#options.self} is a guest, and only a voter can change the members`,
    );
  }

  watch(viewer: Viewer): WatchSession {
    return this.#feed.attach(viewer);
  }

  /** Throws `TOO_MANY_LOCKS`, and why nothing is granted any more. */
  actor(name: string): GuestActor {
    if (this.#closedBy) throw this.#closedBy;
    const known = this.#actors.get(name);
    if (known) return known;
    const { limits, self } = this.#options;
    if (this.#actors.size >= limits.maxLocks) {
      const what = `${self} uses ${limits.maxLocks} locks already (limits.maxLocks); there is no room for ${name}`;
      throw new OperatingError('TOO_MANY_LOCKS', what);
    }
    const actor = new GuestActor(this.#setting, name, this.#requests);
    this.#actors.set(name, actor);
    return actor;
  }

  find(name: string): GuestActor | undefined {
    return this.#actors.get(name);
  }

  /** From now on members may listen at these addresses. */
  found(addresses: readonly Address[]): void {
    this.#given = addresses;
    if (this.#member !== null || this.#ended) return;
    // One that is new is tried at once.
    this.#untried = [];
    if (this.#isPausing) this.#attachNext();
  }

  /** Looks for a member. */
  open(): void {
    this.#attachNext();
  }

  async leave(timeoutMs: number): Promise<void> {
    if (this.#ended) return;
    this.#closedBy ??= new OperatingError(
      'SITE_LEAVING',
      'this guest is leaving; acquire in another process',
    );
    await Promise.all([...this.#actors.values()].map((actor) => actor.drain(timeoutMs)));
  }

  end(reason: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#closedBy = reason;
    this.#member = null;
    this.#rejectReady(reason);
    this.#feed.close();
    this.#stopLease?.();
    this.#cancelAttach?.();
    this.#cancelRest?.();
    this.#setting.grants.stop();
    for (const actor of this.#actors.values()) actor.end(reason);
  }

  async close(_: ByeReason, reason: Error): Promise<void> {
    this.end(reason);
    await this.#options.mailbox.close();
  }

  crash(error: InvariantError): void {
    if (this.#ended) return;
    this.end(error);
    this.#options.mailbox.abort();
    this.#options.crashed(error);
  }

  get #session() {
    return this.#member === null ? null : { member: this.#member, session: this.#sessions };
  }

  #attachNext(): void {
    this.#isPausing = false;
    this.#cancelAttach?.();
    this.#cancelAttach = null;
    if (this.#ended || (this.#suspended && !this.#isUsed)) return;
    const { mailbox, timing, clock, tried = () => {} } = this.#options;
    if (this.#untried.length === 0) this.#untried = this.#candidates();
    const address = this.#untried.shift();
    if (address === undefined) {
      this.#why = 'no address of a member is known';
      this.#pause();
      return;
    }
    let isAlive = false;
    this.#at = address;
    mailbox.attach(address, {
      // Only a member that serves guests says more.
      attached: () => {
        isAlive = true;
      },
      receive: (envelope) => this.#receive(envelope),
      answered: (sentAt) => this.#prolong(sentAt),
      over: (why, how) => {
        this.#why = `${address.host}:${address.port}: ${why}`;
        // A process that is no member ends the session at once, and says whether it knows of one.
        const isFree = how === 'left' && isAlive && this.#member === null;
        tried(address, how === 'refused' ? 'refused' : isFree ? 'free' : 'unknown');
        this.#moveOn();
      },
    });
    this.#leaseEnd = Number.NEGATIVE_INFINITY;
    this.#cancelAttach = clock.after(timing.failureTimeoutMs, () => {
      mailbox.detach();
      this.#why = `${address.host}:${address.port}: no member answered within ${timing.failureTimeoutMs} ms`;
      tried(address, 'unknown');
      this.#moveOn();
    });
  }

  /** The session is over, or did not begin. */
  #moveOn(): void {
    this.#expire();
    this.#cancelAttach?.();
    if (this.#untried.length > 0) this.#cancelAttach = this.#options.clock.after(0, () => this.#attachNext());
    else this.#pause();
  }

  /** Longer after each round in which no member has answered. */
  #pause(): void {
    const { limits, random, clock } = this.#options;
    const pauseMs = backoffMs(this.#failures, limits, random);
    this.#failures += 1;
    this.#isPausing = true;
    this.#cancelAttach = clock.after(pauseMs, () => this.#attachNext());
  }

  /** Known members first. In an order of chance, so that guests are spread over the members. */
  #candidates(): Address[] {
    const told = this.#inDisorder(Object.values(this.#told));
    const given = this.#inDisorder(this.#given);
    return [...new Map([...told, ...given].map((at) => [`${at.host} ${at.port}`, at])).values()];
  }

  #inDisorder(addresses: readonly Address[]): readonly Address[] {
    return addresses
      .map((at) => ({ at, rank: this.#options.random.fraction() }))
      .sort((one, other) => one.rank - other.rank)
      .map(({ at }) => at);
  }

  /** A caller waits, or is inside. */
  get #isUsed(): boolean {
    for (const actor of this.#actors.values()) if (!actor.passivate()) return true;
    return false;
  }

  /** From now on this process is a member, whose callers need no session; those that are here keep theirs. */
  suspend(): void {
    this.#suspended = true;
    this.#resolveReady();
    if (this.#isUsed || this.#ended) return;
    this.#options.mailbox.detach();
    this.#expire();
    this.#cancelAttach?.();
  }

  /** It is no member any more. */
  resume(): void {
    if (!this.#suspended) return;
    this.#suspended = false;
    if (this.#member === null) this.#attachNext();
  }

  /** The member serves this guest. */
  #begin(member: SiteId): void {
    this.#cancelAttach?.();
    this.#cancelAttach = null;
    this.#failures = 0;
    this.#sessions += 1;
    this.#member = member;
    for (const actor of this.#actors.values())
      actor.take({ type: 'attached', member, session: this.#sessions });
    this.#armLease();
    this.#resolveReady();
    this.#options.notice({ type: 'attached', member });
    this.#options.sessionChanged?.(true);
  }

  /** A sign of life that was sent then has been answered: so long the session lasts, at least (G3). */
  #prolong(sentAt: number): void {
    this.#leaseEnd = Math.max(this.#leaseEnd, sentAt + this.#options.leaseMs);
  }

  #armLease(): void {
    if (this.#stopLease !== null) return;
    const { clock } = this.#options;
    const expired = () => {
      this.#stopLease = null;
      if (this.#member === null) return;
      this.#look();
      if (this.#member !== null) this.#armLease();
    };
    const delayMs = Math.max(0, this.#leaseEnd - clock.now());
    this.#stopLease = clock.deadline?.(delayMs, expired) ?? clock.after(delayMs, expired);
  }

  /** Ends the session if its lease is over. */
  #look(): void {
    if (this.#member === null || this.#options.clock.now() < this.#leaseEnd) return;
    this.#why = `${this.#member} has not answered for ${Math.round(this.#options.leaseMs)} ms`;
    this.#options.mailbox.detach();
    this.#moveOn();
  }

  #expire(): void {
    if (this.#member === null) return;
    this.#member = null;
    this.#stopLease?.();
    this.#stopLease = null;
    for (const actor of this.#actors.values()) actor.take({ type: 'expired' });
    this.#options.sessionChanged?.(false);
  }

  /** Tries all addresses from now on without the pause that has grown. */
  hasten(): void {
    this.#failures = 0;
    if (this.#isPausing) this.#attachNext();
  }

  #receive({ lock, message, source }: StampedEnvelope): void {
    if (lock === membersLock && message.type === 'ADDRESSES') {
      this.#told = (message as MembersAt).addresses;
      if (this.#member === null) this.#begin(source);
      return;
    }
    this.#look();
    if (this.#member === null) return;
    if (lock === membersLock && message.type === 'INVITE') {
      this.#options.invited?.({ ...this.#told, [source]: this.#at! });
      return;
    }
    if (lock === membersLock && message.type === 'MINORITY') {
      const why = `${source} reaches no majority of the voters, and another site may hold the lock by now`;
      this.#setting.grants.majorityLost(
        new OperatingError('LOCK_LOST', `${why}. Stop, and acquire it again`),
      );
      return;
    }
    if (!isAnswer(message.type))
      throw new OperatingError('PROTOCOL_BREACH', `${source} sent ${message.type} to a guest`);
    this.#count(this.tally.received, message.type);
    // The lock was forgotten here: the message answers nothing that is asked now.
    this.#actors.get(lock)?.take(message as Answer);
  }

  #send(lock: string, target: SiteId, message: GuestTold): void {
    const { self: source, mailbox } = this.#options;
    mailbox.post({ source, target, lock, message, stamp });
    this.#count(this.tally.sent, message.type);
  }

  #count(counts: Map<string, number>, type: string): void {
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }

  #restLater(): void {
    if (this.#actors.size <= keptIdle) return;
    this.#cancelRest ??= this.#options.clock.after(restEveryMs, () => {
      this.#cancelRest = null;
      for (const [name, actor] of this.#actors) {
        if (this.#actors.size <= keptIdle) return;
        actor.turned();
        if (!actor.passivate()) continue;
        this.#requests = Math.max(this.#requests, actor.request);
        this.#actors.delete(name);
      }
      this.#restLater();
    });
  }
}

function isAnswer(type: string): boolean {
  return type === 'GRANT' || type === 'LOST' || type === 'NO_ROOM';
}
