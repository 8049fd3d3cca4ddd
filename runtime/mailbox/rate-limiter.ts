const windowMs = 1_000;

/** Maximum number of notices of a kind in a window. */
const toldPerWindow = 10;

/** Keeps what others bring about from filling a log: of many in a second the first are told, the others counted. */
export class RateLimiter {
  readonly #now: () => number;
  #begun = Number.NEGATIVE_INFINITY;
  #told = 0;
  #untold = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** How many went untold before this one, which is to be told; or null: it is one of those. */
  next(): number | null {
    const now = this.#now();
    if (now - this.#begun >= windowMs) {
      this.#begun = now;
      this.#told = 0;
    }
    if (this.#told >= toldPerWindow) {
      this.#untold += 1;
      return null;
    }
    this.#told += 1;
    const untold = this.#untold;
    this.#untold = 0;
    return untold;
  }
}
