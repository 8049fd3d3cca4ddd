import type { AnyStateMachine, InspectionEvent, Observer } from 'xstate';
import type { SiteId } from '../../machines/actor.ts';
import type { DurableState, SiteMessage } from '../../machines/epoch/messages.ts';
import { siteMachine } from '../../machines/epoch/site.ts';
import { reasonOf } from '../../machines/errors.ts';
import type { Founding } from '../../machines/members/founding.ts';
import type { SiteLock } from '../../machines/watch.ts';
import type { Clock, Random } from '../api/clock.ts';
import { InvariantError, OperatingError } from '../api/errors.ts';
import type { Notice } from '../api/notice.ts';
import type { PeerChange, StampedEnvelope } from '../api/peer.ts';
import type { LockStatus } from '../api/status.ts';
import type { Viewer, WatchSession } from '../api/watch.ts';
import type { Engine } from '../driver/actor.ts';
import { ElectionTrigger } from '../election/election-trigger.ts';
import type { Mailbox, MailboxHandlers } from '../mailbox/mailbox.ts';
import { LiveFeed } from '../observe/live-feed.ts';
import type { Recorder } from '../observe/recorder.ts';
import type { Limits, StrictSettings, Timing } from '../options/schema.ts';
import type { Store } from '../store/store.ts';
import { type ByeReason, membersLock } from '../wire/frames.ts';
import { Admission, tellFrom } from './admission.ts';
import { FoundingActor } from './founding-actor.ts';
import { LockActor, type LockActorSetting } from './lock-actor.ts';
import { protocolName, type Untaken } from './protocol.ts';
import { Tally } from './tally.ts';

/** Maximum number of names that one search looks at. */
const mostLookedAt = 200_000;

export interface SiteSetting {
  readonly self: SiteId;
  readonly peers: readonly SiteId[];
  /** The first root of a lock. */
  readonly root: (lock: string) => SiteId;
  readonly voters: readonly SiteId[];
  /** Default: `siteMachine`. A test gives a mutant. */
  readonly statechart?: AnyStateMachine;
  readonly mailbox: Mailbox;
  readonly store: Store;
  readonly recorder: Recorder;
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
  /** No majority of the voters has been in reach for so long that another site may lead by now. */
  readonly majorityLost?: (reason: OperatingError) => void;
  /** Nothing runs any more. */
  readonly crashed: (error: InvariantError) => void;
}

/** Number of idle locks that stay active, so that one in frequent use is not activated each time. */
const keptAwake = 1_024;
const nothingPromised: DurableState = { promised: 0, epoch: 0, root: '' };
const restEveryMs = 250;
/** At a start the others may be that much later. */
const tellMinorityMs = 5_000;

/** One site: its locks, over one mailbox, with one store and one failure detector. */
export class Site implements MailboxHandlers {
  readonly tally = new Tally();
  /** Resolves once every peer has been up and the cluster is founded. Rejects with the reason for which the site ended before. */
  readonly ready: Promise<void>;
  readonly #options: SiteSetting;
  readonly #setting: LockActorSetting;
  readonly #actors = new Map<string, LockActor>();
  /** Those that have what an idle one does not need. */
  readonly #active = new Set<LockActor>();
  readonly #admission: Admission;
  readonly #feed: LiveFeed;
  readonly #unmet: Set<SiteId>;
  #resolveReady!: () => void;
  #rejectReady!: (reason: Error) => void;
  readonly #trigger: ElectionTrigger;
  readonly #foundingActor: FoundingActor;
  /** `null`: the cluster is not founded, as far as is known here, and no lock may be used. */
  #founding: Founding | null = null;
  /** Why this site takes no part in the cluster that there is. */
  #exclusion: OperatingError | null = null;
  /** Of the peers that were met: the data they have now, and whether they are up. */
  readonly #met = new Map<SiteId, { readonly id: string; up: boolean }>();
  #cancelPassivation: (() => void) | null = null;
  #cancelTelling: (() => void) | null = null;
  #isToldOfMinority = false;
  /** Founded, and a majority has been in reach? Before that, at the start of all, a suspicion would only disturb. */
  #begun = false;
  /** Why nobody is granted anything any more. */
  #closedBy: Error | null = null;
  #ended = false;

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
      names: (like, most) => this.names(like, most),
      row: (lock) => rowOf(lock, this.#actors.get(lock)!.status),
      peek: (lock) => {
        const actor = this.find(lock);
        return actor === undefined ? null : { seq: actor.seq, snapshot: actor.snapshot };
      },
    });
    this.#unmet = new Set(options.peers);
    this.ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve;
      this.#rejectReady = reject;
    });
    // An unmet peer that nobody waits for is no error.
    this.ready.catch(() => undefined);
    this.#admission = new Admission(options, this.tally);
    const durable = (lock: string) => this.#durable(lock);
    this.#trigger = new ElectionTrigger({
      ...options,
      isUp: (peer) => this.#isUp(peer),
      durable,
      waits: (lock) => this.#actors.get(lock)?.waits ?? false,
      suspect: (lock) => this.#actors.get(lock)!.suspect(),
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
      answerMs: timing.heartbeatMs,
      mailbox,
      store,
      durable,
      trigger: this.#trigger,
      graceMs: timing.electionMinMs / 4,
      leases: strict,
      notice,
      sync: () => this.#sync(),
      activated: (actor) => this.#activated(actor),
      isUp: (peer) => this.#isUp(peer),
      generation: () => this.#founding!.generation,
      begun: () => this.#begun,
      hindrance: () => this.#hindrance(),
      waitsInMinority: () => this.#watchMinority(),
      crashed: (error) => this.crash(error),
    };
    this.#foundingActor = new FoundingActor({
      self: site,
      founders: [site, ...options.peers],
      mailbox,
      store,
      generation: options.generation ?? (() => 1),
      founded: (founding) => this.#founded(founding),
      excluded: () => this.#excluded(),
      crashed: (error) => this.crash(error),
    });
  }

  get locks(): number {
    return this.#actors.size;
  }

  /** At most `most` names of locks that contain `like`, the ones in use first. `more`: there may be others. */
  names(like: string, most: number): { readonly some: readonly string[]; readonly more: boolean } {
    const names = new Set<string>();
    let seen = 0;
    for (const lock of this.#known()) {
      if (names.size >= most || seen >= mostLookedAt) return { some: [...names], more: true };
      seen += 1;
      if (lock.includes(like)) names.add(lock);
    }
    return { some: [...names], more: false };
  }

  *#known(): Generator<string> {
    for (const { lock } of this.#active) yield lock;
    yield* this.#actors.keys();
  }

  /** Peers that have not been up yet. */
  get unmet(): readonly SiteId[] {
    return [...this.#unmet];
  }

  get majority(): boolean {
    return !this.#ended && this.#trigger.majority;
  }

  /** What the cluster was founded as; `null`: it is not, as far as is known here. */
  get founding(): Founding | null {
    return this.#founding;
  }

  /** How many locks stand still until an election is over. */
  get frozen(): number {
    return this.#trigger.frozen;
  }

  /** Throws `TOO_MANY_LOCKS`, `NOT_A_MEMBER`, and why nothing is granted any more. */
  actor(name: string): LockActor {
    if (this.#closedBy) throw this.#closedBy;
    if (this.#exclusion) throw this.#exclusion;
    return this.#actors.get(name) ?? this.#open(name);
  }

  /** The place of a lock that was used before. */
  find(name: string): LockActor | undefined {
    return this.#actors.get(name);
  }

  /** Lets `viewer` watch this site until the session is closed. */
  watch(viewer: Viewer): WatchSession {
    return this.#feed.attach(viewer);
  }

  async open(): Promise<void> {
    this.#foundingActor.start();
    this.#beginWhenReady();
    await this.#options.mailbox.open(this);
  }

  /**
   * Grants no more; once. Resolves when nobody holds a lock here and tokens are handed on, after `timeoutMs`, or when
   * the site ends meanwhile.
   */
  async leave(timeoutMs: number): Promise<void> {
    if (this.#ended) return;
    this.#closedBy ??= new OperatingError('SITE_LEAVING', 'this site is leaving and acquires no more');
    await Promise.all([...this.#active].map((actor) => actor.drain(timeoutMs)));
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
    this.#cancelPassivation?.();
    this.#cancelTelling?.();
    for (const actor of this.#actors.values()) actor.end(reason);
  }

  /** Ends, sends what is queued and says goodbye. */
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

  #open(lock: string): LockActor {
    const { self, peers, voters, limits, strict, root: rootOf } = this.#options;
    if (this.#actors.size >= limits.maxLocks) {
      throw new OperatingError(
        'TOO_MANY_LOCKS',
        `${self} knows ${limits.maxLocks} locks already (limits.maxLocks); there is no room for ${lock}`,
      );
    }
    this.#tellOfMany();
    const founder = rootOf(lock);
    const disk = this.#diskOf(lock, founder);
    this.#trigger.open(lock, typeof disk !== 'string');
    const input = { self, founder, voters, disk, ...(strict && { strict: true }) };
    const actor = new LockActor(this.#setting, lock, peers, input);
    this.#actors.set(lock, actor);
    return actor;
  }

  /** Once: before the first name is refused. */
  #tellOfMany(): void {
    const { limits, notice } = this.#options;
    const known = this.#actors.size;
    if (known !== Math.floor(limits.maxLocks * tellFrom)) return;
    notice({ type: 'many-locks', known, most: limits.maxLocks, limit: 'maxLocks', peer: null });
  }

  /** A lock that there was no room for begins as after a crash: no epoch before is this site's (R7). */
  #diskOf(lock: string, root: SiteId): DurableState | 'none' {
    const kept = this.#options.store.read(lock, root);
    return kept === 'none' && this.#admission.mayHaveRefused(lock) ? { promised: 0, epoch: 0, root } : kept;
  }

  #durable(lock: string): DurableState {
    const kept = this.#options.store.read(lock, '');
    return kept === 'none' ? nothingPromised : kept;
  }

  /** Takes a message of a peer. */
  receive(envelope: StampedEnvelope): void {
    if (this.#ended) return;
    if (envelope.lock === membersLock) {
      this.#foundingActor.receive(envelope);
      return;
    }
    // Whoever is founded has said so before on this link. What others tell of the locks is not for these data.
    if (this.#founding === null) return;
    if (this.#isStranger(envelope.source)) {
      const what = `${envelope.source} has data that are no part of the cluster, and yet tells of ${envelope.lock}`;
      this.#options.mailbox.refuse(envelope, new OperatingError('PROTOCOL_BREACH', what));
      return;
    }
    const actor = this.#actors.get(envelope.lock);
    if (envelope.message.type === 'UNTAKEN') {
      if (actor) this.#untaken(actor, envelope);
    } else if (actor) actor.receive(envelope);
    else this.#receiveFirst(envelope);
  }

  /** A peer names a lock that this site has not heard of. */
  #receiveFirst(envelope: StampedEnvelope): void {
    const { lock, message } = envelope;
    if (!this.#admission.admits(envelope, this.#actors.size)) return;
    const actor = this.#open(lock);
    actor.receive(envelope);
    // Closed, it takes no REQUEST of an epoch that it may have had a part in before (R0).
    const { type, epoch } = message as SiteMessage;
    if (this.#admission.mayHaveRefused(lock) && type === 'REQUEST' && epoch === 0)
      this.#admission.answer(envelope);
  }

  #untaken(actor: LockActor, envelope: StampedEnvelope): void {
    const { epoch } = envelope.message as Untaken;
    const { promised } = actor.snapshot.context as { readonly promised?: number };
    if (promised !== undefined && epoch > promised) {
      const { source, lock } = envelope;
      const what = `${source} says that it did not take a message of ${lock} in epoch ${epoch}, which was never sent`;
      this.#options.mailbox.refuse(envelope, new OperatingError('PROTOCOL_BREACH', what));
      return;
    }
    const { lostOf, inVain } = this.#admission.rejectedBy(envelope);
    this.#trigger.rejected(actor.lock, lostOf, inVain !== null);
    if (inVain) actor.refuse(inVain);
  }

  /** A peer is up, down or restarted. One whose data are no part of the cluster is as good as down. */
  peerChanged(change: PeerChange, id: string | null): void {
    if (this.#ended) return;
    const { peer } = change;
    const isUp = change.type !== 'down';
    if (id !== null) this.#met.set(peer, { id, up: isUp });
    // Before anything is said of a lock.
    if (isUp) this.#foundingActor.met(peer, id!);
    this.#options.notice(change);
    if (isUp && this.#isStranger(peer)) {
      if (change.type === 'restarted') this.#linkRestarted(peer);
      this.#estrange(peer);
      return;
    }
    if (isUp) this.#unmet.delete(peer);
    this.#resolveWhenReady();
    this.#follow(change);
  }

  #resolveWhenReady(): void {
    if (this.#unmet.size === 0 && this.#founding !== null) this.#resolveReady();
  }

  /** These data took the place of those that the cluster was founded with. */
  #isStranger(peer: SiteId): boolean {
    const met = this.#met.get(peer);
    return this.#founding !== null && met !== undefined && this.#founding.ids[peer] !== met.id;
  }

  #isUp(peer: SiteId): boolean {
    return this.#options.mailbox.isUp(peer) && !this.#isStranger(peer);
  }

  #estrange(peer: SiteId): void {
    const error = new OperatingError(
      'NOT_A_MEMBER',
      `${peer} was started with another data directory than the cluster was founded with: it takes no part in it. ` +
        'Give it back its own; if that is lost, the cluster goes on without it',
    );
    this.#options.notice({ type: 'error', error, peer, remote: null });
    this.#follow({ type: 'down', peer, why: 'closed' });
  }

  #founded(founding: Founding): void {
    this.#founding = founding;
    this.#exclusion = null;
    this.#options.notice({ type: 'founded', ...founding });
    for (const [peer, { up }] of this.#met) if (up && this.#isStranger(peer)) this.#estrange(peer);
    this.#resolveWhenReady();
    this.#beginWhenReady();
  }

  #excluded(): void {
    const { self, store } = this.#options;
    this.#exclusion = new OperatingError(
      'NOT_A_MEMBER',
      `the cluster was founded with other data of ${self} than these (${store.id}), so that ${self} takes no part in it: what ` +
        'it promised is not here. Give it back its data directory. If that is lost, the cluster goes on without it',
    );
    for (const actor of this.#active) actor.refuse(this.#exclusion);
  }

  /** Why nobody may be granted anything here as yet, to be read behind a colon; `null`: nothing is known to be in the way. */
  #hindrance(): string | null {
    if (this.#founding === null) {
      const unmet = this.#foundingActor.unmet;
      const why =
        unmet.length > 0 ? `never met: ${unmet.join(', ')}` : 'not all of its sites have agreed to it';
      return `the cluster is not founded yet (${why})`;
    }
    return this.majority ? null : 'no majority of the voters is in reach';
  }

  #linkRestarted(peer: SiteId): void {
    const { recorder } = this.#options;
    const told = recorder.active ? this.#actors.keys() : this.#feed.open;
    for (const lock of told) this.#actors.get(lock)?.linkRestarted(peer);
  }

  #follow(change: PeerChange): void {
    // What is kept came by the link as it was.
    for (const { votes } of this.#active) {
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
    if (this.#trigger.majority) this.#isToldOfMinority = false;
    else {
      if (had) this.#loseMajority(change);
      this.#watchMinority();
    }
  }

  /** Another site may lead once a majority has begun an epoch without this one: not before this one was silent. */
  #loseMajority(change: PeerChange): void {
    const { clock, timing, majorityLost } = this.#options;
    const tell = () => {
      if (this.#ended || this.majority) return;
      const reason = 'no majority of the voters is in reach, and another site may lead by now';
      majorityLost?.(new OperatingError('LOCK_LOST', reason));
    };
    if (change.type === 'down' && change.why === 'silent') tell();
    else clock.after(timing.failureTimeoutMs, tell);
  }

  /** A caller that waits without a majority is granted nothing, perhaps for ever: that is told once. */
  #watchMinority(): void {
    const { clock, timing } = this.#options;
    if (this.#isToldOfMinority || this.#cancelTelling || !this.#anyWaits()) return;
    this.#cancelTelling = clock.after(Math.max(tellMinorityMs, 2 * timing.failureTimeoutMs), () => {
      this.#cancelTelling = null;
      if (this.#ended || this.majority || !this.#anyWaits()) return;
      this.#isToldOfMinority = true;
      const { self, voters, notice } = this.#options;
      const missing = voters.filter((voter) => voter !== self && !this.#isUp(voter));
      notice({ type: 'no-majority', missing, of: voters.length });
    });
  }

  #anyWaits(): boolean {
    for (const { waiting } of this.#active) if (waiting > 0) return true;
    return false;
  }

  #beginWhenReady(): void {
    if (this.#begun) return;
    this.#begun = this.#founding !== null && this.majority;
    if (this.#begun) for (const actor of this.#active) actor.begin();
  }

  #activated(actor: LockActor): void {
    this.#active.add(actor);
    if (this.#active.size > keptAwake) this.#cancelPassivation ??= this.#passivateLater();
  }

  #passivateLater(): () => void {
    return this.#options.clock.after(restEveryMs, () => {
      this.#cancelPassivation = null;
      for (const actor of this.#active) {
        if (this.#active.size <= keptAwake) return;
        actor.turned();
        if (actor.passivate()) this.#active.delete(actor);
      }
      if (this.#active.size > keptAwake) this.#cancelPassivation = this.#passivateLater();
    });
  }

  /** The record first: it may say more than the disk, which a crash forgets, but never less. */
  #sync(): void {
    const { recorder, store } = this.#options;
    recorder.flush();
    store.sync();
  }

  /** Called before messages leave: what they say must be on the disk. */
  beforeWrite(): void {
    try {
      this.#sync();
    } catch (cause) {
      const { self } = this.#options;
      const reason = reasonOf(cause);
      // It closes every connection, so that nothing is written.
      this.crash(new InvariantError('EFFECT_FAILED', `${self} cannot sync its disk: ${reason}`, { cause }));
    }
  }
}

/** The row of a lock in the table that a viewer asks for. */
function rowOf(lock: string, status: LockStatus): SiteLock {
  const { epoch, frozen, token, next, waiting, waitedMs, changedMs, fence, heldMs } = status;
  const held = fence === undefined || heldMs === undefined ? null : { fence, heldMs };
  return { lock, epoch, frozen, token, next, held, waiting, waitedMs, changedMs };
}
