import type { Clock } from '../api/clock.ts';
import { InvariantError, OperatingError } from '../api/errors.ts';
import type { Fence } from '../api/fence.ts';
import type { Leadership, LeadOptions } from '../api/leadership.ts';
import type { Held, Lock } from '../api/lock.ts';
import { FirstAbort, follow, unfollow } from './aborts.ts';

type Work = (held: Held) => void | Promise<void>;

/** The critical section of a leader. It also ends when the campaign is stopped. */
class Term implements Held {
  readonly #held: Held;
  readonly #over = new FirstAbort();

  constructor(held: Held, stop: AbortSignal) {
    this.#held = held;
    this.#over.follow(held.signal);
    this.#over.follow(stop);
  }

  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Nobody works under it any more. */
  end(): void {
    this.#over.end();
  }

  get lock(): string {
    return this.#held.lock;
  }

  get fence(): Fence {
    return this.#held.fence;
  }

  check(): void {
    this.signal.throwIfAborted();
    this.#held.check();
  }

  readonly release = (): void => this.#held.release();

  [Symbol.dispose](): void {
    this.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
  }

  /** Reports whether `error` is the signal's reason, or an error that an API of Node makes of it. */
  hasEndedBy(error: unknown): boolean {
    if (!this.signal.aborted) return false;
    const { reason } = this.signal;
    return (
      error === reason || (error instanceof Error && error.name === 'AbortError' && error.cause === reason)
    );
  }
}

/** Acquires a lock again and again, and works while it holds it. */
export class Leader implements Leadership {
  readonly #lock: Lock;
  readonly #work: Work;
  readonly #options: LeadOptions;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  #term: Term | null = null;
  #failure: { readonly error: unknown } | null = null;

  /** `ended`: called when this site campaigns no more. */
  constructor(lock: Lock, work: Work, options: LeadOptions, clock: Clock, ended: (campaign: Leader) => void) {
    this.#lock = lock;
    this.#work = work;
    this.#options = options;
    this.#clock = clock;
    this.#ended = this.#campaign().finally(() => ended(this));
  }

  get leading(): boolean {
    return this.#term !== null && !this.#term.signal.aborted;
  }

  close(): Promise<void> {
    this.stop(new OperatingError('LEADERSHIP_CLOSED', `${this.#lock.name}: the leadership was closed`));
    return this.#ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The work under way is told `reason`. */
  stop(reason: unknown): void {
    this.#stop.abort(reason);
  }

  async #campaign(): Promise<void> {
    const { signal: outer, retryMs = 1_000 } = this.#options;
    const { signal } = this.#stop;
    // Many campaigns may follow one signal.
    const stop = { aborted: () => this.stop(outer?.reason) };
    if (outer?.aborted) stop.aborted();
    else if (outer) follow(outer, stop);
    while (!signal.aborted) {
      await this.#serve();
      if (!signal.aborted) await this.#pause(retryMs);
    }
    if (outer) unfollow(outer, stop);
    if (this.#failure) throw this.#failure.error;
  }

  /** One term, from its campaign to its end. */
  async #serve(): Promise<void> {
    const { signal } = this.#stop;
    const { abortInMinority = true } = this.#options;
    try {
      await this.#lock.run((held) => this.#lead(held), { signal, abortInMinority, keepResult: true });
    } catch (error) {
      if (signal.aborted && error === signal.reason) return;
      if (isOfSite(error)) this.stop(error);
      else this.#report(error);
    }
  }

  async #lead(held: Held): Promise<void> {
    const term = new Term(held, this.#stop.signal);
    this.#term = term;
    try {
      await this.#work(term);
    } catch (error) {
      if (!term.hasEndedBy(error)) this.#report(error);
    } finally {
      this.#term = null;
      term.end();
    }
  }

  #report(error: unknown): void {
    const { onError } = this.#options;
    try {
      if (!onError) throw error;
      onError(error);
    } catch (failure) {
      this.#failure = { error: failure };
      this.stop(failure);
    }
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#stop;
    return new Promise((resolve) => {
      const done = () => {
        stopTimer();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const stopTimer = this.#clock.after(ms, done);
      signal.addEventListener('abort', done);
    });
  }
}

/** The leaders of one site. */
export class Leaders {
  readonly #all = new Set<Leader>();

  begin(lock: Lock, work: Work, options: LeadOptions, clock: Clock): Leader {
    const leader = new Leader(lock, work, options, clock, () => this.#all.delete(leader));
    this.#all.add(leader);
    return leader;
  }

  /** Ends their terms and campaigns. */
  stop(reason: OperatingError): void {
    for (const leader of this.#all) leader.stop(reason);
  }
}

/** The site is over, and with it every campaign. */
function isOfSite(error: unknown): boolean {
  if (error instanceof InvariantError) return true;
  return error instanceof OperatingError && (error.code === 'SITE_LEAVING' || error.code === 'SITE_CLOSED');
}
