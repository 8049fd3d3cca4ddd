import type { AnyStateMachine } from 'xstate';
import type { SiteId } from '../../machines/actor.ts';
import { reasonOf } from '../../machines/errors.ts';
import { breachOf } from '../../machines/members/breach.ts';
import {
  type Change,
  type Configuration,
  changed,
  compare,
  idOf,
  isChange,
  isQuorum,
  isRewritten,
  nameOf,
  voterOf,
} from '../../machines/members/configuration.ts';
import { type MembersContext, membersMachine } from '../../machines/members/members.ts';
import type {
  MembersDisk,
  MembersEffect,
  MembersEvent,
  MembersMessage,
} from '../../machines/members/messages.ts';
import type { Clock, Random } from '../api/clock.ts';
import { InvariantError, OperatingError } from '../api/errors.ts';
import type { Address, StampedEnvelope } from '../api/peer.ts';
import { Driver, type DriverOwner } from '../driver/driver.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { Timing } from '../options/schema.ts';
import type { MembersRecord } from '../store/content.ts';
import type { Store } from '../store/store.ts';
import { membersLock } from '../wire/frames.ts';
import { type Addresses, type MembersTold, membersLayout } from './protocol.ts';

/** A change that an operator or a site wants: the site of this name is to be a voter, or none of that name is. */
export type WantedChange = { readonly add: SiteId } | { readonly remove: SiteId };

export interface MembersActorSetting {
  readonly self: SiteId;
  /** Default: `membersMachine`. A test gives a mutant. */
  readonly statechart?: AnyStateMachine;
  readonly mailbox: Mailbox;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly timing: Timing;
  /** The id of the data with which a peer was met last; `null`: it was not. */
  readonly dataOf: (peer: SiteId) => string | null;
  /** The same of one that is up; `null`: it is not. */
  readonly idOf: (peer: SiteId) => string | null;
  /** Where this site listens for others; `null`: they find it without. */
  readonly address: () => Address | null;
  /** How long a coordinator waits before each change: a promise of strict mode, which must be over by then; else 0. */
  readonly settleMs: number;
  /** Does this site ask to be added where it is no voter? */
  readonly asks: () => boolean;
  /** With this number of voters, no site is added unless an operator asks. */
  readonly mostVoters: () => number;
  /** Does this site make the changes that it plans at once, since it is going to leave? */
  readonly hastens: () => boolean;
  /** The least number of voters that remain when one is removed without an operator's word. */
  readonly leastVoters: number;
  /** Time in ms after which a voter that is down is removed; `null`: never. */
  readonly removeAfterMs: number | null;
  /**
   * From now on this is the configuration here. `joins`: this site had no part in the one before. `isRemoved`: this site was a member in
   * this run, and is none any more.
   */
  readonly configured: (configuration: Configuration, joins: boolean, isRemoved: boolean) => void;
  /** The disk must hold what was put there. */
  readonly sync: (what: string) => void;
  /** Called with the effects of each event, before they are carried out: for one that judges the site. */
  readonly membersTook?: (effects: readonly MembersEffect[], generation: number) => void;
  readonly crashed: (error: InvariantError) => void;
}

const effectTypes = [
  'send',
  'persist',
  'configured',
  'coordinates',
  'written',
  'committed',
] as const satisfies readonly MembersEffect['type'][];

interface Request {
  readonly wanted: WantedChange;
  readonly resolve: () => void;
  readonly reject: (reason: OperatingError) => void;
  readonly stopTimer: () => void;
  /** Is the change, which this site planned by itself, still to be made? */
  readonly isDue: () => boolean;
}

/** Nothing of this is recorded. */
const stamp = { seq: 0, clock: null };
/** The distance from the floor in memory up to the floor on the disk. */
const floorAhead = 1_024;
/** How often a site says that it wants to join. */
const joinEveryMs = 500;
/** A site that has not said so for this long wants it no longer. */
const joinTimeoutMs = 4 * joinEveryMs;

/**
 * This site's part in changes of the voters (protocol.md, section 4): one actor, for all locks. It runs once the
 * cluster is founded.
 *
 * A change is made by any voter: it stands for the next term, and when it coordinates it makes the changes that were asked for
 * here, one after the other. Which sites are to be voters is decided here; how that is agreed is the statechart's.
 */
export class MembersActor implements DriverOwner<MembersEvent, MembersEffect, StampedEnvelope> {
  readonly #setting: MembersActorSetting;
  readonly #self: SiteId;
  #record: MembersRecord;
  #floor: number | null;
  #driver: Driver<MembersEvent, MembersEffect, StampedEnvelope>;
  readonly #requests: Request[] = [];
  /**
   * When each site asked to join last, since it was a voter last: one that was added and left again is not added once more, nor is one that
   * asks no longer.
   */
  readonly #joining = new Map<SiteId, number>();
  /** The newest configuration that nobody here has been told of, and whether this site joins by one since. */
  #untold: { readonly configuration: Configuration; readonly joins: boolean } | null = null;
  #joins = false;
  /**
   * Has a majority held, in this run, a configuration that makes this site a voter? One that was read from the disk may be long over, and
   * one that its coordinator has just written may be lost.
   */
  #isMember: boolean;
  /** The voters that are known to hold this configuration. */
  readonly #holders = new Set<SiteId>();
  #attempts = 0;
  /** Until this site stands again, or changes what has settled. */
  #cancelStep: (() => void) | null = null;
  /** The voters that have acknowledged the present configuration to this site. */
  readonly #acknowledged = new Set<SiteId>();
  /** Since when this site knows that the present voters were committed, under whatever term; `null`: it does not. */
  #committed: { readonly configuration: Configuration; readonly at: number } | null = null;
  /** A configuration of another coordinator was adopted. */
  #isOutdone = false;
  #cancelJoin: (() => void) | null = null;
  /** Until this site stands because it doubts what another one tells (M6). */
  #cancelDoubt: (() => void) | null = null;
  /** When it stands then. */
  #doubtAt = 0;
  /** A candidate that holds an older configuration wanted a vote: it cannot win, and perhaps this site can. */
  #isAskedByOlder = false;
  #doubts = 0;
  /** Changes that this site makes by itself unless another one is faster, by the name of the site that they are about. */
  readonly #intended = new Map<SiteId, () => void>();
  #stopped = false;

  constructor(setting: MembersActorSetting, record: MembersRecord) {
    const { self, store, statechart = membersMachine } = setting;
    this.#setting = setting;
    this.#self = voterOf(self, store.id);
    this.#record = record;
    this.#floor = record.floor;
    const promised = store.locks().map((lock) => promiseOf(store, lock));
    const { configuration, promised: term, top, floor } = record;
    const highest = promised.reduce((most, epoch) => Math.max(most, epoch), Math.max(top, floor ?? 0));
    const disk: MembersDisk = { configuration, promised: term, top: highest };
    this.#driver = new Driver(statechart, effectTypes, { id: self, input: { self: this.#self, disk } }, this);
    this.#driver.start();
    // The founders have agreed on a configuration that is new.
    this.#isMember = configuration !== null && record !== store.members;
    this.#countHolder(this.#self);
  }

  get record(): MembersRecord {
    return this.#record;
  }

  get configuration(): Configuration | null {
    return this.#context.configuration;
  }

  get isVoter(): boolean {
    const { configuration } = this;
    return configuration !== null && this.#self in configuration.voters;
  }

  /** Would a majority be in reach without this voter? */
  get canLeave(): boolean {
    return this.#hasMajorityAfter({ remove: this.#self });
  }

  /** Begins, once all that it tells of is ready. */
  start(): void {
    this.#tellReach();
    this.#tellAll();
    this.#askToJoin();
  }

  /** Asks the members that are connected to add this site, unless it is one. */
  ask(): void {
    this.#askToJoin();
  }

  /** `peer` is connected, or connected again. */
  met(peer: SiteId): void {
    this.#tellReach();
    this.#tell(peer);
    this.#askToJoin();
    this.#intend();
    this.#advance();
  }

  /** A message of `peer` counts in another configuration: one of the two has missed something. */
  differs(peer: SiteId): void {
    this.#tell(peer);
  }

  /** A peer is believed down. */
  lost(peer: SiteId): void {
    this.#tellReach();
    for (const site of this.#joining.keys()) if (nameOf(site) === peer) this.#joining.delete(site);
    this.#drop(peer);
    this.#intend();
  }

  /** A lock of this site has promised `epoch`. */
  promised(epoch: number): void {
    if (epoch > this.#context.top) this.#take({ type: 'promised', epoch });
  }

  /** A lock without an entry in the store has promised the epoch after this one; `null`: none. */
  get floor(): number | null {
    return this.#floor;
  }

  /**
   * No lock without an entry in the store takes part in an epoch up to `epoch` here (R13). The floor on the disk is further on: so the promises
   * of the next locks are on the disk already.
   */
  raiseFloor(epoch: number): void {
    if (this.#floor !== null && this.#floor >= epoch) return;
    this.#floor = epoch;
    const { floor, top } = this.#record;
    if (floor !== null && floor - epoch >= floorAhead / 2) return;
    this.#record = { ...this.#record, floor: epoch + floorAhead, top: Math.max(top, epoch) };
    this.#setting.store.putMembers(this.#record);
  }

  receive(envelope: StampedEnvelope): void {
    const told = envelope.message as MembersTold | Addresses;
    if (!Object.hasOwn(membersLayout, told.type)) {
      this.#refuse(envelope, `${envelope.source} tells of the cluster what is said of a lock`);
      return;
    }
    if (told.type === 'ADDRESSES') {
      this.#learn(told.addresses);
      return;
    }
    // Messages of another founding of a cluster of this name are not for this one.
    if (told.generation !== this.#record.generation) return;
    const { generation: _, ...message } = told;
    const type = told.type.slice('MEMBERS_'.length) as MembersMessage['type'];
    this.#take({ ...message, type } as MembersMessage, envelope);
    const held =
      told.type === 'MEMBERS_ACKNOWLEDGE' ? told : 'configuration' in told ? told.configuration : null;
    if (held !== null && compare(held, this.configuration) === 0) {
      const id = this.#setting.dataOf(envelope.source);
      if (id !== null) this.#countHolder(voterOf(envelope.source, id));
      if (id !== null && told.type === 'MEMBERS_ACKNOWLEDGE')
        this.#countAcknowledgement(voterOf(envelope.source, id));
    }
    if (told.type === 'MEMBERS_CONFIGURATION') this.#remind(told.origin, told.configuration);
    if (told.type === 'MEMBERS_JOIN') this.#hear(told.site);
  }

  /**
   * Makes the change, with whatever it takes. Resolves when a majority of the voters have agreed to it.
   *
   * Rejects with `CHANGE_TIMEOUT`, and with why this site ended.
   */
  change(wanted: WantedChange, timeoutMs: number, isDue = () => true): Promise<void> {
    return new Promise((resolve, reject) => {
      const stopTimer = this.#setting.clock.after(timeoutMs, () => {
        this.#remove(request);
        const what = `not done within ${timeoutMs} ms: ${this.#obstacle(wanted)}`;
        reject(new OperatingError('CHANGE_TIMEOUT', what));
      });
      const request = { wanted, resolve, reject, stopTimer, isDue };
      this.#requests.push(request);
      this.#advance();
    });
  }

  stop(reason: OperatingError): void {
    this.#stopped = true;
    this.#driver.stop();
    this.#cancelStep?.();
    this.#cancelJoin?.();
    this.#cancelDoubt?.();
    for (const cancel of this.#intended.values()) cancel();
    for (const { reject, stopTimer } of this.#requests.splice(0)) {
      stopTimer();
      reject(reason);
    }
  }

  #hear(site: SiteId): void {
    if (!(site in (this.configuration?.voters ?? {}))) this.#joining.set(site, this.#setting.clock.now());
    this.#intend();
  }

  /**
   * `holder` says which configuration it holds. A voter that believed another site than this one (M6) has acknowledged it to that site. A
   * coordinator that waits for the acknowledgement tells it again, and is answered; so does a site that waits for its own removal.
   */
  #remind(holder: SiteId, held: Configuration): void {
    if (this.#stopped || !(this.#driver.state.value === 'committing' || this.#awaitsRemoval)) return;
    const { configuration, acknowledged } = this.#context;
    const isMissing = holder in configuration!.voters && !(holder in acknowledged);
    if (isMissing && compare(held, configuration) === 0) this.#take({ type: 'tell', peer: holder });
  }

  #countHolder(holder: SiteId): void {
    if (this.#isMember || !this.isVoter) return;
    this.#holders.add(holder);
    this.#isMember = isQuorum(
      Object.fromEntries([...this.#holders].map((one) => [one, true])),
      this.configuration!,
    );
  }

  /** M2, at a site that is no coordinator: what a quorum has acknowledged to it is committed. */
  #countAcknowledgement(voter: SiteId): void {
    const { configuration, promised } = this.#context;
    this.#acknowledged.add(voter);
    if (promised === configuration!.term) this.#acknowledged.add(this.#self);
    const all = Object.fromEntries([...this.#acknowledged].map((one) => [one, true]));
    if (isQuorum(all, configuration!)) this.#noteCommitted(configuration!);
  }

  #noteCommitted(configuration: Configuration): void {
    this.#committed ??= { configuration, at: this.#setting.clock.now() };
  }

  get #context(): MembersContext {
    return this.#driver.state.context as MembersContext;
  }

  /** This site is to be removed, and was, in a configuration that may still be lost. */
  get #awaitsRemoval(): boolean {
    const { value } = this.#driver.state;
    return (
      value === 'following' && !this.isVoter && this.#requests.some(({ wanted }) => this.#removesSelf(wanted))
    );
  }

  #removesSelf(wanted: WantedChange): boolean {
    return 'remove' in wanted && wanted.remove === this.#setting.self;
  }

  get #names(): readonly SiteId[] {
    return Object.keys(this.configuration?.voters ?? {}).map(nameOf);
  }

  #take(event: MembersEvent, cause: StampedEnvelope | null = null): void {
    if (this.#stopped) return;
    const { promised } = this.#context;
    this.#driver.take(event, cause);
    if (this.#driver.busy) return;
    // A candidate that is refused for its term stands again soon, above that: it must not alternate with one that cannot win.
    if (event.type === 'REFUSE' && event.term >= promised) this.#hastenDoubt();
    // Within the same turn: nothing leaves before the locks have heard.
    while (this.#untold && !this.#stopped) {
      const { configuration, joins } = this.#untold;
      this.#untold = null;
      const isRemoved = this.#isMember && !this.isVoter;
      if (isRemoved) this.#isMember = false;
      this.#holders.clear();
      this.#countHolder(this.#self);
      this.#tellAll();
      this.#setting.configured(configuration, joins, isRemoved);
      this.#tellReach();
      this.#intend();
      this.#askToJoin();
    }
    if (event.type === 'VOTE_REQUEST' && compare(event.configuration, this.configuration) < 0)
      this.#isAskedByOlder = true;
    this.#settleDoubts();
    this.#advance();
  }

  /**
   * A site that keeps a configuration which it does not believe stands, after a random time (M6), and so does one that a candidate with an older
   * configuration asked for its vote. The winner writes its own configuration under a higher term, so that all agree again. Otherwise the
   * site that told it could wait for ever.
   */
  #settleDoubts(): void {
    if (Object.keys(this.#context.told).length === 0 && !this.#isAskedByOlder) {
      this.#doubts = 0;
      this.#cancelDoubt?.();
      this.#cancelDoubt = null;
    } else if (this.#cancelDoubt === null && !this.#stopped) {
      const { clock, random, timing } = this.#setting;
      const longestMs = timing.electionMaxMs * 2 ** Math.min(this.#doubts, 5);
      const waitMs = longestMs * (1 - random.fraction() / 2);
      this.#doubtAt = clock.now() + waitMs;
      this.#cancelDoubt = clock.after(waitMs, () => {
        this.#cancelDoubt = null;
        this.#isAskedByOlder = false;
        this.#doubts += 1;
        if (['following', 'candidate'].includes(this.#driver.state.value as string))
          this.#take({ type: 'stand' });
      });
    }
  }

  /** Refusals may come faster than a site stands: what is soon due stays. */
  #hastenDoubt(): void {
    const { clock, timing } = this.#setting;
    this.#doubts = 0;
    if (this.#doubtAt <= clock.now() + timing.electionMaxMs) return;
    this.#cancelDoubt?.();
    this.#cancelDoubt = null;
  }

  /** Tells the statechart the voters in reach: they can contradict a configuration that one site made up (M6). */
  #tellReach(): void {
    const { idOf: up } = this.#setting;
    const voters = Object.keys(this.configuration?.voters ?? {});
    const inReach = voters.filter((voter) => up(nameOf(voter)) === idOf(voter));
    const { reach } = this.#context;
    if (inReach.length === Object.keys(reach).length && inReach.every((voter) => voter in reach)) return;
    this.#take({ type: 'reach', sites: Object.fromEntries(inReach.map((voter) => [voter, true] as const)) });
  }

  /** Any site is told, also one that is a member no more: it must not wait in vain. */
  #tell(peer: SiteId): void {
    const id = this.#setting.dataOf(peer);
    if (id === null || this.#stopped) return;
    this.#driver.take({ type: 'tell', peer: voterOf(peer, id) });
    this.#sendAddresses(peer);
  }

  /** Before anything is said of a lock under the configuration. */
  #tellAll(): void {
    for (const peer of this.#setting.mailbox.connected()) this.#tell(peer);
  }

  #sendAddresses(target: SiteId): void {
    const { self, mailbox } = this.#setting;
    const addresses = this.#addresses();
    if (Object.keys(addresses).length === 0) return;
    const message: Addresses = { type: 'ADDRESSES', addresses };
    mailbox.post({ source: self, target, lock: membersLock, message, stamp });
  }

  #addresses(): Readonly<Record<SiteId, Address>> {
    const { self, mailbox, address } = this.#setting;
    const found = [self, ...this.#names].map((name) => [
      name,
      name === self ? address() : mailbox.addressOf(name),
    ]);
    return Object.fromEntries(found.filter(([, at]) => at !== null));
  }

  #learn(addresses: Readonly<Record<SiteId, Address>>): void {
    const { self, mailbox } = this.#setting;
    const members = this.#names;
    for (const [name, address] of Object.entries(addresses)) {
      if (name !== self && members.includes(name) && mailbox.addressOf(name) === null)
        mailbox.add(name, address);
    }
  }

  #askToJoin(): void {
    if (this.#stopped || this.#cancelJoin || this.isVoter || !this.#setting.asks()) return;
    const { clock, mailbox, dataOf } = this.#setting;
    for (const peer of mailbox.connected()) {
      const id = dataOf(peer);
      if (id !== null) this.#take({ type: 'join', peer: voterOf(peer, id) });
    }
    this.#cancelJoin = clock.after(joinEveryMs, () => {
      this.#cancelJoin = null;
      this.#askToJoin();
    });
  }

  /**
   * Plans the changes that a voter makes by itself. It adds a site that wants to join and is up, in place of one of
   * the same name. It removes a site that has been down for `removeAfterMs`. The first of the voters in reach does it
   * at once, the others later, in case it fails.
   */
  #intend(): void {
    if (this.#stopped || !this.isVoter) return;
    const { self, idOf: up, leastVoters, mostVoters, hastens, removeAfterMs, timing } = this.#setting;
    const { voters } = this.configuration!;
    const rank = hastens() ? 0 : this.#names.filter((name) => name < self && up(name) !== null).length;
    const laterMs = rank * timing.electionMaxMs;
    for (const site of this.#joining.keys()) {
      const name = nameOf(site);
      const isWanted = (additions = 0) =>
        this.#asks(site) &&
        up(name) === idOf(site) &&
        (this.#names.length + additions < mostVoters() || this.#names.includes(name));
      const isPlanned = () => isWanted(this.#additions);
      if (isPlanned()) this.#intendTo({ add: name }, laterMs, isPlanned, isWanted);
    }
    if (removeAfterMs === null) return;
    for (const voter of Object.keys(voters)) {
      const name = nameOf(voter);
      const isGone = () =>
        voter in this.configuration!.voters &&
        name !== self &&
        up(name) !== idOf(voter) &&
        this.#names.length > leastVoters;
      if (isGone()) this.#intendTo({ remove: name }, removeAfterMs + laterMs, isGone);
    }
  }

  /** Has the site asked to join, and not ceased to? */
  #asks(site: SiteId): boolean {
    const askedAt = this.#joining.get(site);
    return askedAt !== undefined && this.#setting.clock.now() - askedAt < joinTimeoutMs;
  }

  /** Number of sites that are to be added. */
  get #additions(): number {
    return this.#requests.filter(({ wanted }) => 'add' in wanted).length;
  }

  /** `isWanted`: as `isDue`, of a change that is begun. */
  #intendTo(wanted: WantedChange, afterMs: number, isDue: () => boolean, isWanted = isDue): void {
    const about = 'add' in wanted ? wanted.add : wanted.remove;
    if (this.#intended.has(about)) return;
    const { clock, timing } = this.#setting;
    const cancel = clock.after(afterMs, () => {
      this.#intended.delete(about);
      if (!this.isVoter || !isDue()) return;
      // If it fails, the site says again that it is there, or is still down.
      this.change(wanted, 5 * timing.electionMaxMs, () => isWanted()).catch(() => this.#intend());
    });
    this.#intended.set(about, cancel);
  }

  /** Cancels the planned change of a site that has gone down, or up. */
  #drop(peer: SiteId): void {
    this.#intended.get(peer)?.();
    this.#intended.delete(peer);
  }

  /** The next step towards the first of the wanted changes. */
  #advance(): void {
    for (;;) {
      const [request] = this.#requests;
      if (this.#stopped || this.#driver.busy || !request) return;
      if (!request.isDue()) {
        this.#fulfil(request);
        continue;
      }
      const { value } = this.#driver.state;
      const step = this.#stepTo(request.wanted);
      if (value === 'committing') return;
      if (value === 'outside' && this.#removesSelf(request.wanted)) {
        this.#fulfil(request);
        continue;
      }
      if (value === 'ready') {
        this.#attempts = 0;
        if (step === 'done') {
          this.#fulfil(request);
          continue;
        }
        if (step === 'wait') return;
        // Another change was made since it was asked for.
        if (!isChange(this.configuration!, step)) {
          this.#remove(request);
          request.reject(lastVoter(nameOf(Object.keys(this.configuration!.voters)[0]!)));
          continue;
        }
        if (!this.#hasMajorityAfter(step) || !this.#hasSettled()) return;
        this.#take({ type: 'change', change: step });
        return;
      }
      // It cannot coordinate any more.
      if (!this.isVoter) {
        // Another one has removed it. That may still be lost: the voters that it has told say when it is not.
        if (this.#removesSelf(request.wanted)) return;
        this.#remove(request);
        request.reject(new OperatingError('NOT_A_MEMBER', this.#removedBefore(request.wanted)));
        continue;
      }
      // A configuration that another coordinator has written may still be lost. A coordinator that commits it is sure
      // of it.
      this.#standLater();
      return;
    }
  }

  #stepTo(wanted: WantedChange): Change | 'done' | 'wait' {
    const { heard, configuration } = this.#context;
    const voters = Object.keys(configuration?.voters ?? {});
    if ('remove' in wanted) {
      const voter = voters.find((one) => nameOf(one) === wanted.remove);
      return voter === undefined ? 'done' : { remove: voter };
    }
    const id = wanted.add === this.#setting.self ? idOf(this.#self) : this.#setting.dataOf(wanted.add);
    const before = voters.find((one) => nameOf(one) === wanted.add);
    if (before !== undefined && (id === null || id === idOf(before))) return 'done';
    const site = id === null ? null : voterOf(wanted.add, id);
    if (site === null || !(site in heard) || !this.#isUp(site)) return 'wait';
    // To the locks a name is one site: so the one before goes first.
    return before === undefined ? { add: site } : { remove: before };
  }

  #isUp(voter: SiteId): boolean {
    return voter === this.#self || this.#setting.idOf(nameOf(voter)) === idOf(voter);
  }

  /** Is a majority in reach of the voters after the change? Otherwise none could agree to it, nor to any change after it. */
  #hasMajorityAfter(change: Change): boolean {
    return this.#reachesMajority(changed(this.configuration!, change, 0));
  }

  #reachesMajority(of: Configuration): boolean {
    const up = Object.keys(of.voters).filter((voter) => this.#isUp(voter));
    return isQuorum(Object.fromEntries(up.map((voter) => [voter, true])), of);
  }

  /**
   * Strict mode: time in ms until the promises of leases that counted under other voters are over. The voters before these need a voter that
   * holds these for any further lease.
   */
  get #unsettledMs(): number {
    const { clock, settleMs } = this.#setting;
    return this.#committed === null ? settleMs : Math.max(0, this.#committed.at + settleMs - clock.now());
  }

  #hasSettled(): boolean {
    const left = this.#unsettledMs;
    if (left === 0) return true;
    // It waits no longer for votes.
    this.#cancelStep?.();
    this.#cancelStep = null;
    this.#later(left, () => this.#advance());
    return false;
  }

  #standLater(): void {
    const { timing, random } = this.#setting;
    const longest = Math.min(
      timing.electionMaxMs,
      timing.electionMinMs * 2 ** Math.max(0, this.#attempts - 1),
    );
    const pauseMs = this.#attempts === 0 ? 0 : longest * (1 - random.fraction() / 2);
    this.#later(Math.max(pauseMs, this.#yieldMs()), () => {
      this.#attempts += 1;
      if (['following', 'candidate'].includes(this.#driver.state.value as string))
        this.#take({ type: 'stand' });
      else this.#advance();
    });
  }

  /** Strict mode: the time until another site, which has just begun to coordinate, can have made a change. Otherwise two outdo one another for ever. */
  #yieldMs(): number {
    const { settleMs, random } = this.#setting;
    const left = this.#unsettledMs;
    return this.#isOutdone && left > 0 ? left + settleMs * random.fraction() : 0;
  }

  #later(ms: number, action: () => void): void {
    this.#cancelStep ??= this.#setting.clock.after(ms, () => {
      this.#cancelStep = null;
      if (!this.#stopped && this.#requests.length > 0) action();
    });
  }

  #fulfil(request: Request): void {
    this.#remove(request);
    request.resolve();
  }

  #remove(request: Request): void {
    const at = this.#requests.indexOf(request);
    if (at < 0) return;
    this.#requests.splice(at, 1);
    request.stopTimer();
    if (this.#requests.length > 0) return;
    this.#attempts = 0;
    this.#cancelStep?.();
    this.#cancelStep = null;
  }

  /** Why a change is not made yet, for a person. */
  #obstacle(wanted: WantedChange): string {
    const { idOf: up, self } = this.#setting;
    const missing = this.#names.filter((name) => name !== self && up(name) === null);
    const unreached = missing.length > 0 ? ` (not in reach: ${missing.toSorted().join(', ')})` : '';
    const step = this.#stepTo(wanted);
    if (step === 'wait')
      return `${self} does not reach ${'add' in wanted ? wanted.add : ''}, which is to be added; start it, with ${self} among its peers`;
    return step !== 'done' && this.#reachesMajority(this.configuration!) && !this.#hasMajorityAfter(step)
      ? `without ${nameOf('add' in step ? step.add : step.remove)} no majority would be in reach${unreached}; start the others first, then ${textOf(wanted)}`
      : `no majority of ${this.#names.toSorted().join(', ')}${unreached} has agreed to ${textOf(wanted)}`;
  }

  /** Why a change is not made, for a person. */
  #removedBefore(wanted: WantedChange): string {
    const voters = this.#names.toSorted().join(', ');
    return `${this.#setting.self} was removed before it was to ${textOf(wanted)}, and only a voter can change the members: ask ${voters}`;
  }

  // For the driver.

  due(): readonly MembersEvent[] {
    return [];
  }

  judge(event: MembersEvent, envelope: StampedEnvelope): 'refuse' | 'take' {
    const id = this.#setting.dataOf(envelope.source);
    // Its data are others by now: the message is of a site that is gone.
    if (id === null) return 'refuse';
    const breach = breachOf(event as MembersMessage, voterOf(envelope.source, id), this.#context);
    if (breach === null) return 'take';
    this.#refuse(
      envelope,
      `${envelope.source} breaks the protocol of the members by ${event.type}: ${breach}`,
    );
    return 'refuse';
  }

  #refuse(envelope: StampedEnvelope, what: string): void {
    const { self, mailbox } = this.#setting;
    mailbox.refuse(envelope, new OperatingError('PROTOCOL_BREACH', `${what}; ${self} does not take it`));
  }

  refuses(): boolean {
    return false;
  }

  took(_event: MembersEvent, _cause: StampedEnvelope | null, effects: readonly MembersEffect[]): void {
    this.#setting.membersTook?.(effects, this.#record.generation);
  }

  execute(effect: MembersEffect): void {
    const { self, mailbox } = this.#setting;
    switch (effect.type) {
      case 'send': {
        const target = nameOf(effect.target);
        // It has other data by now, or was never met: it is told when it is.
        if (this.#setting.dataOf(target) !== idOf(effect.target)) return;
        const { generation } = this.#record;
        const message = { ...effect.message, type: `MEMBERS_${effect.message.type}`, generation };
        try {
          mailbox.post({ source: self, target, lock: membersLock, message, stamp });
        } catch (cause) {
          throw failed(`send ${effect.message.type} to ${target}`, cause);
        }
        return;
      }
      case 'persist':
        this.#persist(effect);
        return;
      case 'configured':
        this.#untold = { configuration: effect.configuration, joins: this.#joins };
        for (const voter of Object.keys(effect.configuration.voters)) this.#joining.delete(voter);
        this.#joins = false;
        this.#acknowledged.clear();
        if (this.#committed && !isRewritten(effect.configuration, this.#committed.configuration))
          this.#committed = null;
        if (this.#driver.state.value === 'following') this.#isOutdone = true;
        return;
      case 'committed':
        // The last voter agrees alone, and perhaps sends nothing that would wait for its disk.
        this.#setting.sync('keep the voters');
        this.#noteCommitted(effect.configuration);
        return;
      case 'coordinates':
      case 'written':
        return;
      default:
        effect satisfies never;
    }
  }

  #persist({ configuration, promised, top }: MembersDisk): void {
    const before = this.#record;
    const isSame = configuration === before.configuration && promised === before.promised;
    const wasVoter = before.configuration !== null && this.#self in before.configuration.voters;
    const joins = !wasVoter && configuration !== null && this.#self in configuration.voters;
    this.#joins ||= joins;
    const floor = joins ? Math.max(configuration.base, before.floor ?? 0) : before.floor;
    if (joins) this.#floor = Math.max(configuration.base, this.#floor ?? 0);
    this.#record = { ...before, configuration, promised, top, floor, addresses: this.#addresses() };
    // The promises of the locks stand on the disk themselves.
    if (!isSame) this.#setting.store.putMembers(this.#record);
  }

  crashed(error: InvariantError): void {
    this.#setting.crashed(error);
  }
}

/** The only voter cannot be removed. */
export function lastVoter(name: SiteId): OperatingError {
  const what = `${name} is the last voter: nothing would be left of the cluster`;
  return new OperatingError('TOO_FEW_VOTERS', `${what}; add another one first, or stop it`);
}

const textOf = (wanted: WantedChange): string =>
  'add' in wanted ? `add ${wanted.add}` : `remove ${wanted.remove}`;

function promiseOf(store: Store, lock: string): number {
  const kept = store.read(lock, '');
  return kept === 'none' ? 0 : kept.promised;
}

function failed(what: string, cause: unknown): InvariantError {
  return new InvariantError('EFFECT_FAILED', `this site cannot ${what}: ${reasonOf(cause)}`, { cause });
}
