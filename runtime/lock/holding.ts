import type { Fence } from '../../machines/epoch/messages.ts';
import type { Held } from '../options/index.ts';

/** Whoever has granted it. */
export interface Granter {
  readonly lock: string;
  release(holding: Holding): void;
}

/** A critical section, as the caller has it that was granted it. */
export class Holding implements Held {
  readonly #granter: Granter;
  readonly fence: Fence;
  #isOver = false;
  /** Why it was over before its release. */
  #loss: unknown = null;
  #controller: AbortController | null = null;

  constructor(granter: Granter, fence: Fence) {
    this.#granter = granter;
    this.fence = fence;
  }

  get lock(): string {
    return this.#granter.lock;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#loss !== null) this.#controller.abort(this.#loss);
    }
    return this.#controller.signal;
  }

  /** It was released, or is lost. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Is it `granter`'s? */
  isOf(granter: Granter): boolean {
    return this.#granter === granter;
  }

  // Callers take it out of its object.
  readonly release = (): void => {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#granter.release(this);
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
  }

  /** It is over without a release. */
  lose(reason: unknown): void {
    this.#isOver = true;
    this.#loss = reason;
    this.#controller?.abort(reason);
  }
}
