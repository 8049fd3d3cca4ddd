import type { Fence } from '../../machines/epoch/messages.ts';
import { OperatingError } from '../api/errors.ts';
import type { Held } from '../api/lock.ts';
import { timely } from './timely.ts';

/** Whoever has granted it. */
export interface Granter {
  readonly lock: string;
  release(holding: Holding): void;
  /** Takes what time has made due, so that a holding is over when its lease is. */
  look(): void;
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
      timely(this.#controller, () => this.#look());
      if (this.#loss !== null) this.#controller.abort(this.#loss);
    }
    return this.#controller.signal;
  }

  check(): void {
    this.refuseLoss();
    if (this.#isOver) throw released(this.lock);
  }

  /** Throws why it was over before its release. */
  refuseLoss(): void {
    this.#look();
    if (this.#loss !== null) throw this.#loss;
  }

  #look(): void {
    if (!this.#isOver) this.#granter.look();
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

function released(lock: string): OperatingError {
  return new OperatingError('LOCK_LOST', `${lock} was released by its holder, and is held no more`);
}
