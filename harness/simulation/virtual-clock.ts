import type { Clock } from '../../runtime/api/clock.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly action: () => void;
}

/**
 * The clock of one site, beside the ideal one: it runs at a rate of its own, which may change, and takes no timer while the site is suspended,
 * as a process that was stopped. Timers that are set go on at the rate at which they were set.
 */
export class SiteClock implements Clock {
  readonly #ideal: Clock;
  #rate: number;
  /** Its time, and the ideal one, when the rate changed last. */
  #since = { own: 0, ideal: 0 };
  /** The timers that came due meanwhile; `null`: the site is not suspended. */
  #late: (() => void)[] | null = null;

  constructor(ideal: Clock, rate: number) {
    this.#ideal = ideal;
    this.#rate = rate;
  }

  get rate(): number {
    return this.#rate;
  }

  set rate(rate: number) {
    this.#since = { own: this.now(), ideal: this.#ideal.now() };
    this.#rate = rate;
  }

  get suspended(): boolean {
    return this.#late !== null;
  }

  suspend(): void {
    this.#late ??= [];
  }

  /** Takes the timers that are late, in their order. */
  resume(): void {
    const late = this.#late ?? [];
    this.#late = null;
    for (const action of late) action();
  }

  /** Runs `action` now, or when the site is resumed: after the timers that are late by then. */
  whenAwake(action: () => void): void {
    if (this.#late) this.#late.push(action);
    else action();
  }

  now(): number {
    const { own, ideal } = this.#since;
    return own + (this.#ideal.now() - ideal) * this.#rate;
  }

  after(delayMs: number, action: () => void): () => void {
    let isOver = false;
    const act = () => {
      if (!isOver) action();
    };
    const cancel = this.#ideal.after(delayMs / this.#rate, () => {
      if (this.#late) this.#late.push(act);
      else act();
    });
    return () => {
      isOver = true;
      cancel();
    };
  }

  nextTurn(action: () => void): void {
    this.after(0, action);
  }
}

const shortestMs = 0.001;

/** A clock whose time passes only by calls. */
export class VirtualClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  after(delayMs: number, action: () => void): () => void {
    // A rest that rounding leaves would not move the time, and its timer would be set for ever.
    const delay = delayMs > 0 ? Math.max(delayMs, shortestMs) : 0;
    const timer = { at: this.#now + delay, order: this.#order++, action };
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

  /** No timer runs any more. */
  stop(): void {
    this.#timers.clear();
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
