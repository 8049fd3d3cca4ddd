import type { Limit, LivenessOptions, LivenessProgress } from './property.ts';

/** Work stopped at a limit. It is caught where the partial result is at hand. */
export class LimitReached extends Error {
  override readonly name = 'LimitReached';
  readonly limit: Limit;

  constructor(limit: Limit) {
    super(`The search reached its limit: ${limit}.`);
    this.limit = limit;
  }
}

type Counts = Omit<LivenessProgress, 'memoryBytes' | 'elapsedMs'>;

/** Counts memory and time, and yields to timers and signals. */
export class Budget {
  #memoryBytes = 0;
  #peakMemoryBytes = 0;
  #ticks = 0;
  #counts: Counts = { property: null, states: 0, transitions: 0, frontier: 0, productStates: 0 };
  #breathed: number;
  #reported: number;
  readonly #started: number;
  readonly #options: LivenessOptions;
  readonly #now: () => number;

  constructor(options: LivenessOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#started = this.#breathed = this.#reported = this.#now();
  }

  get peakMemoryBytes(): number {
    return this.#peakMemoryBytes;
  }

  /**
   * Must be called before `bytes` are allocated. `share` is the part of the whole budget that may be in use
   * afterwards.
   *
   * @throws LimitReached `max-memory`.
   */
  claim(bytes: number, share = 1): void {
    if (this.#memoryBytes + bytes > share * (this.#options.maxMemoryBytes ?? 8 * 2 ** 30)) {
      throw new LimitReached('max-memory');
    }
    this.#memoryBytes += bytes;
    this.#peakMemoryBytes = Math.max(this.#peakMemoryBytes, this.#memoryBytes);
  }

  release(bytes: number): void {
    this.#memoryBytes -= bytes;
  }

  /** Runs `work`, then releases all memory that it claimed. */
  async within<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#memoryBytes;
    try {
      return await work();
    } finally {
      this.#memoryBytes = before;
    }
  }

  /** Returns true when it is time to `breathe`. Cheap enough for an inner loop. */
  due(): boolean {
    if (++this.#ticks < 2048) return false;
    this.#ticks = 0;
    return this.#now() - this.#breathed > 20;
  }

  /**
   * Yields to timers and signals. `counts` are the changed figures.
   *
   * @throws LimitReached `timeout` or `aborted`.
   */
  async breathe(counts: Partial<Counts>): Promise<void> {
    this.#counts = { ...this.#counts, ...counts };
    await new Promise((resolve) => setImmediate(resolve));
    this.#breathed = this.#now();
    const elapsedMs = this.#breathed - this.#started;
    const { signal, timeoutMs = Number.POSITIVE_INFINITY, onProgress, progressMs = 200 } = this.#options;
    if (signal?.aborted) throw new LimitReached('aborted');
    if (elapsedMs >= timeoutMs) throw new LimitReached('timeout');
    if (onProgress !== undefined && this.#breathed - this.#reported >= progressMs) {
      this.#reported = this.#breathed;
      onProgress({ ...this.#counts, memoryBytes: this.#memoryBytes, elapsedMs });
    }
  }
}

/** A list of 32-bit integers that grows by replacing its array. Read `array` again after a `reserve`. */
export class Column {
  array: Int32Array;
  readonly #budget: Budget;
  readonly #share: number;

  constructor(budget: Budget, length: number, share = 1) {
    this.#budget = budget;
    this.#share = share;
    budget.claim(4 * length, share);
    this.array = new Int32Array(length);
  }

  /** Makes room for `length` numbers. */
  reserve(length: number): void {
    if (length <= this.array.length) return;
    const before = this.array;
    const capacity = Math.max(length, Math.ceil(before.length * 1.5), 1024);
    this.#budget.claim(4 * capacity, this.#share);
    this.array = new Int32Array(capacity);
    this.array.set(before);
    this.#budget.release(4 * before.length);
  }

  free(): void {
    this.#budget.release(4 * this.array.length);
    this.array = new Int32Array(0);
  }
}
