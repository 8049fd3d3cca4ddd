import type { AnyStateMachine, InspectionEvent, Observer } from 'xstate';
import type { SiteId } from '../../machines/actor.ts';
import type { Membership, SiteMessage } from '../../machines/epoch/messages.ts';
import { siteMachine } from '../../machines/epoch/site.ts';
import { foundersMembership } from '../../machines/epoch/variables.ts';
import { reasonOf } from '../../machines/errors.ts';
import { type Configuration, compare, nameOf, voterOf } from '../../machines/members/configuration.ts';
import type { Founding } from '../../machines/members/founding.ts';
import type { SiteLock } from '../../machines/watch.ts';
import { InvariantError, OperatingError } from '../api/errors.ts';
import type { Address, PeerChange, StampedEnvelope } from '../api/peer.ts';
import type { LockStatus } from '../api/status.ts';
import type { Viewer, WatchSession } from '../api/watch.ts';
import type { Engine } from '../driver/actor.ts';
import { ElectionTrigger } from '../election/election-trigger.ts';
import { GuestHost, type GuestHostOptions } from '../guest/guest-host.ts';
import { GrantWatch } from '../lock/grant-watch.ts';
import { Places } from '../lock/places.ts';
import { Row } from '../lock/row.ts';
import type { MailboxHandlers } from '../mailbox/mailbox.ts';
import { Candidacies } from '../observe/candidacies.ts';
import { LiveFeed } from '../observe/live-feed.ts';
import type { Recorder } from '../observe/recorder.ts';
import { defaultDriftShare, type Limits, type StrictSettings } from '../options/schema.ts';
import { type ByeReason, membersLock } from '../wire/frames.ts';
import { Admission } from './admission.ts';
import { LockActor, type LockActorSetting, type Unheard } from './lock-actor.ts';
import { durableOf, type LockBegin, LockTable } from './lock-table.ts';
import type { WantedChange } from './members-actor.ts';
import { MinorityWatch } from './minority-watch.ts';
import { protocolName, since } from './protocol.ts';
import { rootOf } from './root.ts';
import type { Roster } from './roster.ts';
import { type MembershipSetting, SiteMembership } from './site-membership.ts';
import { Tally } from './tally.ts';

export interface SiteSetting extends MembershipSetting {
  /** Where processes become members by themselves. */
  readonly fits?: GuestHostOptions['fits'];
  /** Default: `siteMachine`. A test gives a mutant. */
  readonly statechart?: AnyStateMachine;
  readonly recorder: Recorder;
  /** Locks that nobody uses are forgotten (R13). Default: unless they are recorded, since a record goes on. */
  readonly forgets?: boolean;
  readonly limits: Pick<Limits, 'maxLocks' | 'maxLocksOfPeer' | 'maxBatch'>;
  /** `null`: without leases. */
  readonly strict: StrictSettings | null;
  readonly engine?: Engine;
  readonly inspect?: Observer<InspectionEvent> | ((event: InspectionEvent) => void);
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

/** One site: its locks and its membership, over one mailbox, with one store and one failure detector. */
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
  readonly #candidacies: Candidacies;
  readonly #unmet: Set<SiteId>;
  #resolveReady!: () => void;
  #rejectReady!: (reason: Error) => void;
  readonly #trigger: ElectionTrigger;
  readonly #membership: SiteMembership;
  readonly #roster: Roster;
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

  constructor(options: SiteSetting) {
    const { self: site, store, recorder, mailbox, timing, clock, strict, notice, inspect, engine } = options;
    this.#options = options;
    this.#candidacies = new Candidacies(clock);
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
      stood: (lock) => this.#candidacies.of(lock),
    });
    this.#unmet = new Set(options.peers);
    this.ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve;
      this.#rejectReady = reject;
    });
    // An unmet peer that nobody waits for is no error.
    this.ready.catch(() => undefined);
    this.#membership = new SiteMembership(
      { ...options, crashed: (error) => this.crash(error) },
      {
        promiseMs: promiseMsOf(strict),
        founded: () => this.#recheckUnmet(),
        configured: (...change) => this.#apply(...change),
        excluded: (reason) => this.#excluded(reason),
        missing: () => (this.majority ? null : this.#missing),
        sync: (what) => this.#syncOr(what),
      },
    );
    const { roster } = this.#membership;
    this.#roster = roster;
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
      promised: (epoch) => this.#membership.promised(epoch),
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
      hindrance: () => this.#membership.hindrance(),
      stood: (lock, epoch, because) => this.#candidacies.stood(lock, epoch, because),
      waitsInMinority: () => this.#minority.watch(),
      crashed: (error) => this.crash(error),
    };
    const { forgets = !recorder.active } = options;
    this.#locks = new LockTable({
      ...options,
      trigger: this.#trigger,
      admission: this.#admission,
      rootOf: (lock) => this.#rootOf(lock),
      floor: () => this.#membership.floor,
      raiseFloor: (floor) => this.#membership.raiseFloor(floor),
      promiseMs: promiseMsOf(strict),
      create: (lock, begin, by) => this.#newLockActor(lock, begin, by),
      forgets,
      outboxFill: () => this.reached.reduce((most, peer) => Math.max(most, mailbox.outboxFill(peer)), 0),
      mayForget: () => this.#begun && this.majority && this.#allKnowForget,
      mustKeep: (lock) => !this.#membership.isFounded || this.#feed.wants(lock),
    });
    this.#minority = new MinorityWatch({
      ...options,
      hasMajority: () => this.majority,
      anyWaits: () => this.#anyWaits(),
      voters: () => roster.voters,
      missing: () => this.#missing,
      majorityLost: (reason) => {
        this.#setting.grants.majorityLost(reason);
        this.guests?.majorityLost();
      },
    });
    if (mailbox.guests) {
      this.guests = new GuestHost({
        ...{ self: site, mailbox, attached: mailbox.guests, clock },
        driftShare: strict?.driftShare ?? defaultDriftShare,
        maxLocks: options.limits.maxLocksOfPeer,
        lock: (name) => this.actor(name),
        serves: () => this.#closedBy === null && this.#roster.includesSelf && !this.#minority.isLong,
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
    return this.#membership.founding;
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
    const { exclusion } = this.#membership;
    if (exclusion) throw exclusion;
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
    this.#membership.foundAlone();
  }

  /** Asks these members to add this site. */
  join(members: Readonly<Record<SiteId, Address>>): void {
    this.#membership.join(members);
  }

  async open(): Promise<void> {
    this.#membership.start();
    this.#beginWhenReady();
    await this.#options.mailbox.open(this);
  }

  /** Asks its guests to take the place of this site, which is going to leave. */
  replace(): void {
    this.#membership.hasten();
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
    if (membership) await this.#membership.resign(timeoutMs);
  }

  /**
   * Has this site make a change of the voters. Resolves when a majority of the voters have agreed to it.
   *
   * Rejects with `CHANGE_TIMEOUT`, `NOT_A_MEMBER`, `TOO_FEW_VOTERS`.
   */
  async change(wanted: WantedChange, timeoutMs: number): Promise<void> {
    if (this.#closedBy) throw this.#closedBy;
    await this.#membership.change(wanted, timeoutMs);
  }

  /** Nothing is taken or granted any more. */
  end(reason: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#closedBy = reason;
    this.#rejectReady(reason);
    this.#feed.close();
    this.#trigger.stop();
    this.#membership.stop(new OperatingError('SITE_CLOSED', reasonOf(reason)));
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
    const { voters, root = null } = this.#membership.first;
    return root ?? rootOf(lock, voters);
  }

  /** A lock is forgotten by all members, so that waits until all of them speak a version with FORGET. One that was never met may be of an older one. */
  get #allKnowForget(): boolean {
    const { mailbox } = this.#options;
    return this.#roster.peers.every((peer) => (mailbox.versionOf(peer) ?? 0) >= since.FORGET);
  }

  /** Takes a message of a peer. */
  receive(envelope: StampedEnvelope): void {
    if (this.#ended) return;
    if (envelope.lock === membersLock) {
      this.#membership.receive(envelope);
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
    if (term !== held?.term || version !== held.version) this.#membership.differs(source);
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
    if (isUp) this.#membership.met(peer, id!);
    else this.#membership.lost(peer);
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

  /** Each founder has accepted just now. One that this site has called in vain so far, as it started late, is not taken for dead. */
  #recheckUnmet(): void {
    for (const peer of this.#unmet) if (this.#options.mailbox.recheck(peer)) this.#trigger.rechecks(peer);
  }

  /** The locks, and when they are stood for, go by it from now on. `isOut`: without this site, whose locks take part in nothing any more. */
  #apply(configuration: Configuration, joins: boolean, isOut = false): void {
    const { self, mailbox } = this.#options;
    const before = this.#roster.configuration;
    const had = this.#trigger.majority;
    const ups = new Set(this.#roster.peers.filter((peer) => this.#isUp(peer)));
    this.#roster.configuration = configuration;
    const { peers, voters } = this.#roster;
    for (const peer of peers) mailbox.add(peer, this.#membership.toldAddressOf(peer));
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

  /** Nobody is granted anything here any more. */
  #excluded(reason: OperatingError): void {
    this.guests?.dismissAll();
    this.#options.notice({ type: 'error', error: reason, peer: null, remote: null });
    this.#begun = false;
    // Locks held here are lost, as if this site joined anew.
    const { configuration, voters } = this.#roster;
    const of = {
      ...membershipOf(configuration),
      voters: Object.fromEntries(voters.map((name) => [name, true as const])),
    };
    for (const actor of this.#locks.all()) actor.configured({ type: 'configured', ...of, joins: true });
    this.#locks.clear(reason);
    if (reason.code === 'FOUNDED_ANEW') this.#rejectReady(reason);
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

/** The longest time that a promise of a lease lasts; 0 without leases. */
function promiseMsOf(strict: StrictSettings | null): number {
  const { leaseMs = 0, driftShare = 0 } = strict ?? {};
  return Math.ceil((leaseMs * (1 + driftShare)) / (1 - driftShare));
}

/** The row of a lock in the table that a viewer asks for. */
function rowOf(lock: string, status: LockStatus): SiteLock {
  const { epoch, frozen, token, line, waiting, waitedMs, changedMs, fence, heldMs } = status;
  const held = fence === undefined || heldMs === undefined ? null : { fence, heldMs };
  return { lock, epoch, frozen, token, line, held, waiting, waitedMs, changedMs };
}
