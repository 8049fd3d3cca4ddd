import type { Clock } from '../../runtime/api/clock.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly action: () => void;
}

/** Returns `clock` as seen by a clock that runs `rate` times as fast. */
export function atRate(clock: Clock, rate: number): Clock {
  return {
    now: () => clock.now() * rate,
    after: (delayMs, action) => clock.after(delayMs / rate, action),
    nextTurn: (action) => clock.nextTurn(action),
  };
}

/** A clock whose time passes only by calls. */
export class VirtualClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  after(delayMs: number, action: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, delayMs), order: this.#order++, action };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  nextTurn(action: () => void): void {
    this.after(0, action);
  }

  /** The time of the next timer, or null. */
  get next(): number | null {
    return this.#earliest()?.at ?? null;
  }

  /** Runs the next timer, if it is due by `until`. */
  tick(until = Number.POSITIVE_INFINITY): boolean {
    const timer = this.#earliest();
    if (!timer || timer.at > until) return false;
    this.#timers.delete(timer);
    this.#now = Math.max(this.#now, timer.at);
    timer.action();
    return true;
  }

  /** Lets time pass and runs the due timers. */
  advance(ms: number): void {
    const until = this.#now + ms;
    while (this.tick(until));
    this.#now = until;
  }

  #earliest(): Timer | null {
    let earliest: Timer | null = null;
    for (const timer of this.#timers) {
      if (!earliest || timer.at < earliest.at || (timer.at === earliest.at && timer.order < earliest.order))
        earliest = timer;
    }
    return earliest;
  }
}

/** Numbers in [0, 1), always the same for a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
