import { longestName } from '../../machines/watch.ts';
import type { Locks } from '../protocol.ts';
import { Attached, type AttachOptions } from './attach.ts';
import type { Followed, Shows } from './live.ts';
import { Refused } from './server.ts';

/** Fewer than a site lets watch it, so that other viewers may, too. */
const mostLocks = 4;
/** A page that is loaded again, or goes back, finds the lock as it was left. */
const keptMs = 5_000;

/** The locks of a running cluster that pages are shown, each by its name while one is, and one by default. */
export class AttachedLocks implements Shows {
  readonly #options: AttachOptions;
  readonly #first: Attached;
  readonly #others = new Map<string, Attached>();
  readonly #leaving = new Map<Followed, NodeJS.Timeout>();

  constructor(options: AttachOptions) {
    this.#options = options;
    this.#first = new Attached(options);
  }

  get all(): Iterable<Followed> {
    return [this.#first, ...this.#others.values()];
  }

  of(lock: string | null): Followed {
    if (lock === null || lock === this.#first.lock) return this.#first;
    // A site treats a request for such a lock as one of a stranger.
    if (lock === '' || lock.length > 2 * longestName) {
      throw new Refused('NO_NAME', `a lock has a name of 1 to ${longestName} characters`);
    }
    const attached = this.#others.get(lock) ?? this.#attach(lock);
    clearTimeout(this.#leaving.get(attached));
    this.#leaving.delete(attached);
    return attached;
  }

  left(followed: Followed): void {
    if (followed === this.#first) return;
    this.#leaving.set(
      followed,
      setTimeout(() => this.#end(followed), keptMs),
    );
  }

  find(like: string): Promise<Locks> {
    return this.#first.find(like);
  }

  close(): void {
    for (const timer of this.#leaving.values()) clearTimeout(timer);
    for (const attached of [this.#first, ...this.#others.values()]) attached.close();
  }

  #attach(lock: string): Attached {
    if (this.#others.size >= mostLocks - 1) {
      const [first] = this.#leaving.keys();
      if (first === undefined) {
        throw new Refused('TOO_MANY_LOCKS', `${mostLocks} locks are shown already: close one of their pages`);
      }
      this.#end(first);
    }
    const attached = new Attached({ ...this.#options, lock });
    this.#others.set(lock, attached);
    return attached;
  }

  #end(followed: Followed): void {
    clearTimeout(this.#leaving.get(followed));
    this.#leaving.delete(followed);
    for (const [lock, attached] of this.#others) {
      if (attached !== followed) continue;
      attached.close();
      this.#others.delete(lock);
    }
  }
}
