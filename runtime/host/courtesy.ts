import type { SiteId } from '../../machines/actor.ts';
import type { Clock } from '../doors.ts';
import type { StampedEnvelope } from '../frame/frames.ts';

export interface CourtesyOptions {
  readonly clock: Clock;
  readonly delayMs: number;
  readonly deliver: (envelope: StampedEnvelope) => void;
}

interface Waiting {
  readonly envelopes: StampedEnvelope[];
  readonly cancel: () => void;
}

/**
 * Lets a message wait for a moment, and behind it whatever else its source says about that lock: to the statechart
 * it is a message that was longer on its way.
 */
export class Courtesy {
  readonly #options: CourtesyOptions;
  readonly #waiting = new Map<SiteId, Map<string, Waiting>>();

  constructor(options: CourtesyOptions) {
    this.#options = options;
  }

  /** Delivers `envelope` now, or after a while when it `waits` or comes behind one that does. */
  take(envelope: StampedEnvelope, waits: boolean): void {
    const { source, lock } = envelope;
    const waiting = this.#waiting.get(source)?.get(lock);
    if (waiting) waiting.envelopes.push(envelope);
    else if (waits) this.#hold(envelope);
    else this.#options.deliver(envelope);
  }

  /** What `source` has said is delivered now: something follows that must not overtake it. */
  flush(source: SiteId): void {
    for (const lock of [...(this.#waiting.get(source)?.keys() ?? [])]) this.#release(source, lock);
  }

  stop(): void {
    for (const locks of this.#waiting.values()) for (const { cancel } of locks.values()) cancel();
    this.#waiting.clear();
  }

  #hold(envelope: StampedEnvelope): void {
    const { clock, delayMs } = this.#options;
    const { source, lock } = envelope;
    const locks = this.#waiting.get(source) ?? new Map<string, Waiting>();
    this.#waiting.set(source, locks);
    const cancel = clock.after(delayMs, () => this.#release(source, lock));
    locks.set(lock, { envelopes: [envelope], cancel });
  }

  #release(source: SiteId, lock: string): void {
    const locks = this.#waiting.get(source);
    const waiting = locks?.get(lock);
    if (!locks || !waiting) return;
    waiting.cancel();
    locks.delete(lock);
    for (const envelope of waiting.envelopes) this.#options.deliver(envelope);
  }
}
