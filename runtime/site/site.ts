import type { AnyStateMachine, InspectionEvent, Observer } from 'xstate';
import type { SiteId } from '../../machines/actor.ts';
import type { Membership, SiteMessage } from '../../machines/epoch/messages.ts';
import { siteMachine } from '../../machines/epoch/site.ts';
import { foundersMembership } from '../../machines/epoch/variables.ts';
import { reasonOf } from '../../machines/errors.ts';
import {
  type Configuration,
  compare,
  firstConfiguration,
  nameOf,
  voterOf,
} from '../../machines/members/configuration.ts';
import type { Founding } from '../../machines/members/founding.ts';
import type { SiteLock } from '../../machines/watch.ts';
import type { Clock, Random } from '../api/clock.ts';
import { InvariantError, OperatingError } from '../api/errors.ts';
import type { Notice } from '../api/notice.ts';
import type { Address, PeerChange, StampedEnvelope } from '../api/peer.ts';
import type { LockStatus } from '../api/status.ts';
import type { Viewer, WatchSession } from '../api/watch.ts';
import type { Engine } from '../driver/actor.ts';
import { ElectionTrigger } from '../election/election-trigger.ts';
import { GuestHost, type GuestHostOptions } from '../guest/guest-host.ts';
import { GrantWatch } from '../lock/grant-watch.ts';
import { Places } from '../lock/places.ts';
import { Row } from '../lock/row.ts';
import type { Mailbox, MailboxHandlers } from '../mailbox/mailbox.ts';
import { LiveFeed } from '../observe/live-feed.ts';
import type { Recorder } from '../observe/recorder.ts';
import {
  defaultDriftShare,
  type Limits,
  type MembersSettings,
  type StrictSettings,
  type Timing,
} from '../options/schema.ts';
import type { MembersRecord } from '../store/content.ts';
import type { Store } from '../store/store.ts';
import { type ByeReason, membersLock } from '../wire/frames.ts';
import { Admission } from './admission.ts';
import { FoundingActor } from './founding-actor.ts';
import { LockActor, type LockActorSetting, type Unheard } from './lock-actor.ts';
import { durableOf, type LockBegin, LockTable } from './lock-table.ts';
import { MembersActor, type WantedChange } from './members-actor.ts';
import { MinorityWatch } from './minority-watch.ts';
import { membersLayout, protocolName, since } from './protocol.ts';
import { rootOf } from './root.ts';
import { Roster } from './roster.ts';
import { Tally } from './tally.ts';

export interface SiteSetting {
  readonly self: SiteId;
  /** The sites that this one is told of at its start: where it finds the others. */
  readonly peers: readonly SiteId[];
  /** The sites that found the cluster, if it is not founded yet. Default: this one and its peers. */
  readonly founders?: readonly SiteId[];
  /** The founders that vote. */
  readonly voters: readonly SiteId[];
  /** The first root of every lock. Default: for each lock a voter, by its name. */
  readonly root?: SiteId;
  /** Asks to be added to a cluster that was founded without this site. Default: true. */
  readonly joins?: boolean;
  /** Whether this site, which may join, asks to be added now. Default: always. */
  readonly asks?: () => boolean;
  /** Number of voters with which no site is added by itself. Default: as many as ask. */
  readonly mostVoters?: () => number;
  /** Where processes become members by themselves. */
  readonly fits?: GuestHostOptions['fits'];
  /** See `membersSchema`. */
  readonly members?: MembersSettings;
  /** Where this site listens for others; `null`: they find it without. Default: that. */
  readonly address?: () => Address | null;
  /** Default: `siteMachine`. A test gives a mutant. */
  readonly statechart?: AnyStateMachine;
  /** Default: `membersMachine`. A test gives a mutant. */
  readonly membersStatechart?: AnyStateMachine;
  /** Default: `foundingMachine`. A test gives a mutant. */
  readonly foundingStatechart?: AnyStateMachine;
  readonly mailbox: Mailbox;
  readonly store: Store;
  readonly recorder: Recorder;
  /** Locks that nobody uses are forgotten (R13). Default: unless they are recorded, since a record goes on. */
  readonly forgets?: boolean;
  readonly timing: Timing;
  readonly limits: Pick<Limits, 'maxLocks' | 'maxLocksOfPeer' | 'maxBatch'>;
  /** `null`: without leases. */
  readonly strict: StrictSettings | null;
  readonly clock: Clock;
  readonly random: Random;
  readonly engine?: Engine;
  readonly inspect?: Observer<InspectionEvent> | ((event: InspectionEvent) => void);
  /** A number above the generation of every earlier cluster of this name. Default: 1. */
  readonly generation?: () => number;
  readonly notice: (notice: Notice) => void;
  /** Whether holders lose their locks without a majority, unless they say otherwise. Default: false. */
  readonly abortInMinority?: boolean;
  /** Nothing runs any more. */
  readonly crashed: (error: InvariantError) => void;
}

/** How the locks name a configuration. */
const membershipOf = (configuration: Configuration | null): Membership => {
  const { term, version, base } = configuration ?? foundersMembership;
  return { term, version, base };
};

/** One site: its locks, over one mailbox, with one store and one failure detector. */
export class Site implements MailboxHandlers {
  readonly tally = new Tally();
  /** Resolves once every peer has been up and the cluster is founded. Rejects with the reason for which the site ended before. */
  readonly ready: Promise<void>;
  readonly #options: SiteSetting;
  readonly #setting: LockActorSetting;
  readonly #locks: LockTable;
  /** The guests of this site; absent: none come by its mailbox. */
  readonly guests?: GuestHost;
  readonly #admission: Admission;
  readonly #feed: LiveFeed;
  readonly #unmet: Set<SiteId>;
  #resolveReady!: () => void;
  #rejectReady!: (reason: Error) => void;
  readonly #trigger: ElectionTrigger;
  #foundingActor: FoundingActor;
  readonly #roster: Roster;
  /** `null`: the cluster is not founded, as far as is known here, and no lock may be used. */
  #members: MembersActor | null = null;
  /** Why this site takes no part in the cluster that there is. */
  #exclusion: OperatingError | null = null;
  /** The sites that sent a message about a lock which was not taken, since they were not known as members here. */
  readonly #untaken = new Set<SiteId>();
  /** Cancels each timer that need not be known by name: none outlives this site. */
  readonly #cancels = new Set<() => void>();
  readonly #minority: MinorityWatch;
  /**
   * True once the cluster is founded and a majority has been reachable. At the start of all sites a suspicion
   * would only disturb.
   */
  #begun = false;
  /** The reason for which no lock is granted any more; `null` while locks are granted. */
  #closedBy: Error | null = null;
  #ended = false;
  #leaving = false;
  /** It is going to leave. */
  #isReplacing = false;

  constructor(options: SiteSetting) {
    const { self: site, store, recorder, mailbox, timing, clock, strict, notice, inspect, engine } = options;
    this.#options = options;
    this.#feed = new LiveFeed({
      site,
      machine: protocolName,
      peers: options.peers,
      clock,
      now: () => performance.timeOrigin + clock.now(),
      count: () => this.locks,
      names: (like, most) => this.#locks.names(like, most),
      row: (lock) => rowOf(lock, this.#locks.find(lock)!.status),
      peek: (lock) => {
        const actor = this.find(lock);
        return actor === undefined ? null : { seq: actor.seq, snapshot: actor.snapshot };
      },
    });
    this.#unmet = new Set(options.peers);
    this.#roster = new Roster({ ...options, id: store.id });
    this.ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve;
      this.#rejectReady = reject;
    });
    // An unmet peer that nobody waits for is no error.
    this.ready.catch(() => undefined);
    const roster = this.#roster;
    const live = {
      ...options,
      get voters() {
        return roster.voters;
      },
    };
    this.#admission = new Admission(live, this.tally);
    const durable = (lock: string) => durableOf(store, lock);
    this.#trigger = new ElectionTrigger({
      ...options,
      get voters() {
        return roster.voters;
      },
      isMember: (name) => name === site || roster.isMember(name),
      isUp: (peer) => this.#isUp(peer),
      durable,
      waits: (lock) => this.#locks.find(lock)?.waits ?? false,
      // One that this site was removed from is no longer there.
      suspect: (lock, because) => this.#locks.find(lock)?.suspect(because),
    });
    this.#setting = {
      site,
      life: store.life,
      machine: protocolName,
      statechart: options.statechart ?? siteMachine,
      recorder,
      feed: this.#feed,
      ...(inspect && { inspect }),
      ...(engine && { engine }),
      tally: this.tally,
      clock,
      maxBatch: options.limits.maxBatch,
      places: new Places(clock),
      grants: new GrantWatch(clock, options.abortInMinority),
      row: new Row(),
      answerMs: timing.heartbeatMs,
      mailbox,
      peers: () => roster.peers,
      promised: (epoch) => this.#members?.promised(epoch),
      store,
      durable,
      trigger: this.#trigger,
      graceMs: 4 * timing.electionMinMs,
      leases: strict,
      notice,
      sync: () => this.#sync(),
      activated: (actor) => this.#locks.activated(actor),
      isUp: (peer) => this.#isUp(peer),
      generation: () => roster.founding!.generation,
      begun: () => this.#begun,
      unheard: (actor, told) => this.#unheard(actor, told),
      forgotten: (actor) => this.#locks.forgotten(actor),
      hindrance: () => this.#hindrance(),
      waitsInMinority: () => this.#minority.watch(),
      crashed: (error) => this.crash(error),
    };
    const { forgets = !recorder.active } = options;
    this.#locks = new LockTable({
      ...options,
      trigger: this.#trigger,
      admission: this.#admission,
      rootOf: (lock) => this.#rootOf(lock),
      floor: () => this.#members?.floor ?? null,
      raiseFloor: (floor) => this.#members!.raiseFloor(floor),
      promiseMs: this.#promiseMs,
      create: (lock, begin, by) => this.#newLockActor(lock, begin, by),
      forgets,
      outboxFill: () => this.reached.reduce((most, peer) => Math.max(most, mailbox.outboxFill(peer)), 0),
      mayForget: () => this.#begun && this.majority && this.#allKnowForget,
      mustKeep: (lock) => this.#members === null || this.#feed.wants(lock),
    });
    this.#minority = new MinorityWatch({
      ...options,
      hasMajority: () => this.majority,
      anyWaits: () => this.#anyWaits(),
      voters: () => roster.voters,
      missing: () => this.#missing,
      majorityLost: (reason) => this.#setting.grants.majorityLost(reason),
    });
    this.#foundingActor = this.#newFoundingActor();
    if (mailbox.guests) {
      this.guests = new GuestHost({
        ...{ self: site, mailbox, attached: mailbox.guests, clock },
        driftShare: strict?.driftShare ?? defaultDriftShare,
        maxLocks: options.limits.maxLocksOfPeer,
        lock: (name) => this.actor(name),
        serves: () => this.#closedBy === null && this.#roster.includesSelf,
        ...(options.fits && { fits: options.fits }),
        random: options.random,
        addresses: () => this.#memberAddresses(),
        crashed: (error) => this.crash(error),
      });
    }
  }

  /** For guests, which find this site without. */
  #memberAddresses(): Readonly<Record<SiteId, Address>> {
    const found = this.#roster.peers.map((peer) => [peer, this.addressOf(peer)] as const);
    return Object.fromEntries(found.filter(([, address]) => address !== null)) as Record<SiteId, Address>;
  }

  #newFoundingActor(alone = false): FoundingActor {
    const {
      self,
      peers,
      founders: given = [self, ...peers],
      foundingStatechart,
      mailbox,
      store,
      generation = () => 1,
    } = this.#options;
    const founders = alone ? [self] : given;
    return new FoundingActor({
      self,
      ...(foundingStatechart && { statechart: foundingStatechart }),
      founders,
      mailbox,
      store,
      generation,
      founded: (founding) => this.#founded(founding),
      excluded: (founding) => this.#excluded(founding),
      superseded: (founding) => this.#superseded(founding),
      isMember: (peer) => this.#roster.configuration !== null && this.#roster.isMember(peer),
      crashed: (error) => this.crash(error),
    });
  }

  get locks(): number {
    return this.#locks.size;
  }

  /** Peers that have not been up yet. */
  get unmet(): readonly SiteId[] {
    return [...this.#unmet];
  }

  get majority(): boolean {
    return !this.#ended && this.#trigger.majority;
  }

  /** The founding of the cluster; `null`: none is known here. */
  get founding(): Founding | null {
    return this.#roster.includesSelf ? this.#roster.founding : null;
  }

  /** As a configuration names this site. */
  get voter(): SiteId {
    return voterOf(this.#options.self, this.#options.store.id);
  }

  /** The configuration of the cluster, as far as is known here. */
  get configuration(): Configuration | null {
    return this.#roster.configuration;
  }

  /** Members that are up. */
  get reached(): readonly SiteId[] {
    return this.#roster.peers.filter((peer) => this.#isUp(peer));
  }

  addressOf(member: SiteId): Address | null {
    const { self, address, mailbox } = this.#options;
    return member === self ? (address?.() ?? null) : mailbox.addressOf(member);
  }

  /** How many locks stand still until an election is over. */
  get frozen(): number {
    return this.#trigger.frozen;
  }

  /** Throws `TOO_MANY_LOCKS`, `NOT_A_MEMBER`, `FOUNDED_ANEW`, and why nothing is granted any more. */
  actor(name: string): LockActor {
    if (this.#closedBy) throw this.#closedBy;
    if (this.#exclusion) throw this.#exclusion;
    return this.#locks.find(name) ?? this.#locks.open(name);
  }

  /** The lock, if it was used before. */
  find(name: string): LockActor | undefined {
    return this.#locks.find(name);
  }

  /** Lets `viewer` watch this site until the session is closed. */
  watch(viewer: Viewer): WatchSession {
    return this.#feed.attach(viewer);
  }

  /** Founds the cluster with this site alone; it adds others that ask. For a site without founders. */
  foundAlone(): void {
    if (this.#ended || this.#roster.includesSelf) return;
    this.#foundingActor.stop();
    this.#foundingActor = this.#newFoundingActor(true);
    this.#foundingActor.start();
    for (const peer of this.#roster.met) this.#foundingActor.met(peer, this.#roster.idOf(peer)!);
  }

  /** Asks these members to add this site. */
  join(members: Readonly<Record<SiteId, Address>>): void {
    if (this.#ended) return;
    for (const [name, address] of Object.entries(members))
      if (name !== this.#options.self) this.#options.mailbox.add(name, address);
    this.#members?.ask();
  }

  async open(): Promise<void> {
    this.#foundingActor.start();
    this.#beginWhenReady();
    await this.#options.mailbox.open(this);
  }

  /** Asks its guests to take the place of this site, which is going to leave. */
  replace(): void {
    this.#isReplacing = true;
    this.guests?.tellAll();
  }

  /** Number of voters. */
  get voters(): number {
    return this.#roster.voters.length;
  }

  /** The guests that are connected to this site, in the order of their names. */
  get guestNames(): readonly SiteId[] {
    return this.guests?.names ?? [];
  }

  /** Number of guests here that can become members. */
  get heirs(): number {
    return this.guests?.able ?? 0;
  }

  /**
   * Grants no more; once. Resolves when nobody holds a lock here and tokens are handed on, after `timeoutMs`, or when
   * the site ends meanwhile.
   */
  async leave(timeoutMs: number, membership: boolean): Promise<void> {
    if (this.#ended) return;
    this.#closedBy ??= new OperatingError('SITE_LEAVING', 'this site is leaving; acquire at another site');
    this.guests?.dismissIdle();
    await Promise.all(Array.from(this.#locks.active(), (actor) => actor.drain(timeoutMs)));
    if (membership) await this.#resign(timeoutMs);
  }

  /**
   * Leaves the configuration if possible, so that the majority shrinks. Otherwise the site ends as after a
   * crash.
   */
  async #resign(timeoutMs: number): Promise<void> {
    const { self, members, timing } = this.#options;
    const voters = this.#roster.voters.length;
    if (!this.#members?.isVoter || voters <= (members?.leastVoters ?? 1) || this.#ended) return;
    this.#leaving = true;
    // One that is only late is back by then.
    const waitMs = this.majority ? timeoutMs : Math.min(timeoutMs, 2 * timing.failureTimeoutMs);
    await this.#members.change({ remove: self }, waitMs).catch((error: OperatingError) => {
      this.#options.notice({ type: 'error', error, peer: null, remote: null });
    });
  }

  /**
   * Has this site make a change of the voters. Resolves when a majority of the voters have agreed to it.
   *
   * Rejects with `CHANGE_TIMEOUT`, `NOT_A_MEMBER`, `TOO_FEW_VOTERS`.
   */
  async change(wanted: WantedChange, timeoutMs: number): Promise<void> {
    if (this.#closedBy) throw this.#closedBy;
    if (this.#exclusion?.code === 'FOUNDED_ANEW') throw this.#exclusion;
    const { self } = this.#options;
    if (this.#members === null || !this.#members.isVoter) {
      const why = this.#exclusion?.message ?? this.#hindrance() ?? `${self} does not vote`;
      throw new OperatingError('NOT_A_MEMBER', `only a voter can change the members: ${why}`);
    }
    if ('remove' in wanted && this.#roster.voters.length === 1 && this.#roster.voters[0] === wanted.remove) {
      const what = `${wanted.remove} is the last voter: nothing would be left of the cluster`;
      throw new OperatingError('TOO_FEW_VOTERS', `${what}; add another one first, or stop it`);
    }
    await this.#members.change(wanted, timeoutMs);
  }

  /** Nothing is taken or granted any more. */
  end(reason: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#closedBy = reason;
    this.#rejectReady(reason);
    this.#feed.close();
    this.#trigger.stop();
    this.#foundingActor.stop();
    this.#members?.stop(new OperatingError('SITE_CLOSED', reasonOf(reason)));
    this.#minority.stop();
    for (const cancel of this.#cancels) cancel();
    this.guests?.stop();
    this.#setting.grants.stop();
    this.#locks.stop(reason);
  }

  /** Ends, sends the queued messages and says goodbye. */
  async close(goodbye: ByeReason, reason: Error): Promise<void> {
    const { mailbox } = this.#options;
    if (!this.#ended) {
      this.end(reason);
      try {
        // A mailbox that closes asks nobody any more before it writes.
        this.#sync();
      } catch (error) {
        mailbox.abort();
        throw error;
      }
    }
    await mailbox.close(goodbye);
  }

  crash(error: InvariantError): void {
    if (this.#ended) return;
    this.end(error);
    this.#options.mailbox.abort();
    this.#options.crashed(error);
  }

  #newLockActor(lock: string, begin: LockBegin, by: SiteId | null): LockActor {
    const { self, strict } = this.#options;
    const { voters, peers, configuration } = this.#roster;
    const membership = membershipOf(configuration);
    const isFounders = membership.version === 1 && membership.term === 0;
    const input = {
      ...{ self, voters, ...begin },
      ...(isFounders ? {} : { membership }),
      ...(strict && { strict: true }),
    };
    return new LockActor(this.#setting, lock, peers, input, by);
  }

  /** The root of epoch 0, which stays one of the founders for ever (M4a). */
  #rootOf(lock: string): SiteId {
    const { voters, root = null } = this.#members?.record.first ?? this.#options;
    return root ?? rootOf(lock, voters);
  }

  /** A lock is forgotten by all members, so that waits until all of them speak a version with FORGET. One that was never met may be of an older one. */
  get #allKnowForget(): boolean {
    const { mailbox } = this.#options;
    return this.#roster.peers.every((peer) => (mailbox.versionOf(peer) ?? 0) >= since.FORGET);
  }

  /** The longest time that a promise of a lease lasts. */
  get #promiseMs(): number {
    const { leaseMs = 0, driftShare = 0 } = this.#options.strict ?? {};
    return Math.ceil((leaseMs * (1 + driftShare)) / (1 - driftShare));
  }

  /** Takes a message of a peer. */
  receive(envelope: StampedEnvelope): void {
    if (this.#ended) return;
    if (envelope.lock === membersLock) {
      if (!Object.hasOwn(membersLayout, envelope.message.type)) this.#foundingActor.receive(envelope);
      else this.#members?.receive(envelope);
      return;
    }
    // Each link tells the membership before any message of a lock. Messages of a site that is no member are not taken.
    if (!this.#roster.includesSelf || this.#roster.isStranger(envelope.source)) {
      this.#admission.refuseStranger(envelope);
      this.#untaken.add(envelope.source);
      return;
    }
    this.#compare(envelope);
    const actor = this.#locks.find(envelope.lock);
    if (actor) {
      actor.receive(envelope);
      this.#locks.dropIfForgotten(actor);
    }
    // An answer about a lock that is not known here is an answer to an earlier life. Nothing is left to forget of it.
    else if (envelope.message.type !== 'OVER' && envelope.message.type !== 'FORGET')
      this.#receiveFirst(envelope);
  }

  /**
   * A message that counts in another configuration is not answered, so the two sites tell each other their
   * configurations.
   */
  #compare({ source, message }: StampedEnvelope): void {
    if (!('version' in message)) return;
    const { term, version } = message as Extract<SiteMessage, { readonly version: number }>;
    const held = this.#roster.configuration;
    if (term !== held?.term || version !== held.version) this.#members?.differs(source);
  }

  /** A peer names a lock that this site has not heard of. */
  #receiveFirst(envelope: StampedEnvelope): void {
    if (!this.#admission.admits(envelope, this.#locks.size)) return;
    this.#locks.open(envelope.lock, envelope.source).receive(envelope);
  }

  /** A peer did not take what this site sent about a lock (M5). */
  #unheard(actor: LockActor, { epoch, by, full, waits }: Unheard): void {
    const { lock } = actor;
    if (full) this.#admission.fullAt(lock, by);
    const inVain = this.#admission.inVain(lock);
    this.#trigger.rejected(lock, waits ? epoch : null, inVain !== null);
    if (inVain) actor.refuse(inVain);
  }

  /** A peer is up, down or restarted. One whose data are no part of the cluster is as good as down. */
  peerChanged(change: PeerChange, id: string | null): void {
    if (this.#ended) return;
    const { peer } = change;
    const isUp = change.type !== 'down';
    const wasMember = this.#isUp(peer);
    if (id !== null) this.#roster.meet(peer, id, isUp);
    // Before anything is said of a lock.
    if (isUp) {
      this.#foundingActor.met(peer, id!);
      this.#members?.met(peer);
    } else this.#members?.lost(peer);
    this.#options.notice(change);
    const isNamed = this.#roster.peers.includes(peer);
    if (!isNamed || this.#roster.isStranger(peer)) {
      if (change.type === 'restarted') this.#linkRestarted(peer);
      // Its name may be that of a member, whose data it has not.
      if (isNamed && (wasMember || isUp)) this.#follow({ type: 'down', peer, why: 'closed' });
      if (!isUp) this.#forgetLater(peer);
      return;
    }
    if (isUp) this.#unmet.delete(peer);
    this.#resolveWhenReady();
    this.#follow(change);
  }

  /** One that is no member, and gone: it says where it is when it comes again. */
  #forgetLater(peer: SiteId): void {
    const { timing, mailbox, peers } = this.#options;
    if (peers.includes(peer)) return;
    this.#after(10 * timing.failureTimeoutMs, () => {
      if (mailbox.isUp(peer) || this.#roster.peers.includes(peer)) return;
      this.#roster.forget(peer);
      this.#untaken.delete(peer);
      mailbox.remove(peer);
    });
  }

  #resolveWhenReady(): void {
    if (this.#unmet.size === 0 && this.founding !== null) this.#resolveReady();
  }

  #isUp(peer: SiteId): boolean {
    return this.#options.mailbox.isUp(peer) && !this.#roster.isStranger(peer);
  }

  /** The cluster is founded, by this site among others, or it has joined it before. */
  #founded(founding: Founding): void {
    const { voters, root = null, store } = this.#options;
    const ids = Object.entries(founding.ids).filter(([name]) => voters.includes(name));
    const first = { voters: ids.map(([name]) => name), root };
    const kept = store.members;
    const isKept = kept?.generation === founding.generation;
    // Each founder has accepted just now. One that this site has called in vain so far, as it started late, is not taken for dead.
    if (!isKept)
      for (const peer of this.#unmet) if (this.#options.mailbox.recheck(peer)) this.#trigger.rechecks(peer);
    this.#enter(
      founding,
      isKept
        ? kept
        : {
            generation: founding.generation,
            first,
            floor: null,
            configuration: firstConfiguration(ids.map(([name, id]) => voterOf(name, id))),
            promised: 0,
            top: 0,
            addresses: {},
          },
    );
    this.#options.notice({ type: 'founded', ...founding });
  }

  /** The cluster was founded without the data of this site, which may be added to it. */
  #excluded(founding: Founding): void {
    const { joins = true, self, store, root = null } = this.#options;
    const { generation, ids } = founding;
    if (this.#members?.record.generation === generation) return;
    const first = { voters: Object.keys(ids), root };
    const empty = { configuration: null, promised: 0, top: 0, addresses: {} };
    this.#enter(founding, { generation, first, floor: null, ...empty });
    if (joins || self in ids) return;
    this.#exclude(
      'NOT_A_MEMBER',
      `the cluster was founded without ${self} (${store.id}), by ${Object.keys(ids).sort().join(', ')}, and the settings name it as a ` +
        'founder: start it with join in place of founders, and it asks to be added',
    );
  }

  /** The cluster was founded anew, and the data of this site belong to the one before: it takes no part in either (M9). */
  #superseded(founding: Founding): void {
    const { self, store } = this.#options;
    const { generation, ids } = founding;
    this.#members?.stop(new OperatingError('FOUNDED_ANEW', 'the cluster was founded anew'));
    this.#members = null;
    this.#roster.founding = founding;
    this.#roster.configuration = firstConfiguration(
      Object.entries(ids).map(([name, id]) => voterOf(name, id)),
    );
    this.guests?.dismissAll();
    this.#exclude(
      'FOUNDED_ANEW',
      `the cluster was founded anew, as generation ${generation} by ${Object.keys(ids).sort().join(', ')}, and ${self} has data ` +
        `(${store.id}) of the cluster before it: start it with an empty data directory, and it asks to be added`,
    );
    this.#rejectReady(this.#exclusion!);
  }

  #enter(founding: Founding, record: MembersRecord): void {
    const { timing, members } = this.#options;
    const { mailbox, store, clock, random, membersStatechart } = this.#options;
    this.#members?.stop(new OperatingError('NOT_A_MEMBER', 'the cluster was founded anew'));
    this.#exclusion = null;
    this.#roster.founding = founding;
    this.#roster.first = record.first.voters;
    const actor = new MembersActor(
      {
        ...{ self: this.#options.self, mailbox, store, clock, random, timing },
        ...(membersStatechart && { statechart: membersStatechart }),
        dataOf: (peer) => this.#roster.dataOf(peer),
        idOf: (peer) => this.#roster.idOf(peer),
        address: this.#options.address ?? (() => null),
        settleMs: this.#promiseMs,
        asks: () => this.#exclusion === null && !this.#leaving && (this.#options.asks?.() ?? true),
        mostVoters: this.#options.mostVoters ?? (() => Number.POSITIVE_INFINITY),
        hastens: () => this.#isReplacing,
        leastVoters: members?.leastVoters ?? 1,
        removeAfterMs: members?.removeAfterMs ?? null,
        configured: (...change) => this.#configured(...change),
        crashed: (error) => this.crash(error),
      },
      record,
    );
    this.#members = actor;
    if (record.configuration) {
      if (record !== store.members) {
        store.putMembers(record);
        this.#syncOr('keep the voters');
      }
      this.#apply(record.configuration, false);
    }
    actor.start();
  }

  /** A site that is no member without having been removed in this run asks to be added. */
  #configured(configuration: Configuration, joins: boolean, isRemoved: boolean): void {
    const { self, store, notice } = this.#options;
    const { term, version } = configuration;
    const isOut = isRemoved && !this.#leaving;
    this.#apply(configuration, joins, isOut);
    notice({ type: 'members', term, version, voters: this.#roster.voters, joins });
    if (joins) this.#joined();
    if (!isOut) return;
    this.#exclude(
      'NOT_A_MEMBER',
      `${self} (${store.id}) was removed from the cluster, whose members are ${this.#roster.voters.toSorted().join(', ')}: start it ` +
        'again, and it asks to be added',
    );
  }

  /** The locks, and when they are stood for, go by it from now on. `isOut`: without this site, whose locks take part in nothing any more. */
  #apply(configuration: Configuration, joins: boolean, isOut = false): void {
    const { self, mailbox } = this.#options;
    const before = this.#roster.configuration;
    const had = this.#trigger.majority;
    const ups = new Set(this.#roster.peers.filter((peer) => this.#isUp(peer)));
    this.#roster.configuration = configuration;
    const { peers, voters } = this.#roster;
    for (const peer of peers) mailbox.add(peer, this.#members?.record.addresses[peer] ?? null);
    for (const peer of this.#unmet) if (!peers.includes(peer)) this.#unmet.delete(peer);
    const change = {
      type: 'configured',
      ...membershipOf(configuration),
      voters: Object.fromEntries(voters.map((voter) => [voter, true as const])),
      joins: joins || isOut,
    } as const;
    // A lock that is opened before any configuration is known begins with that of the founders.
    const isTheirs = compare(configuration, foundersMembership) === 0;
    if (before !== null || joins || !isTheirs)
      for (const actor of this.#locks.all()) actor.configured(change);
    // Votes that are kept back were asked for in the configuration before, and elect nobody: that of the holder may be missing. A token may
    // be kept back behind a vote, and nothing is granted at a site that is removed.
    if (!isOut) for (const { votes } of this.#locks.active()) votes?.close();
    const names = Object.keys(before?.voters ?? {});
    const gone = names.filter((voter) => !(voter in configuration.voters)).map(nameOf);
    // A lease needs the promises of a majority, and a voter that has joined gives none in the epochs before.
    const came =
      before && this.#options.strict ? voters.filter((name) => !names.map(nameOf).includes(name)) : [];
    // A waiting site learns that messages which were not taken are lost, as in a crash of their source.
    const unheard = [...this.#untaken].filter((name) => this.#roster.isMember(name));
    for (const name of unheard) this.#untaken.delete(name);
    const others = (sites: readonly SiteId[]) => sites.filter((name) => name !== self);
    this.#trigger.reconfigured(others(gone), others([...came, ...unheard]));
    for (const peer of this.#roster.met)
      if (!ups.has(peer) && peers.includes(peer) && this.#isUp(peer))
        this.#follow({ type: 'up', peer, incarnation: '' });
    for (const name of gone) if (this.#roster.idOf(name) === null) this.#forgetLater(name);
    if (this.#trigger.majority) this.#minority.regained();
    else if (had) {
      this.#minority.lost('closed');
      this.#minority.watch();
    }
    if (this.#roster.includesSelf) this.guests?.tellAll();
    else this.guests?.dismissAll();
    this.#resolveWhenReady();
    this.#beginWhenReady();
  }

  /** From now on this site tells of the founding as those do that were there. */
  #joined(): void {
    const { store } = this.#options;
    const { founding } = this.#roster;
    this.#exclusion = null;
    if (store.founding?.stage === 'settled' && store.founding.generation === founding!.generation) return;
    store.putFounding({ ...founding!, stage: 'settled' });
    this.#foundingActor.stop();
    this.#foundingActor = this.#newFoundingActor();
    for (const peer of this.#roster.met) this.#foundingActor.met(peer, this.#roster.idOf(peer)!);
  }

  /** Nobody is granted anything here any more. */
  #exclude(code: 'NOT_A_MEMBER' | 'FOUNDED_ANEW', why: string): void {
    this.#exclusion = new OperatingError(code, why);
    this.#options.notice({ type: 'error', error: this.#exclusion, peer: null, remote: null });
    this.#begun = false;
    // Locks held here are lost, as if this site joined anew.
    const { configuration, voters } = this.#roster;
    const of = {
      ...membershipOf(configuration),
      voters: Object.fromEntries(voters.map((name) => [name, true as const])),
    };
    for (const actor of this.#locks.all()) actor.configured({ type: 'configured', ...of, joins: true });
    this.#locks.clear(this.#exclusion);
  }

  /** Why nobody may be granted anything here as yet, to be read behind a colon; `null`: nothing is known to be in the way. */
  #hindrance(): string | null {
    const { founding, configuration } = this.#roster;
    if (founding !== null && !this.#roster.includesSelf) {
      const voters = configuration ? this.#roster.voters : Object.keys(founding.ids);
      return `this site is no member yet: it asks ${voters.toSorted().join(', ')} to be added, and a majority of them must be up`;
    }
    if (founding === null) {
      const unmet = this.#foundingActor.unmet;
      const why =
        unmet.length > 0 ? `never met: ${unmet.join(', ')}` : 'not all of its sites have agreed to it';
      return `the cluster is not founded yet (${why})`;
    }
    return this.majority
      ? null
      : `no majority of the voters is in reach (missing: ${this.#missing.join(', ')})`;
  }

  /** Voters that are not up. */
  get #missing(): readonly SiteId[] {
    const { self } = this.#options;
    return this.#roster.voters.filter((voter) => voter !== self && !this.#isUp(voter)).toSorted();
  }

  #linkRestarted(peer: SiteId): void {
    const { recorder } = this.#options;
    const told = recorder.active
      ? this.#locks.all()
      : this.#feed.open.flatMap((lock) => this.#locks.find(lock) ?? []);
    for (const actor of told) actor.linkRestarted(peer);
  }

  #follow(change: PeerChange): void {
    // The kept votes came by the link as it was.
    for (const { votes } of this.#locks.active()) {
      if (change.type === 'down') votes?.absent(change.peer);
      if (change.type === 'restarted') votes?.close();
    }
    if (change.type === 'restarted') {
      this.#admission.restarted(change.peer);
      this.#linkRestarted(change.peer);
    }
    const had = this.#trigger.majority;
    this.#trigger.peer(change);
    this.#beginWhenReady();
    if (this.#trigger.majority) this.#minority.regained();
    else {
      if (had) this.#minority.lost(change.type === 'down' ? change.why : 'closed');
      this.#minority.watch();
    }
  }

  /** `work`, unless this site has ended before. */
  #after(ms: number, work: () => void): void {
    if (this.#ended) return;
    const cancel = this.#options.clock.after(ms, () => {
      this.#cancels.delete(cancel);
      work();
    });
    this.#cancels.add(cancel);
  }

  #anyWaits(): boolean {
    for (const { waiting } of this.#locks.active()) if (waiting > 0) return true;
    return false;
  }

  #beginWhenReady(): void {
    if (this.#begun) return;
    this.#begun = this.#roster.includesSelf && this.majority;
    if (this.#begun) for (const actor of this.#locks.active()) actor.begin();
  }

  /** The record first: it may say more than the disk, which a crash forgets, but never less. */
  #sync(): void {
    const { recorder, store } = this.#options;
    recorder.flush();
    store.sync();
  }

  /** Called before messages leave: the state that they tell of must be on the disk. */
  beforeWrite(): void {
    this.#syncOr('sync its disk');
  }

  #syncOr(what: string): void {
    try {
      this.#sync();
    } catch (cause) {
      const { self } = this.#options;
      const reason = reasonOf(cause);
      // It closes every connection, so that nothing is written.
      this.crash(new InvariantError('EFFECT_FAILED', `${self} cannot ${what}: ${reason}`, { cause }));
    }
  }
}

/** The row of a lock in the table that a viewer asks for. */
function rowOf(lock: string, status: LockStatus): SiteLock {
  const { epoch, frozen, token, line, waiting, waitedMs, changedMs, fence, heldMs } = status;
  const held = fence === undefined || heldMs === undefined ? null : { fence, heldMs };
  return { lock, epoch, frozen, token, line, held, waiting, waitedMs, changedMs };
}
