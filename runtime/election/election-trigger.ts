import type { SiteId } from '../../machines/actor.ts';
import type { DurableState, SiteMessage, Suspicion, SuspicionReason } from '../../machines/epoch/messages.ts';
import type { Clock, Random } from '../api/clock.ts';
import type { DownReason, PeerChange } from '../api/peer.ts';
import type { Timing } from '../options/schema.ts';

export interface ElectionTriggerOptions {
  readonly self: SiteId;
  /** The current voters. */
  readonly voters: readonly SiteId[];
  /** Reports whether this name is a member's. Default: every name is. */
  readonly isMember?: (site: SiteId) => boolean;
  readonly timing: Timing;
  readonly clock: Clock;
  readonly random: Random;
  /** Whether a peer is believed up. */
  readonly isUp: (peer: SiteId) => boolean;
  /** The promise and the epoch of a lock at this site. */
  readonly durable: (lock: string) => DurableState;
  /** Whether local callers wait for a lock. */
  readonly waits: (lock: string) => boolean;
  /** Has the statechart of the lock stand for a new epoch. */
  readonly suspect: (lock: string, because: Suspicion) => void;
  /** Default: `passivation`. */
  readonly passivation?: Passivation;
}

/** The trigger's state of an idle lock. */
export interface IdleLock {
  /** Since the restart of this site, until it promises or adopts an epoch. */
  readonly recovering: boolean;
  /** It is recovering because the lock was forgotten, so that there is nobody to wait for (R13). */
  readonly forgotten: boolean;
  /** Deaths up to this number had no part in the present epoch. */
  readonly covered: number;
}

/** A lock with which something happens: local callers wait, it is frozen, or a message about it is lost. */
export interface WatchedLock {
  readonly lock: string;
  /** The promise and the epoch of the lock at this site, as they were persisted last. */
  promised: number;
  epoch: number;
  recovering: boolean;
  forgotten: boolean;
  covered: number;
  /** How many deaths were known when the site promised its latest epoch. */
  promisedAt: number;
  /** The latest epoch with a message that was lost with the incarnation of a peer. */
  lostOf: number;
  /** The epoch for which this site stood last. */
  stoodFor: number;
  /** Elections that this site began since it adopted the present epoch. */
  attempts: number;
  /** How often this site stood out of patience in this wait. */
  patience: number;
  /** No majority has room for the lock. */
  inVain: boolean;
  /** This site stood since no majority is in reach. */
  warned: boolean;
  /** The reason for which `due` was drawn. */
  cause: Cause | null;
  due: number | null;
}

/** A watched lock with the state that the trigger does not keep itself. */
export type LockView = WatchedLock & { readonly waits: boolean };

/** When a lock is no longer watched, and what the trigger remembers of it then. */
export interface Passivation {
  readonly isIdle: (lock: LockView) => boolean;
  /** `null`: it is as at the beginning. */
  readonly keep: (lock: WatchedLock) => IdleLock | null;
  /** Up to this number of locks all are watched, so that one in frequent use is not activated each time. */
  readonly few: number;
}

/** The other variables are as `activate` makes them, or are never read. */
export const passivation: Passivation = {
  isIdle: ({ waits, promised, epoch, recovering, stoodFor, attempts, warned, cause, lostOf }) =>
    // A candidacy may be deferred by a promise, and begin later.
    !(waits || warned) &&
    cause === null &&
    attempts === 0 &&
    stoodFor <= promised &&
    (recovering || (promised === epoch && lostOf < epoch)),
  keep: ({ recovering, forgotten, covered }) =>
    !recovering && covered === 0 ? null : { recovering, forgotten, covered },
  few: 1_024,
};

/**
 * Number of candidacies that begin at once: the death of a link may be a reason for thousands, and each sends a message to every
 * voter. The next ones follow in another turn of the event loop, so that messages of peers are read between.
 */
const mostAtOnce = 128;
/**
 * Number of elections under way that this site began for locks which were forgotten (R13). Where thousands of callers come with such
 * names at once, votes for all of them would take longer than a candidate waits, and each would stand again.
 */
const mostBeginning = 64;

/** Whether the lock was forgotten, so that its first use costs an election (R13). */
const isBeginning = ({ recovering, forgotten }: WatchedLock) => recovering && forgotten;

function activate(
  lock: string,
  idle: IdleLock | undefined,
  { promised, epoch }: Pick<DurableState, 'promised' | 'epoch'>,
): WatchedLock {
  return {
    lock,
    promised,
    epoch,
    recovering: idle?.recovering ?? false,
    forgotten: idle?.forgotten ?? false,
    covered: idle?.covered ?? 0,
    // Read only when an epoch is adopted that was promised before: in an earlier run, then.
    promisedAt: 0,
    lostOf: -1,
    stoodFor: 0,
    attempts: 0,
    patience: 0,
    inVain: false,
    warned: false,
    cause: null,
    due: null,
  };
}

/** A lock that was forgotten needs no time to be drawn: it is stood for at once. */
type Reason = Exclude<SuspicionReason, 'forgotten'>;
/** A new election is a new reason: it is named by the promised epoch. */
type Cause = Exclude<Reason, 'election'> | `election ${number}`;

interface Peer {
  /** Numbers of deaths: that of its earlier life, and that of this one; null when it is up or was never met. */
  past: number;
  down: number | null;
  /** The grounds on which it was last believed dead. */
  why: DownReason | null;
}

/**
 * Decides when this site stands for a new epoch, for each of its locks: by the deaths of peers, by callers that wait, and by
 * what the site promised and adopted. It never looks at a statechart's state.
 *
 * A site stands once for one death: an epoch that it promised or won after it heard of the death has no part of the dead
 * in it. A death that proves to be none before the site stands is forgotten.
 *
 * There may be a million locks, and most of them are idle: nothing that happens to a peer or in time walks over those.
 */
export class ElectionTrigger {
  readonly #options: ElectionTriggerOptions;
  readonly #passivation: Passivation;
  readonly #idle = new Map<string, IdleLock>();
  readonly #watched = new Map<string, WatchedLock>();
  /** Watched locks for which a time to stand is drawn. */
  readonly #drawn = new Set<WatchedLock>();
  /** Locks that were forgotten, and for which this site stands the first time. At most `mostBeginning`. */
  readonly #beginning = new Set<string>();
  readonly #peers = new Map<SiteId, Peer>();
  #majority: boolean;
  #deaths = 0;
  /** The number of the latest death that still counts. 0: none does. */
  #latest = 0;
  #isAnyDown = false;
  /** No lock of `#drawn` is due before this time. */
  #earliest: number | null = null;
  #timer: { readonly at: number; readonly cancel: () => void } | null = null;
  #stopped = false;

  constructor(options: ElectionTriggerOptions) {
    this.#options = options;
    this.#passivation = options.passivation ?? passivation;
    this.#majority = this.#countMajority();
  }

  /** Whether a majority of the voters is in reach, this site among them. */
  get majority(): boolean {
    return this.#majority;
  }

  /** Number of frozen locks, without recovering ones for which no caller waits. */
  get frozen(): number {
    let count = 0;
    for (const { promised, epoch } of this.#watched.values()) if (promised > epoch) count += 1;
    return count;
  }

  /**
   * A lock begins. `recovering`: it ran in an earlier run of this site, and any of the dead may have a part in it, or it was
   * `forgotten`.
   */
  open(lock: string, recovering: boolean, forgotten = false): void {
    const watched = this.#watched.get(lock);
    // It was ended with all others when this site was removed, and begins again as after a restart.
    if (watched) {
      const { promised, epoch } = this.#options.durable(lock);
      Object.assign(watched, { promised, epoch, recovering, forgotten });
    } else if (recovering) this.#idle.set(lock, { recovering, forgotten, covered: 0 });
  }

  /** The epoch of the lock is over, as after a restart, and no site is in it (R13). */
  forgotten(lock: string): void {
    const watched = this.#activate(lock);
    watched.recovering = true;
    watched.forgotten = true;
    this.#reconsider(watched);
    this.#arm();
  }

  /** Drops the state of the lock. False: it may still be needed. */
  drop(lock: string): boolean {
    const watched = this.#watched.get(lock);
    if (watched && !this.#isIdle(watched)) return false;
    this.#watched.delete(lock);
    this.#idle.delete(lock);
    this.#beganOrGaveUp(lock);
    return true;
  }

  /** Whether nothing is under way about the lock, so that it can be forgotten. */
  isQuiet(lock: string): boolean {
    const watched = this.#watched.get(lock);
    return watched === undefined || this.#isIdle(watched);
  }

  /** The site has promised or adopted an epoch of the lock. `before` is the state before. */
  persisted(lock: string, before: DurableState): void {
    const watched = this.#activate(lock);
    const { promised, epoch, root } = this.#options.durable(lock);
    watched.promised = promised;
    watched.epoch = epoch;
    watched.recovering = false;
    if (promised > before.promised) watched.promisedAt = this.#deaths;
    if (epoch > before.epoch) {
      watched.attempts = 0;
      watched.inVain = false;
      // A voter is up when it votes. Only the root may have voted before a death that was known by then.
      watched.covered = this.#isGone(root) ? -1 : Math.min(watched.promisedAt, this.#deathOf(root) - 1);
      this.#beganOrGaveUp(lock);
    }
    this.#reconsider(watched);
    this.#arm();
  }

  /** Callers begin to wait. Not null: this site must stand first, so that no minority grants the lock. */
  asked(lock: string): Suspicion | null {
    const watched = this.#activate(lock);
    const follows = !watched.recovering && watched.promised === watched.epoch;
    watched.patience = 0;
    const standsFirst = this.#majority ? isBeginning(watched) && !this.#areManyBeginning : follows;
    if (standsFirst) this.#stand(watched);
    else this.#reconsider(watched, true);
    this.#arm();
    return standsFirst ? this.#suspicion(this.#majority ? 'forgotten' : 'minority') : null;
  }

  /** Callers do not wait any more: one was granted the lock, or they gave up. */
  settled(lock: string): void {
    this.#reconsider(this.#activate(lock), false);
    this.#arm();
  }

  /**
   * A peer has no room for the lock, and rejected a REQUEST of `epoch`; `null`: it rejected a message that nobody waits for.
   * `inVain`: no majority has room for it, and this site stands only while callers wait.
   */
  rejected(lock: string, epoch: number | null, inVain: boolean): void {
    const watched = this.#activate(lock);
    if (epoch !== null) watched.lostOf = Math.max(watched.lostOf, epoch);
    watched.inVain = inVain;
    this.#reconsider(watched);
    this.#arm();
  }

  /** A peer is up, down or restarted. */
  peer(change: PeerChange): void {
    const known = this.#peers.get(change.peer) ?? { past: 0, down: null, why: null };
    this.#peers.set(change.peer, known);
    if (change.type === 'down') {
      this.#deaths += 1;
      known.down ??= this.#deaths;
      known.why = change.why;
    } else {
      // Also where the incarnation is the same: a link that begins anew has lost the messages under way.
      if (change.type === 'restarted') {
        this.#deaths += 1;
        known.past = this.#deaths;
        for (const { lock, message } of change.lost) {
          const { type, epoch } = message as SiteMessage;
          if (!['TOKEN', 'REQUEST', 'NEW'].includes(type)) continue;
          const watched = this.#activate(lock);
          watched.lostOf = Math.max(watched.lostOf, epoch);
        }
      }
      known.down = null;
    }
    this.#recount();
  }

  #recount(): void {
    const peers = [...this.#peers.values()];
    this.#latest = Math.max(0, ...peers.map(({ past, down }) => Math.max(past, down ?? 0)));
    this.#isAnyDown = peers.some(({ down }) => down !== null);
    this.#majority = this.#countMajority();
    this.#reconsiderAll();
    this.#standWhereDue();
  }

  /**
   * The voters have changed. Those that are `gone` will not answer: they count as dead, and no site waits for them to
   * come back.
   */
  reconfigured(gone: readonly SiteId[], closed: readonly SiteId[] = []): void {
    for (const site of gone) {
      this.#deaths += 1;
      this.#peers.set(site, { past: this.#deaths, down: null, why: null });
    }
    // These take part from the next epoch on, as after a restart.
    for (const site of closed) {
      this.#deaths += 1;
      const { down, why } = this.#peers.get(site) ?? { down: null, why: null };
      this.#peers.set(site, { past: this.#deaths, down, why });
    }
    this.#recount();
  }

  /** The peer was never met, and is rechecked: what was believed of it is forgotten. */
  rechecks(peer: SiteId): void {
    this.#peers.delete(peer);
    this.#recount();
  }

  /** Stands no more. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #standWhereDue(): void {
    if (this.#stopped) return;
    for (const [lock, because] of this.#due()) this.#options.suspect(lock, because);
    this.#arm();
  }

  /** The locks for which this site stands now, each with the grounds. */
  #due(): readonly (readonly [string, Suspicion])[] {
    const now = this.#options.clock.now();
    if (this.#earliest === null || this.#earliest > now) return [];
    const locks: (readonly [string, Suspicion])[] = [];
    this.#earliest = null;
    for (const watched of this.#drawn) {
      const due = watched.due!;
      // No minority grants a lock meanwhile: all of these freeze at once.
      const mustWait = locks.length >= mostAtOnce && watched.cause !== 'minority';
      // It is due again once one of those that are under way has ended.
      if (due <= now && isBeginning(watched) && this.#areManyBeginning) continue;
      if (due > now || mustWait) {
        this.#earliest = Math.min(due, this.#earliest ?? due);
        continue;
      }
      const cause = watched.cause!;
      if (cause === 'patience') watched.patience += 1;
      this.#stand(watched);
      locks.push([
        watched.lock,
        this.#suspicion(cause.startsWith('election ') ? 'election' : (cause as Reason)),
      ]);
    }
    return locks;
  }

  #arm(): void {
    const at = this.#stopped ? null : this.#earliest;
    if (at === (this.#timer?.at ?? null)) return;
    this.#timer?.cancel();
    this.#timer = null;
    if (at === null) return;
    const { clock } = this.#options;
    const cancel = clock.after(Math.max(0, at - clock.now()), () => {
      this.#timer = null;
      this.#standWhereDue();
    });
    this.#timer = { at, cancel };
  }

  /** Records that this site stands; `persisted` follows. */
  #stand(watched: WatchedLock): void {
    watched.stoodFor = watched.promised + 1;
    watched.attempts += 1;
    watched.warned = !this.#majority;
    if (isBeginning(watched)) this.#beginning.add(watched.lock);
    else this.#beganOrGaveUp(watched.lock);
    this.#draw(watched, null, null);
  }

  #suspicion(reason: SuspicionReason): Suspicion {
    const down = [...this.#peers].flatMap(([peer, known]) =>
      known.down === null || known.why === null ? [] : [[peer, known.why] as const],
    );
    return { reason, down: Object.fromEntries(down) };
  }

  get #areManyBeginning(): boolean {
    return this.#beginning.size >= mostBeginning;
  }

  /** The first election of a lock that was forgotten is over, or has failed, so that another one may begin. */
  #beganOrGaveUp(lock: string): void {
    if (this.#beginning.delete(lock) && this.#drawn.size > 0) this.#earliest = this.#options.clock.now();
  }

  #draw(watched: WatchedLock, cause: Cause | null, due: number | null): void {
    watched.cause = cause;
    watched.due = due;
    if (due === null) {
      this.#drawn.delete(watched);
      if (this.#drawn.size === 0) this.#earliest = null;
      return;
    }
    this.#drawn.add(watched);
    this.#earliest = Math.min(due, this.#earliest ?? due);
  }

  #activate(lock: string): WatchedLock {
    const known = this.#watched.get(lock);
    if (known) return known;
    const watched = activate(lock, this.#idle.get(lock), this.#options.durable(lock));
    this.#idle.delete(lock);
    this.#watched.set(lock, watched);
    return watched;
  }

  #isIdle(watched: WatchedLock): boolean {
    return this.#passivation.isIdle({ ...watched, waits: this.#options.waits(watched.lock) });
  }

  #passivate(watched: WatchedLock): void {
    const { keep } = this.#passivation;
    const kept = keep(watched);
    this.#watched.delete(watched.lock);
    if (kept) this.#idle.set(watched.lock, kept);
  }

  #countMajority(): boolean {
    const { self, voters, isUp } = this.#options;
    return 2 * voters.filter((voter) => voter === self || isUp(voter)).length > voters.length;
  }

  #isGone(site: SiteId): boolean {
    return this.#options.isMember?.(site) === false;
  }

  #deathOf(site: SiteId): number {
    return this.#peers.get(site)?.down ?? Number.POSITIVE_INFINITY;
  }

  #reconsiderAll(): void {
    for (const watched of this.#watched.values()) {
      if (this.#majority && watched.warned) {
        watched.warned = false;
        watched.attempts = 0;
      }
      this.#reconsider(watched);
    }
  }

  /** Draws a time to stand, whenever there is another reason than before. */
  #reconsider(watched: WatchedLock, isWaiting = this.#options.waits(watched.lock)): void {
    const { clock } = this.#options;
    const { promised, epoch } = watched;
    const reason = this.#reasonOf(watched, promised, epoch, isWaiting);
    const cause = reason === 'election' ? (`${reason} ${promised}` as const) : reason;
    if (cause !== watched.cause)
      this.#draw(
        watched,
        cause,
        reason === null ? null : clock.now() + this.#delayOf(reason, watched, promised),
      );
    const { isIdle, few } = this.#passivation;
    if (this.#watched.size > few && isIdle({ ...watched, waits: isWaiting })) this.#passivate(watched);
  }

  #reasonOf(watched: WatchedLock, promised: number, epoch: number, waits: boolean): Reason | null {
    const { recovering, covered, lostOf, warned, inVain } = watched;
    const frozen = promised > epoch;
    if (!this.#majority) return waits && !recovering && !warned ? 'minority' : null;
    if (frozen && (waits || !(recovering || inVain))) return 'election';
    if (!recovering && !frozen && lostOf === epoch && (waits || !inVain)) return 'loss';
    if (!waits) return null;
    if (recovering) return 'restart';
    if (this.#latest > covered) return 'death';
    return this.#isAnyDown ? 'patience' : null;
  }

  #delayOf(reason: Reason, watched: WatchedLock, promised: number): number {
    const { timing, random } = this.#options;
    const { attempts, patience, stoodFor } = watched;
    if (isBeginning(watched)) return 0;
    switch (reason) {
      case 'minority':
        return 0;
      case 'restart':
      case 'loss':
      case 'death':
        return timing.suspectMinMs + random.fraction() * (timing.suspectMaxMs - timing.suspectMinMs);
      case 'patience':
        return timing.patienceMs * 2 ** patience;
      case 'election': {
        const longest = Math.min(timing.electionMaxMs, timing.electionMinMs * 2 ** Math.max(0, attempts - 1));
        // A candidate stands again well before the voters that it froze do.
        return stoodFor === promised
          ? longest * (1 - random.fraction() / 2)
          : longest * (2 + random.fraction());
      }
    }
  }
}
