import { timely } from './timely.ts';

/** An object that is told when a signal aborts. */
export interface Abortable {
  aborted(): void;
}

/** Listeners by signal. */
const told = new WeakMap<AbortSignal, Set<Abortable>>();

/** Told of one signal, for all that wait with it: Node takes many listeners of one signal for a leak. */
function onAbort(this: AbortSignal): void {
  const all = told.get(this) ?? [];
  told.delete(this);
  for (const one of [...all]) one.aborted();
}

/**
 * Tells `one` when `signal` aborts, until `unfollow`. It stands in for `AbortSignal.any`, since every signal would keep
 * something for as long as it lives.
 */
export function follow(signal: AbortSignal, one: Abortable): void {
  let all = told.get(signal);
  if (!all) {
    all = new Set();
    told.set(signal, all);
    signal.addEventListener('abort', onAbort, { once: true });
  }
  all.add(one);
}

/** Nothing where it follows no more. */
export function unfollow(signal: AbortSignal, one: Abortable): void {
  const all = told.get(signal);
  if (!all?.delete(one) || all.size > 0) return;
  told.delete(signal);
  signal.removeEventListener('abort', onAbort);
}

/** A signal that aborts with the first of those that it follows, until its end. */
export class FirstAbort {
  readonly #controller = new AbortController();
  /** Aborts when one of the followed signals should be aborted by now. */
  readonly signal = timely(this.#controller, () => this.#look());
  readonly #followed: (readonly [AbortSignal, Abortable])[] = [];

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  follow(signal: AbortSignal): void {
    const one = { aborted: () => this.#controller.abort(signal.reason) };
    if (signal.aborted) one.aborted();
    else {
      follow(signal, one);
      this.#followed.push([signal, one]);
    }
  }

  #look(): void {
    for (const [signal, one] of this.#followed) if (signal.aborted) one.aborted();
  }

  /** Stops following signals. */
  end(): void {
    for (const [signal, one] of this.#followed.splice(0)) unfollow(signal, one);
  }
}
