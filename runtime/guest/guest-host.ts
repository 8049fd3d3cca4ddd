import type { SiteId } from '../../machines/actor.ts';
import type { GuestMessage, Request } from '../../machines/guests/messages.ts';
import type { Standing } from '../../machines/members/fitting.ts';
import type { Clock, Random } from '../api/clock.ts';
import { type InvariantError, OperatingError } from '../api/errors.ts';
import type { Address, PeerChange, StampedEnvelope } from '../api/peer.ts';
import type { AttachedGuests, GuestHandlers, Mailbox } from '../mailbox/mailbox.ts';
import { membersLock } from '../wire/frames.ts';
import {
  type GuestTold,
  type Invitation,
  type MembersAt,
  type MemberTold,
  type Minority,
  memberWaitMs,
} from './protocol.ts';
import { type HostedLock, LockProxy, type ProxyOwner } from './proxy.ts';

export interface GuestHostOptions {
  readonly self: SiteId;
  readonly mailbox: Mailbox;
  readonly attached: AttachedGuests;
  readonly clock: Clock;
  /** How far any clock may be off its rate, as a share of it. */
  readonly driftShare: number;
  /** The most locks that one guest may ask for at a time. */
  readonly maxLocks: number;
  /** The lock of this name. Throws why this site has none. */
  readonly lock: (name: string) => HostedLock;
  /** Can this site serve guests? It is a member, and it has not been without a majority for long. */
  readonly serves: () => boolean;
  /** Where processes become members by themselves. */
  readonly fits?: {
    /** Number of voters that are missing, so that guests are asked to become members. */
    vacancies(): number;
    /** Another process has called, which is to be answered by `answer`; where it listens. */
    called(guest: SiteId, at: Address | null): void;
    /** It is time to `invite` some of these guests. */
    inviteDue(guests: readonly SiteId[]): void;
  };
  readonly random: Random;
  /** Where the members listen. */
  readonly addresses: () => Readonly<Record<SiteId, Address>>;
  readonly crashed: (error: InvariantError) => void;
}

/** A guest that is attached, and its session. */
interface Attached {
  session: number;
  leaseMs: number;
  /** Sessions up to this one are over; their messages are late. */
  over: number;
  readonly locks: Set<LockProxy>;
  stopTimer: (() => void) | null;
}

/** Nothing of this is recorded. */
const stamp = { seq: 0, clock: null };
/** How often guests are asked to become members, while any is missing. */
const inviteEveryMs = 300;
/** Bounds on the lease that a guest may ask for. */
const leases = { least: 10, most: 3_600_000 };

/** This member's guests (protocol.md, section 5): their sessions, and for each lock that they use a proxy. */
export class GuestHost implements GuestHandlers, ProxyOwner {
  readonly #options: GuestHostOptions;
  readonly #guests = new Map<SiteId, Attached>();
  readonly #proxies = new Map<string, LockProxy>();
  #stopInviting: (() => void) | null = null;
  #stopped = false;

  constructor(options: GuestHostOptions) {
    this.#options = options;
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  /** Throws the reason for which the guest's connection is closed: `PROTOCOL_BREACH`. */
  receive({ source, lock, message }: StampedEnvelope): void {
    if (this.#stopped) return;
    if (lock === membersLock || (message.type !== 'ASK' && message.type !== 'RELEASE'))
      throw breach(source, `a guest sends ASK and RELEASE of a lock alone, and it sent ${message.type}`);
    const { leaseMs, ...told } = message as GuestTold;
    if (leaseMs < leases.least || leaseMs > leases.most)
      throw breach(source, `a lease is ${leases.least} to ${leases.most} ms, and it asked for ${leaseMs}`);
    const guest = this.#guest(source);
    // The member ended it by the guest's lease.
    if (told.session <= guest.over) return;
    // The guest has ended its last session, or it would not say so.
    if (told.session > guest.session) this.#endSession(source, guest, guest.session);
    if (told.session < guest.session) return;
    guest.session = told.session;
    guest.leaseMs = leaseMs;
    const proxy = this.#proxies.get(lock) ?? this.#open(lock);
    if (told.type === 'ASK' ? proxy.has(source) : told.again && proxy.waits(source))
      throw breach(source, `it asks for ${lock} again before it was granted or has withdrawn`);
    const isFull = told.type === 'ASK' && guest.locks.size >= this.#options.maxLocks;
    proxy.take({ ...told, guest: source } as GuestMessage, isFull);
    this.#watch(source, guest);
    // Not within the call of the one that is dismissed.
    if (!this.#options.serves()) this.#options.clock.nextTurn(() => this.#sendOn(source, guest));
  }

  peerChanged(change: PeerChange): void {
    if (this.#stopped) return;
    const { peer } = change;
    if (change.type !== 'down') {
      const { fits, serves, attached } = this.#options;
      if (fits) fits.called(peer, attached.addressOf(peer));
      else this.answer(peer, serves() ? 'member' : 'free');
      return;
    }
    const guest = this.#guests.get(peer);
    // It has said that its session is over.
    if (guest && (change.why === 'left' || change.why === 'closed'))
      this.#endSession(peer, guest, guest.session);
    if (guest?.locks.size) return;
    this.#guests.delete(peer);
    // Not within the call of the one that is removed.
    this.#options.clock.nextTurn(() => this.#forget(peer));
  }

  /** Serves a guest, or tells it that this process is no member (M10). */
  answer(guest: SiteId, as: Standing): void {
    if (this.#stopped) return;
    if (as !== 'member' || !this.#options.serves()) {
      this.#options.attached.dismiss(guest, as === 'free' ? 'left' : 'closed');
      return;
    }
    this.#tell(guest);
    this.inviteLater();
  }

  /** Asks a guest to become a member (M11). */
  invite(target: SiteId): void {
    const { mailbox, self: source } = this.#options;
    const message: Invitation = { type: 'INVITE' };
    if (!this.#stopped && mailbox.isUp(target))
      mailbox.post({ source, target, lock: membersLock, message, stamp });
  }

  /** In strict mode the guest's lease ends before this member's (G3). */
  answers(guest: SiteId): boolean {
    const attached = this.#guests.get(guest);
    if (!attached) return true;
    const waitMs = this.waitMs(guest);
    for (const proxy of attached.locks) if (proxy.holdsFor(guest) && !proxy.outlasts(waitMs)) return false;
    return true;
  }

  /** The guests that are connected, in the order of their names. */
  get names(): readonly SiteId[] {
    return [...this.#guests.keys()].filter((guest) => this.#options.mailbox.isUp(guest)).sort();
  }

  /** Number of guests that can become members. */
  get able(): number {
    return this.#able.length;
  }

  /** The members have changed. */
  tellAll(): void {
    for (const guest of this.#guests.keys()) if (this.#options.mailbox.isUp(guest)) this.#tell(guest);
    this.inviteLater();
  }

  /** This site is a member no more. */
  dismissAll(): void {
    for (const guest of this.#guests.keys()) this.#options.attached.dismiss(guest);
  }

  /** No majority has been in reach for long: guests do better with another member. */
  majorityLost(): void {
    for (const [id, guest] of this.#guests) this.#sendOn(id, guest);
  }

  /** This site grants no more: guests that hold nothing here are free to go. */
  dismissIdle(): void {
    for (const [guest, { locks }] of this.#guests)
      if (locks.size === 0) this.#options.attached.dismiss(guest);
  }

  stop(): void {
    this.#stopped = true;
    this.#stopInviting?.();
    for (const { stopTimer } of this.#guests.values()) stopTimer?.();
    for (const proxy of this.#proxies.values()) proxy.stop();
  }

  /** The guests that can become members. */
  get #able(): readonly SiteId[] {
    const { attached, mailbox } = this.#options;
    return [...this.#guests.keys()].filter((guest) => mailbox.isUp(guest) && attached.listens(guest));
  }

  /** Asks guests to become members while any is missing: at random, so that voters seldom ask more than are missing. */
  inviteLater(): void {
    const { fits, clock, random } = this.#options;
    if (this.#stopped || this.#stopInviting || !fits || fits.vacancies() === 0) return;
    this.#stopInviting = clock.after(inviteEveryMs * (1 - random.fraction() / 2), () => {
      this.#stopInviting = null;
      if (!this.#options.serves()) return;
      const able = this.#able;
      const from = Math.floor(random.fraction() * able.length);
      fits.inviteDue([...able.slice(from), ...able.slice(0, from)]);
      if (able.length > 0) this.inviteLater();
    });
  }

  // For proxies.

  lock(name: string): HostedLock {
    return this.#options.lock(name);
  }

  waitMs(guest: SiteId): number {
    return memberWaitMs(this.#guests.get(guest)?.leaseMs ?? leases.most, this.#options.driftShare);
  }

  send(target: SiteId, lock: string, message: MemberTold): void {
    const { self: source, mailbox } = this.#options;
    mailbox.post({ source, target, lock, message, stamp });
  }

  cannotServe({ guest }: Request): void {
    if (!this.#stopped) this.#options.attached.dismiss(guest);
  }

  used(guest: SiteId, proxy: LockProxy, isUsed: boolean): void {
    const locks = this.#guests.get(guest)?.locks;
    if (isUsed) locks?.add(proxy);
    else locks?.delete(proxy);
  }

  idle(proxy: LockProxy): void {
    this.#proxies.delete(proxy.name);
  }

  crashed(error: InvariantError): void {
    this.#options.crashed(error);
  }

  /** Sends the guest to another member, unless it holds a lock here: then it is told why it should not. */
  #sendOn(target: SiteId, guest: Attached): void {
    const { self: source, mailbox, attached } = this.#options;
    if (this.#stopped || this.#options.serves() || !mailbox.isUp(target)) return;
    if ([...guest.locks].some((proxy) => proxy.holdsFor(target))) {
      const message: Minority = { type: 'MINORITY' };
      mailbox.post({ source, target, lock: membersLock, message, stamp });
    } else attached.dismiss(target, 'closed');
  }

  #guest(id: SiteId): Attached {
    const known = this.#guests.get(id);
    if (known) return known;
    const guest: Attached = { session: 0, leaseMs: 0, over: 0, locks: new Set(), stopTimer: null };
    this.#guests.set(id, guest);
    return guest;
  }

  #open(lock: string): LockProxy {
    const proxy = new LockProxy(lock, this);
    this.#proxies.set(lock, proxy);
    return proxy;
  }

  #tell(guest: SiteId): void {
    const { self: source, mailbox, addresses } = this.#options;
    this.#guest(guest);
    const message: MembersAt = { type: 'ADDRESSES', addresses: addresses() };
    mailbox.post({ source, target: guest, lock: membersLock, message, stamp });
  }

  /** Ends the session when no sign of life has come for as long as its lease lasts (G3). */
  #watch(id: SiteId, guest: Attached): void {
    if (this.#stopped || guest.stopTimer !== null || guest.locks.size === 0) return;
    const leftMs = this.waitMs(id) - this.#options.attached.silenceMs(id);
    if (leftMs > 0) {
      guest.stopTimer = this.#options.clock.after(leftMs, () => {
        guest.stopTimer = null;
        this.#watch(id, guest);
      });
      return;
    }
    this.#endSession(id, guest, guest.session);
    if (!this.#options.mailbox.isUp(id)) this.#forget(id);
  }

  #endSession(id: SiteId, guest: Attached, session: number): void {
    guest.over = Math.max(guest.over, session);
    for (const proxy of [...guest.locks]) proxy.take({ type: 'sessionEnded', guest: id, session });
    guest.stopTimer?.();
    guest.stopTimer = null;
  }

  #forget(guest: SiteId): void {
    if (this.#stopped || this.#guests.get(guest)?.locks.size || this.#options.mailbox.isUp(guest)) return;
    this.#guests.delete(guest);
    this.#options.mailbox.remove(guest);
  }
}

function breach(guest: SiteId, what: string): OperatingError {
  return new OperatingError('PROTOCOL_BREACH', `the guest ${guest} breaks the protocol: ${what}`);
}
