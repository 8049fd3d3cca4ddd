import type { SiteId } from '../../machines/actor.ts';
import type { DurableState } from '../../machines/epoch/messages.ts';
import type { Clock } from '../api/clock.ts';
import { InvariantError, OperatingError } from '../api/errors.ts';
import type { Notice } from '../api/notice.ts';
import type { ElectionTrigger } from '../election/election-trigger.ts';
import type { Limits, Timing } from '../options/schema.ts';
import type { Store } from '../store/store.ts';
import { type Admission, tellFrom } from './admission.ts';
import type { LockActor } from './lock-actor.ts';
import { RecentNames } from './recent-names.ts';

export interface LockTableOptions {
  readonly self: SiteId;
  readonly limits: Pick<Limits, 'maxLocks' | 'maxLocksOfPeer'>;
  readonly timing: Timing;
  readonly clock: Clock;
  readonly store: Store;
  readonly trigger: ElectionTrigger;
  readonly admission: Admission;
  readonly notice: (notice: Notice) => void;
  /** The root of epoch 0 of a lock. */
  readonly rootOf: (lock: string) => SiteId;
  /** Every epoch up to it went by without this site; `null`: none did. */
  readonly floor: () => number | null;
  readonly raiseFloor: (floor: number) => void;
  /** The longest time that a promise of a lease lasts. */
  readonly promiseMs: number;
  /** `by`: the peer that names the lock; `null`: a caller here does. */
  readonly create: (lock: string, begin: LockBegin, by: SiteId | null) => LockActor;
  /** Whether locks that nobody uses are forgotten (R13). */
  readonly forgets: boolean;
  /** Whether locks may be forgotten now. */
  readonly mayForget: () => boolean;
  /** How full the fullest outbox for a peer that is up is: 0 is empty, and at 1 the link begins anew. */
  readonly outboxFill: () => number;
  /** Whether the lock is kept though nobody uses it, for example because somebody watches it. */
  readonly mustKeep: (lock: string) => boolean;
}

/** The durable state that a lock's statechart begins with. */
export interface LockBegin {
  readonly founder: SiteId;
  readonly disk: DurableState | 'none';
  /** Names were forgotten (R13), and this lock has no entry on the disk. */
  readonly forgotten?: true;
}

/** Maximum number of names that one search looks at. */
const mostLookedAt = 200_000;
/** Number of idle locks that stay active, so that one in frequent use is not activated each time. */
const keptActive = 1_024;
const passivateEveryMs = 250;
/** The longest time between two looks at a part of the locks; every lock is looked at four times in `forgetAfterMs`. */
const sweepEveryMs = 250;
/**
 * Locks of which this site tells the others at once that they are forgotten. Callers wait for grants, so that they ask for no
 * more than the sites can do. Nothing waits for a FORGET: a sweep is paced by this number, and by how many messages wait.
 */
const mostForgottenAtOnce = 128;
const pauseMs = 2;
/** From this share of an outbox on, a sweep waits until the peer has acknowledged more. */
const fullEnough = 1 / 4;
/**
 * Shares of the room for locks. From the first on locks are forgotten sooner, and at the second after `soonestMs`. Those that were used
 * once come first: names that never come back take the place of none that does.
 */
const sooner = { usedOnce: [0.01, 0.05], usedAgain: [0.5, tellFrom] } as const;
const soonestMs = 1_000;
/** A lock that this site has not used for that many times the time after which locks in use are forgotten, and that no other site has forgotten, is acquired once. */
const tooLong = 10;

/** The locks of one site: opens them at their first use, rests idle ones, and forgets those that nobody uses (R13). */
export class LockTable {
  readonly #options: LockTableOptions;
  readonly #actors = new Map<string, LockActor>();
  /** Actors with a queue, votes or leases; idle actors have none. */
  readonly #active = new Set<LockActor>();
  readonly #startedAt: number;
  /** Number of the locks that a caller here named first. */
  #named = 0;
  #stopped = false;
  #cancelPassivation: (() => void) | null = null;
  #cancelSweep: (() => void) | null = null;
  /** The locks that the present sweep has not looked at yet. */
  #unswept: Iterator<LockActor> | null = null;
  /** The lock that its statechart has just said may be dropped. */
  #forgotten: LockActor | null = null;
  /** Names that were forgotten lately: a lock with one of these is used again from its first use on. */
  #past: RecentNames | null = null;

  constructor(options: LockTableOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
  }

  get size(): number {
    return this.#actors.size;
  }

  /** A lock that was used before. */
  find(lock: string): LockActor | undefined {
    return this.#actors.get(lock);
  }

  all(): Iterable<LockActor> {
    return this.#actors.values();
  }

  active(): Iterable<LockActor> {
    return this.#active;
  }

  /** At most `most` names of locks that contain `like`, active ones first. `more`: there may be others. */
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

  /** `by`: the peer that names the lock. Throws `TOO_MANY_LOCKS`. */
  open(lock: string, by: SiteId | null = null): LockActor {
    const { self, limits, trigger, rootOf, create } = this.#options;
    if (this.#actors.size >= limits.maxLocks) {
      throw new OperatingError(
        'TOO_MANY_LOCKS',
        `${self} knows ${limits.maxLocks} locks already (limits.maxLocks); there is no room for ${lock}`,
      );
    }
    this.#tellOfMany();
    const founder = rootOf(lock);
    const { disk, isForgotten } = this.#diskOf(lock, founder);
    trigger.open(lock, typeof disk !== 'string', isForgotten);
    const begin = { founder, disk, ...(isForgotten && this.#isPastPromises && { forgotten: true as const }) };
    const actor = create(lock, begin, by);
    if (this.#past?.has(lock)) actor.isUsedAgain = true;
    this.#actors.set(lock, actor);
    if (by === null) this.#named += 1;
    this.#sweepLater();
    return actor;
  }

  /** Once: before the first name is refused. */
  #tellOfMany(): void {
    const { limits, notice } = this.#options;
    const known = this.#actors.size;
    if (known !== Math.floor(limits.maxLocks * tellFrom)) return;
    notice({ type: 'many-locks', known, most: limits.maxLocks, limit: 'maxLocks', peer: null });
  }

  /** A promise of a lease that was given before this run is over. */
  get #isPastPromises(): boolean {
    const { clock, promiseMs } = this.#options;
    return clock.now() - this.#startedAt >= promiseMs;
  }

  /**
   * A lock that there was no room for begins as after a crash: no epoch before is this site's (R7). So does one without an entry where
   * names were forgotten (R13): `isForgotten`.
   */
  #diskOf(
    lock: string,
    root: SiteId,
  ): { readonly disk: DurableState | 'none'; readonly isForgotten: boolean } {
    const { store, admission } = this.#options;
    const floor = this.#options.floor();
    const read = store.read(lock, root);
    const before = read === 'none' ? { promised: 0, epoch: 0, root } : read;
    const kept = floor === null ? read : { ...before, promised: Math.max(before.promised, floor + 1) };
    if (floor !== null) store.put(lock, kept as DurableState);
    const isRefused = kept === 'none' && admission.mayHaveRefused(lock);
    return {
      disk: isRefused ? { promised: 0, epoch: 0, root } : kept,
      isForgotten: floor !== null && before.promised === 0,
    };
  }

  /** The lock has a queue, votes or leases from now on. */
  activated(actor: LockActor): void {
    this.#active.add(actor);
    if (this.#active.size > keptActive) this.#cancelPassivation ??= this.#passivateLater();
  }

  #passivateLater(): () => void {
    return this.#options.clock.after(passivateEveryMs, () => {
      this.#cancelPassivation = null;
      for (const actor of this.#active) {
        if (this.#active.size <= keptActive) return;
        actor.turned();
        if (actor.passivate()) this.#active.delete(actor);
      }
      if (this.#active.size > keptActive && !this.#stopped) this.#cancelPassivation = this.#passivateLater();
    });
  }

  /**
   * A site whose names outrun its room, or that of the others for it, forgets them sooner, so that none is refused: after so many ms, of locks that
   * were used once and of others.
   */
  get #forgetAfterMs(): Readonly<Record<keyof typeof sooner, number>> {
    const { limits, timing, admission } = this.#options;
    const { forgetAfterMs } = timing;
    // A lock that a peer named may have its token here, and then only this site can forget it.
    const named = Math.max(this.#named, admission.mostNamed);
    const fill = Math.max(this.#actors.size / limits.maxLocks, named / limits.maxLocksOfPeer);
    const after = ([from, to]: readonly [number, number]) =>
      Math.max(
        forgetAfterMs * Math.min(1, Math.max(0, (to - fill) / (to - from))),
        Math.min(forgetAfterMs, soonestMs),
      );
    return { usedOnce: after(sooner.usedOnce), usedAgain: after(sooner.usedAgain) };
  }

  #sweepLater(): void {
    if (!this.#options.forgets || this.#stopped) return;
    const everyMs = Math.min(sweepEveryMs, this.#options.timing.forgetAfterMs / 4);
    this.#cancelSweep ??= this.#options.clock.after(everyMs, () => {
      this.#sweep(Math.ceil((this.#actors.size * 4 * everyMs) / this.#forgetAfterMs.usedOnce));
    });
  }

  /** Looks at so many locks, and forgets those that nobody has used for long (R13), as far as this site has a part in that. */
  #sweep(looks: number): void {
    const { mayForget, outboxFill, clock } = this.#options;
    this.#cancelSweep = null;
    if (this.#stopped) return;
    const { usedOnce, usedAgain } = this.#forgetAfterMs;
    const isForgetting = mayForget();
    let left = isForgetting ? looks : 0;
    let most = outboxFill() < fullEnough ? mostForgottenAtOnce : 0;
    for (; left > 0 && most > 0; left--) {
      this.#unswept ??= this.#actors.values();
      const { value: actor, done } = this.#unswept.next();
      if (done) {
        this.#unswept = null;
        left = 0;
        break;
      }
      if (this.#forget(actor, actor.isUsedAgain ? usedAgain : usedOnce, tooLong * usedAgain)) most -= 1;
    }
    if (left > 0) this.#cancelSweep = clock.after(pauseMs, () => this.#sweep(left));
    else if (this.#actors.size > 0) this.#sweepLater();
  }

  /** Reports whether that may have sent messages. */
  #forget(actor: LockActor, afterMs: number, tooLongMs: number): boolean {
    const { trigger, timing } = this.#options;
    if (!actor.isUnused(afterMs)) return false;
    actor.turned();
    if (!actor.passivate()) return false;
    this.#active.delete(actor);
    if (!trigger.isQuiet(actor.lock)) return false;
    actor.forget();
    if (this.dropIfForgotten(actor)) return true;
    // The news that it is forgotten was lost, or others use it. Once this site has had the token, it can say so itself.
    if (!actor.isUnused(tooLongMs)) return false;
    actor.queue
      .run(() => undefined, { timeoutMs: 2 * timing.failureTimeoutMs })
      .catch((error: unknown) => {
        // The next sweep tries again.
        // A broken invariant has ended the site, which tells of it.
        if (!(error instanceof OperatingError || error instanceof InvariantError)) throw error;
      });
    return true;
  }

  /** The statechart of the lock says that it may be dropped: `dropIfForgotten` does it once the step is over. */
  forgotten(actor: LockActor): void {
    this.#options.trigger.forgotten(actor.lock);
    this.#forgotten = actor;
  }

  /**
   * Drops the lock if its statechart has just said that it may be. Its promise and its epoch alone still count, and are covered
   * by the floor from now on. Returns whether the statechart said so.
   */
  dropIfForgotten(actor: LockActor): boolean {
    if (this.#forgotten !== actor) return false;
    const { store, trigger, admission, forgets, mustKeep, raiseFloor } = this.#options;
    const { lock, namedBy } = actor;
    this.#forgotten = null;
    if (!forgets || mustKeep(lock) || !actor.passivate()) return true;
    const { promised, epoch } = durableOf(store, lock);
    if (!trigger.drop(lock)) return true;
    // It begins with the next promise: a message of the epoch that it was in would make its root begin that epoch, and its fences, anew.
    raiseFloor(Math.max(epoch, promised - 1));
    store.forget(lock);
    this.#past ??= new RecentNames();
    this.#past.add(lock);
    admission.forget(lock, namedBy);
    this.#active.delete(actor);
    this.#actors.delete(lock);
    if (namedBy === null) this.#named -= 1;
    return true;
  }

  /** Ends every lock and drops it; the next use of a name opens it anew. */
  clear(reason: Error): void {
    for (const actor of this.#actors.values()) actor.end(reason);
    this.#actors.clear();
    this.#active.clear();
    this.#named = 0;
  }

  /** Ends every lock. No timer is set any more, also by a step that is under way. */
  stop(reason: Error): void {
    this.#stopped = true;
    this.#cancelPassivation?.();
    this.#cancelSweep?.();
    for (const actor of this.#actors.values()) actor.end(reason);
  }
}

const nothingPromised: DurableState = { promised: 0, epoch: 0, root: '' };

/** The durable state of the lock; of one without an entry, that of epoch 0. */
export function durableOf(store: Store, lock: string): DurableState {
  const kept = store.read(lock, '');
  return kept === 'none' ? nothingPromised : kept;
}
