import type { Suspicion } from '../../machines/epoch/messages.ts';
import type { WatchedCandidacy } from '../../machines/watch.ts';
import type { Clock } from '../api/clock.ts';

/** The newest are kept. */
const mostKept = 1_024;

/**
 * The last candidacy of this site for each lock, so that a viewer that comes later learns why the present epoch began. Nothing is decided
 * by it.
 */
export class Candidacies {
  readonly #clock: Clock;
  readonly #last = new Map<
    string,
    { readonly epoch: number; readonly at: number; readonly because: Suspicion }
  >();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  stood(lock: string, epoch: number, because: Suspicion): void {
    this.#last.delete(lock);
    this.#last.set(lock, { epoch, at: this.#clock.now(), because });
    if (this.#last.size <= mostKept) return;
    const [oldest] = this.#last.keys();
    this.#last.delete(oldest!);
  }

  of(lock: string): WatchedCandidacy | null {
    const last = this.#last.get(lock);
    if (last === undefined) return null;
    const { epoch, at, because } = last;
    return { epoch, agoMs: this.#clock.now() - at, because };
  }
}
