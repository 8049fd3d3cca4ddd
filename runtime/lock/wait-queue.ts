import type { Fence } from '../../machines/epoch/messages.ts';
import type { ClientEvent } from '../../machines/naimi-trehel/messages.ts';
import type { Clock } from '../api/clock.ts';
import { InvariantError, OperatingError } from '../api/errors.ts';
import type { AcquireOptions, Held } from '../options/index.ts';
import { Fifo } from './fifo.ts';
import { type Granter, Holding } from './holding.ts';
import { isWithin, runIn } from './runs.ts';
import { Waiter } from './waiter.ts';

/** The actor of a lock, as its callers speak to it. */
export interface Client {
  readonly lock: string;
  /** A majority of the voters is in reach; without it nobody is granted anything. */
  readonly hasMajority: boolean;
  say(event: ClientEvent): void;
  /**
   * Says it unless the actor is taking another event just now, or it would enter and must not while no majority is in
   * reach; then it returns false: nobody has heard it.
   */
  sayNow(event: ClientEvent): boolean;
}

export interface WaitQueueOptions {
  readonly clock: Clock;
  /** Critical sections in a row, B of protocol.md's client-side rules: 1 or more. */
  readonly combine: number;
}

// Said at every critical section.
const ask = { type: 'ask' } as const;
const again = { type: 'again' } as const;
const release = { type: 'release' } as const;

/**
 * What was said and heard, as far as it matters for what may be said next: too `early` to ask, `free` to ask, has
 * `asked`, is inside (`held`), `resting` for the rest of the event loop's turn, or `gone` (left, closed or crashed).
 */
type Standing = 'early' | 'free' | 'asked' | 'held' | 'resting' | 'gone';

/**
 * The local callers of one lock: they wait in line, and at most one request is under way for all of them. A token that
 * is here serves up to `combine` of them in a row, and no more before what has arrived is read: then the next request
 * queues behind those of other sites (protocol.md, client-side rules).
 */
export class WaitQueue implements Granter {
  readonly #client: Client;
  readonly #options: WaitQueueOptions;
  readonly #line = new Fifo<Waiter>();
  #standing: Standing = 'early';
  /** Why nobody is granted anything any more. */
  #refusal: Error | null = null;
  #held: Holding | null = null;
  /** Critical sections since the token came, or since the last rest. */
  #row = 0;
  #rests = false;
  /** Is a caller saying something that may be granted at once? Then it is who takes it, if nobody is before. */
  #taking = false;
  #taken: Holding | null = null;
  #drained: (() => void) | null = null;
  #left: (() => void) | null = null;

  constructor(client: Client, options: WaitQueueOptions) {
    this.#client = client;
    this.#options = options;
  }

  get lock(): string {
    return this.#client.lock;
  }

  get waiting(): number {
    return this.#line.length;
  }

  /** Nobody waits or is inside: fresh ones, begun, would do as well. */
  get idle(): boolean {
    return this.#standing === 'free' && this.#line.length === 0 && this.#row === 0;
  }

  /** Another turn of the event loop has begun since they were here last. */
  turned(): void {
    if (this.#standing === 'free') this.#row = 0;
  }

  /** From now on they may ask. */
  begin(): void {
    if (this.#standing !== 'early') return;
    this.#standing = 'free';
    this.#askForNext();
  }

  acquire(options: AcquireOptions = {}): Promise<Held> {
    return this.#acquire(options);
  }

  /** The critical section if it can be had at once and without a message, else null. Throws why nobody is granted any. */
  tryAcquire(): Held | null {
    if (this.#refusal) throw this.#refusal;
    if ((this.#standing !== 'free' && this.#standing !== 'resting') || this.#line.length > 0) return null;
    const before = this.#standing;
    const holding = this.#take('try');
    if (holding === null) this.#resume(before);
    return holding;
  }

  /** Runs `work` in the critical section and releases it, whatever `work` does. */
  async run<T>(work: (held: Held) => T | Promise<T>, options: AcquireOptions = {}): Promise<T> {
    const holding = await this.#acquire(options);
    try {
      return await runIn(holding, () => work(holding));
    } finally {
      holding.release();
    }
  }

  /** By `Holding.release`, once. */
  release(holding: Holding): void {
    if (this.#held !== holding) return;
    this.#held = null;
    this.#drained?.();
    if (this.#line.length > 0 && this.#row < this.#options.combine) {
      this.#client.sayNow(again);
      // It has been granted to the next in line, or it was lost as that was said.
      if (this.#held !== null || this.#standing !== 'held') return;
    }
    this.#standing = 'free';
    this.#client.say(release);
    if (this.#row >= this.#options.combine) this.#rest();
    else this.#askForNext();
  }

  /** Waits its turn, then hands everything on. Resolves when the actor has left, or nothing is granted any more. */
  leave(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#refusal) throw this.#refusal;
      this.#refusal = leaving();
      this.#left = () => resolve();
      this.#line.push(new Waiter(() => this.#client.say({ type: 'leave' }), this.#left));
      this.#askForNext();
    });
  }

  /** Grants no more. Resolves when nobody is inside, at the latest after `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    if (this.#refusal) throw this.#refusal;
    const reason = leaving();
    this.#refusal = reason;
    this.#failAll(reason);
    if (this.#standing === 'asked') this.#withdraw();
    if (this.#standing !== 'held') return;
    await new Promise<void>((resolve) => {
      const stopTimer = this.#options.clock.after(timeoutMs, resolve);
      this.#drained = () => {
        stopTimer();
        resolve();
      };
    });
  }

  /** The actor has entered. */
  grant(fence: Fence | null): void {
    if (this.#standing !== 'asked' && this.#standing !== 'held') {
      throw new InvariantError('GRANT_TO_NOBODY', `a grant came while this client was ${this.#standing}`);
    }
    const waiter = this.#line.shift();
    const holding = new Holding(this, fence);
    // A token that had to be sent for has brought what else arrived.
    this.#row = this.#taking || this.#standing === 'held' ? this.#row + 1 : 1;
    this.#standing = 'held';
    this.#held = holding;
    if (waiter) waiter.grant(holding);
    else if (this.#taking) this.#taken = holding;
    else holding.release();
  }

  /** The actor's critical section is over, and somebody else's may have begun. */
  lose(fence: Fence): void {
    // It was released as the actor lost it.
    if (this.#standing !== 'held') return;
    const held = this.#held;
    this.#held = null;
    this.#rest();
    this.#drained?.();
    held?.lose(
      new OperatingError(
        'LOCK_LOST',
        `the critical section under fence (${fence.epoch}, ${fence.k}) is over: a later epoch has given the ` +
          'lock away, or (in strict mode) its lease is over. Stop, and acquire it again',
      ),
    );
  }

  /** Who waits now does so in vain. */
  refuse(reason: OperatingError): void {
    if (this.#standing !== 'asked' || this.#refusal) return;
    this.#failAll(reason);
    this.#withdraw();
  }

  /** The actor has left. */
  left(): void {
    this.#standing = 'gone';
    this.#left?.();
  }

  /** Nothing is granted any more, and who is inside is told. */
  end(reason: Error): void {
    this.#standing = 'gone';
    this.#refusal = reason;
    const held = this.#held;
    this.#held = null;
    held?.lose(reason);
    this.#left?.();
    this.#drained?.();
    this.#failAll(reason);
  }

  #acquire(options: AcquireOptions): Promise<Holding> {
    const { signal } = options;
    if (this.#refusal) return Promise.reject(this.#refusal);
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (isWithin(this)) return Promise.reject(reentry(this.lock));
    if (this.#standing === 'free' && this.#line.length === 0) {
      const holding = this.#take('ask');
      if (holding) return Promise.resolve(holding);
      if (this.#refusal) return Promise.reject(this.#refusal);
    }
    return new Promise((resolve, reject) => {
      const waiter = new Waiter(resolve, reject);
      waiter.begin(options, this.#options.clock, this.#giveUp, this.#late);
      this.#line.push(waiter);
    });
  }

  /** What is granted at once, if anything. */
  #take(type: 'ask' | 'try'): Holding | null {
    this.#standing = 'asked';
    this.#taking = true;
    if (type === 'ask') this.#client.say(ask);
    else this.#client.sayNow({ type });
    this.#taking = false;
    const taken = this.#taken;
    this.#taken = null;
    return taken;
  }

  /** It was not granted; whoever came meanwhile took it for a request. */
  #resume(before: Standing): void {
    if (this.#standing !== 'asked') return;
    this.#standing = before;
    this.#askForNext();
  }

  #askForNext(): void {
    if (this.#standing !== 'free' || this.#line.length === 0) return;
    this.#standing = 'asked';
    this.#client.say(ask);
  }

  // A client that asks again at once must not keep this process from reading that another site asks too.
  #rest(): void {
    this.#standing = 'resting';
    if (this.#rests) return;
    this.#rests = true;
    this.#options.clock.nextTurn(() => {
      this.#rests = false;
      this.#row = 0;
      if (this.#standing !== 'resting') return;
      this.#standing = 'free';
      this.#askForNext();
    });
  }

  readonly #giveUp = (waiter: Waiter, reason: unknown): void => {
    if (!this.#line.remove(waiter)) return;
    waiter.fail(reason);
    this.#withdraw();
  };

  readonly #late = (timeoutMs: number): OperatingError => {
    const why = this.#client.hasMajority ? '' : ': no majority of the voters is in reach';
    return new OperatingError('ACQUIRE_TIMEOUT', `no grant within ${timeoutMs} ms${why}`);
  };

  /** Nobody needs the request any more, unless somebody comes before the actor can hear it. */
  #withdraw(): void {
    if (this.#line.length > 0 || this.#standing !== 'asked') return;
    if (!this.#taking && this.#client.sayNow({ type: 'withdraw' })) this.#standing = 'free';
    else this.#options.clock.nextTurn(() => this.#withdraw());
  }

  #failAll(reason: Error): void {
    for (let waiter = this.#line.shift(); waiter; waiter = this.#line.shift()) waiter.fail(reason);
  }
}

function leaving(): OperatingError {
  return new OperatingError('SITE_LEAVING', 'this site is leaving and acquires no more');
}

function reentry(lock: string): OperatingError {
  return new OperatingError(
    'REENTRY',
    `${lock} is held by the very run that asks for it, and would wait for itself: pass on what that run was given`,
  );
}
