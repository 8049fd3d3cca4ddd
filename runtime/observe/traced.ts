import { context, type Span, trace } from '@opentelemetry/api';
import type { Fence } from '../api/fence.ts';
import type { Held } from '../api/lock.ts';

/** A critical section that reports its end. */
export class Traced implements Held {
  readonly #held: Held;
  readonly #span: Span | null;
  readonly #ending: Ending;

  /** `ended`: told once, `null` for a release, or why it was over before. */
  constructor(held: Held, span: Span | null, ended: (reason: unknown) => void) {
    this.#held = held;
    this.#span = span;
    this.#ending = new Ending(held.signal, ended);
  }

  get lock(): string {
    return this.#held.lock;
  }

  get fence(): Fence {
    return this.#held.fence;
  }

  get signal(): AbortSignal {
    return this.#held.signal;
  }

  check(): void {
    this.#held.check();
  }

  release(): void {
    this.#ending.released();
    this.#held.release();
  }

  [Symbol.dispose](): void {
    this.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
  }

  /** Spans that `work` begins are children of this critical section's. */
  within<T>(work: () => T): T {
    return this.#span === null ? work() : context.with(trace.setSpan(context.active(), this.#span), work);
  }
}

/** The end of a critical section, told once. It does not hold the grant: one that is forgotten must become garbage. */
class Ending {
  readonly #signal: AbortSignal;
  readonly #lost = () => this.#end(this.#signal.reason);
  #ended: ((reason: unknown) => void) | null;

  constructor(signal: AbortSignal, ended: (reason: unknown) => void) {
    this.#signal = signal;
    this.#ended = ended;
    signal.addEventListener('abort', this.#lost, { once: true });
  }

  released(): void {
    this.#signal.removeEventListener('abort', this.#lost);
    this.#end(null);
  }

  #end(reason: unknown): void {
    const ended = this.#ended;
    this.#ended = null;
    ended?.(reason);
  }
}

/** Runs `work` inside `held`, so that its spans belong there. */
export function inside<T>(held: Held, work: (held: Held) => T): T {
  return held instanceof Traced ? held.within(() => work(held)) : work(held);
}
