import type { ClientEvent } from '../../machines/epoch/messages.ts';
import type { Clock } from '../api/clock.ts';
import { InvariantError, OperatingError } from '../api/errors.ts';
import { type Fence, fenceText } from '../api/fence.ts';
import type { AcquireOptions, Held, HoldOptions, RunOptions } from '../api/lock.ts';
import type { Notice } from '../api/notice.ts';
import { type Abortable, follow, unfollow } from './aborts.ts';
import { Fifo, type Standing } from './fifo.ts';
import type { GrantWatch } from './grant-watch.ts';
import { Grant, type Granter, Holding } from './holding.ts';
import type { Places } from './places.ts';
import type { Row } from './row.ts';
import { isWithin, runIn } from './runs.ts';

/** The actor of the lock, as the queue of its local callers needs it. */
export interface QueueOwner {
  readonly lock: string;
  /** Whether a majority of the voters is in reach. Without one nobody is granted the lock. */
  readonly hasMajority: boolean;
  /** The reason why no lock may be granted yet; `null`: none is known. */
  readonly hindrance: string | null;
  /** Whether the actor is taking an event. An event that is dispatched now waits for the effects of that one. */
  readonly busy: boolean;
  /** Has the actor take an event of the client. */
  dispatch(event: ClientEvent): void;
  /** Has the actor leave the critical section and ask for the next one. Absent: it leaves, and is asked. */
  releaseAndAsk?(): void;
  /** Has the actor take the events that time has made due. */
  look(): void;
  /** A caller has begun to wait. */
  pushed(): void;
  /** The queue begins to wait for a grant. */
  waitBegan(): void;
  /** The queue does not wait any more: it was granted the lock, or gave up. */
  waitEnded(): void;
}

export interface WaitQueueOptions {
  readonly clock: Clock;
  /** Maximum number of critical sections in a row, at least 1: B of protocol.md, "Bounded overtaking". */
  readonly maxBatch: number;
  /** How long a caller that does not wait in line waits for an answer of the others. */
  readonly answerMs: number;
  readonly notice: (notice: Notice) => void;
  /** Shared by all queues of a site, as are `grants` and `row`. */
  readonly places: Places;
  readonly grants: GrantWatch;
  readonly row: Row;
}

// Made once, since each critical section dispatches them.
const ask = { type: 'ask' } as const;
const attempt = { type: 'try' } as const;
const again = { type: 'again' } as const;
const release = { type: 'release' } as const;
const releaseAndAsk = { type: 'releaseAndAsk' } as const;
const withdraw = { type: 'withdraw' } as const;

const byDefault: HoldOptions = {};
const itself = (holding: Holding) => holding;

/**
 * The queue's state: the requests to the actor, and its answers.
 *
 * - `early`: nobody may ask yet.
 * - `free`: nothing is asked for.
 * - `asking`: the actor is taking `ask` or `try`.
 * - `waiting`: the actor was asked and has not granted the lock.
 * - `held`: a caller is inside.
 * - `lingering`: the caller that was inside has released the lock, and the actor is told at the end of the event loop's turn,
 *   at the latest in its next one.
 * - `resting`: nothing is asked for until the event loop's next turn.
 * - `gone`: the site is closed, or crashed.
 */
type QueueState = 'early' | 'free' | 'asking' | 'waiting' | 'held' | 'lingering' | 'resting' | 'gone';

/**
 * The local callers of one lock: they wait in line, and at most one request is under way for all of them. A token that
 * is here serves up to `maxBatch` of them in a row, and no more before what has arrived is read. Where guests wait, that is by *gated
 * service*, as in polling systems: a token that comes serves each caller that waits by then, and none twice. So guests are served equally
 * often, however many of them each member has.
 *
 * A release and the next request are one event, by which this site goes to the end of the line that it hands on, and no REQUEST is
 * sent (R12): where another caller waits, and where a caller asks again within the turn of the event loop in which the lock was
 * released. So the actor is told of a release at the end of that turn.
 */
export class WaitQueue implements Granter {
  readonly #owner: QueueOwner;
  readonly #options: WaitQueueOptions;
  readonly #line = new Fifo<Waiter>();
  #state: QueueState = 'early';
  /** The reason for which no lock is granted any more; `null` while locks are granted. */
  #refusal: Error | null = null;
  #held: Holding | null = null;
  /** Critical sections since the token came, or since the last rest. */
  #row = 0;
  /** The longest row: until the token comes again. */
  #quota: number;
  #hasGuests = false;
  #rests = false;
  #lingers = false;
  /** A caller asks just now. It takes a grant that comes at once, if nobody waits before it. */
  #taking = false;
  #taken: Holding | null = null;
  /** The last grant, until it is watched for being forgotten. */
  #fresh: Grant | null = null;
  /** It is to be told to watch its grant. */
  #isAdded = false;
  #drained: (() => void) | null = null;

  constructor(owner: QueueOwner, options: WaitQueueOptions) {
    this.#owner = owner;
    this.#options = options;
    this.#quota = options.maxBatch;
  }

  get lock(): string {
    return this.#owner.lock;
  }

  get waiting(): number {
    return this.#line.length;
  }

  /** Duration of the present critical section in ms; `null`: no caller is inside. */
  get heldMs(): number | null {
    return this.#held && this.#options.clock.now() - this.#held.since;
  }

  /** How long each of the first `most` callers has waited, in order. */
  waitedMs(most: number): readonly number[] {
    const now = this.#options.clock.now();
    const waited: number[] = [];
    for (const waiter of this.#line) {
      if (waited.length === most) break;
      waited.push(now - waiter.since);
    }
    return waited;
  }

  /** The last caller has released the lock, and the actor is yet to be told. */
  get lingers(): boolean {
    return this.#state === 'lingering';
  }

  /** The actor was asked and has not granted the lock. */
  get waits(): boolean {
    return this.#state === 'waiting';
  }

  /** A caller waits for the lock, or is inside. */
  get wanted(): boolean {
    return this.#asks || this.#state === 'held';
  }

  /** Nobody waits or is inside. A new queue that has begun would do as well. */
  get idle(): boolean {
    return this.#state === 'free' && this.#line.length === 0 && this.#row === 0 && !this.#isAdded;
  }

  /** Another turn of the event loop has begun since they were here last. */
  turned(): void {
    if (this.#state === 'free') this.#row = 0;
  }

  /** From now on they may ask. */
  begin(): void {
    if (this.#state !== 'early') return;
    this.#state = 'free';
    this.#askForNext();
  }

  /** `isGuest`: a guest waits, through its member. */
  acquire(options: HoldOptions = byDefault, isGuest = false): Promise<Held> {
    const place = this.#options.places.take();
    this.#hasGuests ||= isGuest;
    return this.#acquire(options, (holding) => {
      this.#limit(holding, options);
      const grant = new Grant(holding, place);
      this.#fresh = grant;
      if (!this.#isAdded) this.#options.grants.add(this);
      this.#isAdded = true;
      return grant;
    });
  }

  /** Called by `GrantWatch`. */
  watchGrant(): void {
    this.#isAdded = false;
    this.#fresh?.reportForgotten(this.#options.notice);
    this.#fresh = null;
  }

  /** The critical section if it can be had at once and without a message, else null. Throws why nobody is granted any. */
  tryAcquire(): Held | null {
    if (this.#refusal) throw this.#refusal;
    if (this.#state === 'lingering' && this.#line.length === 0) this.#finish();
    if ((this.#state !== 'free' && this.#state !== 'resting') || this.#line.length > 0) return null;
    if (!this.#mayEnterNow) return null;
    const before = this.#state;
    this.#state = 'asking';
    const holding = this.#take(() => this.#owner.dispatch(attempt));
    if (holding === null && this.#state === 'asking') {
      this.#state = before;
      // A caller that came meanwhile took this for a request.
      this.#askForNext();
    }
    if (holding) this.#limit(holding, byDefault);
    return holding;
  }

  /** Runs `work` in the critical section and releases it, whatever `work` does. Rejects when the lock was lost under it. */
  async run<T>(work: (held: Held) => T | Promise<T>, options: RunOptions = byDefault): Promise<T> {
    const holding = await this.#acquire(options, itself);
    this.#limit(holding, options);
    try {
      const result = await runIn(holding, () => work(holding));
      if (!options.keepResult) holding.refuseLoss();
      return result;
    } finally {
      holding.release();
    }
  }

  #limit(holding: Holding, options: HoldOptions): void {
    const { clock, notice, grants } = this.#options;
    if (options.minHoldMs || options.maxHoldMs !== undefined) holding.limit(options, clock, notice);
    if (options.abortInMinority ?? grants.abortInMinority) holding.endInMinority(grants);
  }

  /** Called by a `Holding` before it tells whether it lasts. */
  look(): void {
    this.#owner.look();
  }

  /** Called by `Holding.release`, once. */
  release(holding: Holding): void {
    if (this.#held !== holding) return;
    this.#held = null;
    const isSpent = this.#isSpent;
    if (this.#line.length > 0 && !isSpent) {
      if (this.#mayEnterNow) this.#owner.dispatch(again);
      // The next in line was granted the lock, or the lock was lost meanwhile.
      if (this.#held !== null || this.#state !== 'held') return;
    }
    this.#state = 'lingering';
    if (this.#refusal) this.#finish();
    else if (isSpent) this.#atNextTurn();
    else if (this.#line.length > 0) this.#askAgain();
    else this.#atEndOfTurn();
    this.#drained?.();
  }

  /** Grants no more. Resolves when nobody is inside, at the latest after `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    if (this.#refusal) throw this.#refusal;
    const reason = leaving();
    this.#refusal = reason;
    this.#failAll(reason);
    if (this.#asks) this.#withdraw();
    this.#held?.hurry();
    if (this.#state === 'lingering') this.#finish();
    if (this.#state !== 'held') return;
    await new Promise<void>((resolve) => {
      const stopTimer = this.#options.clock.after(timeoutMs, resolve);
      this.#drained = () => {
        stopTimer();
        resolve();
      };
    });
  }

  /** The actor has entered. */
  grant(fence: Fence): void {
    const before = this.#state;
    if (!this.wanted)
      throw new InvariantError('GRANT_TO_NOBODY', `a grant came while this client was ${before}`);
    this.#state = 'held';
    if (before === 'waiting') this.#owner.waitEnded();
    const waiter = this.#line.shift();
    const holding = new Holding(this, fence, this.#options.clock.now());
    // A token that was sent for has brought what else arrived.
    if (this.#taking || before === 'held') this.#row += 1;
    else {
      this.#row = 1;
      this.#quota = this.#hasGuests ? this.#line.length + 1 : this.#options.maxBatch;
    }
    this.#held = holding;
    if (waiter) {
      waiter.settle();
      waiter.granted(holding);
    } else if (this.#taking) this.#taken = holding;
    else holding.release();
  }

  /** The actor's critical section is over, and that of another site may have begun. */
  lose(
    fence: Fence,
    why = 'a later epoch has given the lock away, or (in strict mode) its lease is over',
  ): void {
    if (this.#state === 'lingering') this.#rest();
    // It was released as the actor lost it.
    if (this.#state !== 'held') return;
    const held = this.#held;
    this.#held = null;
    this.#rest();
    this.#drained?.();
    held?.lose(
      new OperatingError(
        'LOCK_LOST',
        `the critical section under fence ${fenceText(fence)} is over: ${why}. Stop, and acquire it again`,
      ),
    );
  }

  /** Fails the callers that wait: they would wait in vain. */
  refuse(reason: OperatingError): void {
    if (this.#refusal || (!this.#asks && this.#state !== 'early')) return;
    this.#failAll(reason);
    if (this.#asks) this.#withdraw();
  }

  /** The actor was asked, and does not wait: it never will be granted the lock. Fails the callers that wait. */
  refused(reason: OperatingError): void {
    this.#state = 'free';
    this.#owner.waitEnded();
    this.#failAll(reason);
  }

  /** Grants nothing any more. The holder's signal aborts with `reason`. */
  end(reason: Error): void {
    this.#state = 'gone';
    this.#refusal = reason;
    this.#fresh = null;
    const held = this.#held;
    this.#held = null;
    held?.lose(reason);
    this.#drained?.();
    this.#failAll(reason);
  }

  /** Resolves with what `grantOf` makes of the critical section. */
  #acquire<T>(options: AcquireOptions, grantOf: (holding: Holding) => T): Promise<T> {
    const { signal } = options;
    if (this.#refusal) return Promise.reject(this.#refusal);
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (isWithin(this)) return Promise.reject(reentry(this.lock));
    const goesOn = this.#state === 'lingering' && !this.#isSpent;
    if (this.#state === 'free' && this.#options.row.isSpent) this.#rest();
    else if ((this.#state === 'free' || goesOn) && this.#line.length === 0) {
      const holding = this.#take(goesOn ? this.#askAgain : this.#ask);
      if (holding) return Promise.resolve(grantOf(holding));
      if (this.#refusal) return Promise.reject(this.#refusal);
    }
    const isPatient = options.timeoutMs !== 0;
    if (!isPatient && (this.#state === 'held' || this.#line.length > 0))
      return Promise.reject(
        new OperatingError('ACQUIRE_TIMEOUT', `${this.lock} is held, or waited for, at this site`),
      );
    return new Promise((resolve, reject) => {
      const waiter = new Waiter((holding) => resolve(grantOf(holding)), reject);
      waiter.begin(
        isPatient ? options : { ...options, timeoutMs: this.#options.answerMs },
        this.#options.clock,
        this.#giveUp,
        this.#late,
      );
      this.#line.push(waiter);
      this.#owner.pushed();
    });
  }

  /** The critical section that is granted while `ask` runs, or null. */
  #take(ask: () => void): Holding | null {
    this.#taking = true;
    ask();
    this.#taking = false;
    const taken = this.#taken;
    this.#taken = null;
    if (taken) this.#options.row.count();
    return taken;
  }

  /** Asked, and not granted yet. */
  get #asks(): boolean {
    return this.#state === 'asking' || this.#state === 'waiting';
  }

  /** The token has served as many callers in a row as it may before what has arrived is read. */
  get #isSpent(): boolean {
    return this.#row >= this.#quota;
  }

  get #mayEnterNow(): boolean {
    return !this.#owner.busy && this.#owner.hasMajority;
  }

  readonly #ask = (): void => {
    this.#state = 'asking';
    // Without a majority the lock is suspected before it is asked for, so that no minority grants it.
    if (!this.#owner.hasMajority) this.#wait();
    this.#owner.dispatch(ask);
    if (this.#state === 'asking') this.#wait();
  };

  /** The section that was released ends, and the next one is asked for. */
  readonly #askAgain = (): void => {
    if (this.#line.length > 0 && this.#owner.releaseAndAsk) {
      this.#wait();
      this.#owner.releaseAndAsk();
      return;
    }
    if (!this.#owner.hasMajority) {
      this.#tellRelease();
      this.#ask();
      return;
    }
    this.#state = 'asking';
    this.#owner.dispatch(releaseAndAsk);
    if (this.#state === 'asking') this.#wait();
  };

  #tellRelease(): void {
    this.#state = 'free';
    this.#owner.dispatch(release);
  }

  /** The section that was released ends, and none is asked for. */
  #finish(): void {
    this.#tellRelease();
    if (this.#isSpent) this.#rest();
  }

  #endLingering(): void {
    if (this.#state !== 'lingering') return;
    if (this.#line.length > 0) this.#askAgain();
    else this.#finish();
  }

  #wait(): void {
    this.#state = 'waiting';
    this.#owner.waitBegan();
  }

  #askForNext(): void {
    if (this.#state === 'free' && this.#line.length > 0) this.#ask();
  }

  #rest(): void {
    this.#state = 'resting';
    this.#atNextTurn();
  }

  // A client that asks again at once must not keep this process from reading that another site asks too.
  #atNextTurn(): void {
    if (this.#rests) return;
    this.#rests = true;
    this.#options.clock.nextTurn(() => {
      this.#rests = false;
      this.#row = 0;
      this.#options.row.turned();
      this.#endLingering();
      if (this.#state !== 'resting') return;
      this.#state = 'free';
      this.#askForNext();
    });
  }

  // A caller that does not ask again holds other sites up no longer than that.
  #atEndOfTurn(): void {
    if (this.#lingers) return;
    this.#lingers = true;
    const { clock } = this.#options;
    if (clock.endOfTurn) clock.endOfTurn(this.#turnEnds);
    else clock.nextTurn(this.#turnEnds);
  }

  readonly #turnEnds = (): void => {
    this.#lingers = false;
    if (!this.#isSpent) this.#endLingering();
  };

  readonly #giveUp = (waiter: Waiter, reason: unknown): void => {
    if (!this.#line.remove(waiter)) return;
    waiter.fail(reason);
    this.#withdraw();
  };

  readonly #late = (timeoutMs: number): OperatingError => {
    const { hindrance } = this.#owner;
    const why = hindrance === null ? this.#heldHere : `: ${hindrance}`;
    return new OperatingError('ACQUIRE_TIMEOUT', `no grant within ${timeoutMs} ms${why}`);
  };

  /** That a caller of this process is inside, for an error. Most often it is one that has not released the lock. */
  get #heldHere(): string {
    const { heldMs } = this;
    return heldMs === null
      ? ''
      : `: a caller of this site has held ${this.lock} for ${Math.round(heldMs)} ms`;
  }

  /** Nobody needs the request any more, unless a caller comes before the actor can take this. */
  #withdraw(): void {
    if (this.#line.length > 0 || !this.#asks) return;
    if (this.#taking || this.#owner.busy) {
      this.#options.clock.nextTurn(() => this.#withdraw());
      return;
    }
    this.#owner.dispatch(withdraw);
    // An event that was due may have granted the lock first, and ended the wait.
    if (!this.#asks) return;
    this.#state = 'free';
    this.#owner.waitEnded();
  }

  #failAll(reason: Error): void {
    for (let waiter = this.#line.shift(); waiter; waiter = this.#line.shift()) waiter.fail(reason);
  }
}

/** A caller that was not granted at once. Node keeps all timers of one length in one list, so each may have its own. */
class Waiter implements Standing<Waiter>, Abortable {
  before: Waiter | null = null;
  after: Waiter | null = null;
  inLine = false;
  since = 0;
  readonly granted: (holding: Holding) => void;
  readonly #failed: (reason: unknown) => void;
  #signal: AbortSignal | null = null;
  #stopTimer: (() => void) | null = null;
  #giveUp: ((waiter: Waiter, reason: unknown) => void) | null = null;

  constructor(granted: (holding: Holding) => void, failed: (reason: unknown) => void) {
    this.granted = granted;
    this.#failed = failed;
  }

  /** `giveUp` is called when its patience is at an end; `late` says why it was not granted in time. */
  begin(
    { signal, timeoutMs }: AcquireOptions,
    clock: Clock,
    giveUp: (waiter: Waiter, reason: unknown) => void,
    late: (timeoutMs: number) => OperatingError,
  ): void {
    this.since = clock.now();
    this.#giveUp = giveUp;
    if (signal) {
      this.#signal = signal;
      follow(signal, this);
    }
    if (timeoutMs === undefined) return;
    this.#stopTimer = clock.after(timeoutMs, () => giveUp(this, late(timeoutMs)));
  }

  /** The caller's signal has aborted. */
  aborted(): void {
    this.#giveUp?.(this, this.#signal?.reason);
  }

  fail(reason: unknown): void {
    this.settle();
    this.#failed(reason);
  }

  /** Stops its timer, and follows its signal no more. */
  settle(): void {
    this.#stopTimer?.();
    if (this.#signal) unfollow(this.#signal, this);
  }
}

function leaving(): OperatingError {
  return new OperatingError('SITE_LEAVING', 'this site is leaving; acquire at another site');
}

function reentry(lock: string): OperatingError {
  return new OperatingError(
    'REENTRY',
    `${lock} is already held by this run; use the \`held\` that was passed to it`,
  );
}
