/** An entry of a `Line`. */
export interface Standing<T> {
  before: T | null;
  after: T | null;
  inLine: boolean;
}

/** First in, first out; from anywhere in it one may leave, at the same small cost. */
export class Fifo<T extends Standing<T>> {
  #first: T | null = null;
  #last: T | null = null;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  *[Symbol.iterator](): Generator<T> {
    for (let one = this.#first; one !== null; one = one.after) yield one;
  }

  push(one: T): void {
    one.inLine = true;
    one.before = this.#last;
    if (this.#last) this.#last.after = one;
    else this.#first = one;
    this.#last = one;
    this.#length += 1;
  }

  shift(): T | null {
    const first = this.#first;
    if (first) this.remove(first);
    return first;
  }

  /** False when it is in line no longer. */
  remove(one: T): boolean {
    if (!one.inLine) return false;
    const { before, after } = one;
    if (before) before.after = after;
    else this.#first = after;
    if (after) after.before = before;
    else this.#last = before;
    one.inLine = false;
    one.before = null;
    one.after = null;
    this.#length -= 1;
    return true;
  }
}
