import type { Clock } from '../api/clock.ts';
import { OperatingError } from '../api/errors.ts';
import type { Fence } from '../api/fence.ts';
import type { Held, HoldOptions } from '../api/lock.ts';
import type { Notice } from '../api/notice.ts';
import type { GrantWatch } from './grant-watch.ts';
import { timely } from './timely.ts';

/** The queue that grants a critical section. */
export interface Granter {
  readonly lock: string;
  release(holding: Holding): void;
  /** Takes what time has made due, so that a holding is over when its lease is. */
  look(): void;
}

/** A critical section, as its site has it. */
export class Holding implements Held {
  readonly #granter: Granter;
  readonly fence: Fence;
  /** When it was granted, by the site's clock. */
  readonly since: number;
  /** True once it was released or lost. */
  #isOver = false;
  /** True after a release before `minHoldMs`: the site still holds the lock. */
  #lingers = false;
  /** Why it was over before its release. */
  #loss: unknown = null;
  #controller: AbortController | null = null;
  #mayEnd: { readonly at: number; readonly clock: Clock } | null = null;
  #stopTimer: (() => void) | null = null;
  /** It ends without a majority, unless this is called before. */
  #stopWatch: (() => void) | null = null;

  constructor(granter: Granter, fence: Fence, since: number) {
    this.#granter = granter;
    this.fence = fence;
    this.since = since;
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
    if (this.isOver) throw released(this.lock);
  }

  /** Throws why it was over before its release. */
  refuseLoss(): void {
    this.#look();
    if (this.#loss !== null) throw this.#loss;
  }

  #look(): void {
    if (!this.#isOver) this.#granter.look();
  }

  /** For its holder: it was released, or is lost. */
  get isOver(): boolean {
    return this.#isOver || this.#lingers;
  }

  /** Reports whether `granter` granted it. */
  isOf(granter: Granter): boolean {
    return this.#granter === granter;
  }

  /** From now on it lasts as long as `options` say, at least and at most. */
  limit(
    { minHoldMs = 0, maxHoldMs, force = false }: HoldOptions,
    clock: Clock,
    notice: (notice: Notice) => void,
  ): void {
    const began = clock.now();
    if (minHoldMs > 0) this.#mayEnd = { at: began + minHoldMs, clock };
    if (maxHoldMs === undefined) return;
    this.#stopTimer = clock.after(maxHoldMs, () => {
      const { lock, fence } = this;
      const heldMs = clock.now() - began;
      notice({ type: 'held-long', lock, fence, heldMs, forced: force });
      if (!force || this.#isOver) return;
      const why = `${lock} was held for ${Math.round(heldMs)} ms, and its maxHoldMs is ${maxHoldMs}`;
      this.abort(new OperatingError('LOCK_LOST', `${why}: it is released by force`));
    });
  }

  /** From now on it ends when its site loses the majority. */
  endInMinority(grants: GrantWatch): void {
    this.#stopWatch = grants.endInMinority(this);
  }

  /** Ends the critical section, and releases the lock. */
  abort(reason: OperatingError): void {
    this.lose(reason);
    this.#granter.release(this);
  }

  // Callers take it out of its object.
  readonly release = (): void => {
    if (this.isOver) return;
    this.#stopTimer?.();
    this.#stopTimer = null;
    const leftMs = this.#mayEnd ? this.#mayEnd.at - this.#mayEnd.clock.now() : 0;
    if (leftMs <= 0) {
      this.#end();
      return;
    }
    this.#lingers = true;
    this.#stopTimer = this.#mayEnd!.clock.after(leftMs, () => this.#end());
  };

  /** Ends the minimum hold: the holder has released the lock. */
  hurry(): void {
    if (!this.#lingers || this.#isOver) return;
    this.#stopTimer?.();
    this.#end();
  }

  #end(): void {
    this.#isOver = true;
    this.#stopWatch?.();
    this.#granter.release(this);
  }

  [Symbol.dispose](): void {
    this.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
  }

  /** Ends the critical section without a release. */
  lose(reason: unknown): void {
    this.#stopTimer?.();
    this.#stopWatch?.();
    this.#isOver = true;
    if (this.#lingers) return;
    this.#loss = reason;
    this.#controller?.abort(reason);
  }
}

/** Reports grants that became garbage before their release. */
const garbage = new FinalizationRegistry<{
  readonly holding: Holding;
  readonly place: Error | null;
  readonly notice: (notice: Notice) => void;
}>(({ holding, place, notice }) => {
  if (holding.isOver) return;
  const { lock, fence } = holding;
  notice({ type: 'leaked', lock, fence, taken: place?.stack?.replace(/^Error: /, '') ?? null });
});

/** The result of `acquire`. When it becomes garbage before its release, no caller can release the lock any more. */
export class Grant implements Held {
  readonly #holding: Holding;
  /** Its stack is that of the call of `acquire`; `null` when grants came too fast for it. */
  readonly #place: Error | null;

  constructor(holding: Holding, place: Error | null) {
    this.#holding = holding;
    this.#place = place;
  }

  /** From now on `notice` is told when this grant becomes garbage before its release. */
  reportForgotten(notice: (notice: Notice) => void): void {
    const holding = this.#holding;
    if (!holding.isOver) garbage.register(this, { holding, place: this.#place, notice });
  }

  get lock(): string {
    return this.#holding.lock;
  }

  get fence(): Fence {
    return this.#holding.fence;
  }

  get signal(): AbortSignal {
    return this.#holding.signal;
  }

  check(): void {
    this.#holding.check();
  }

  // Callers take it out of its object.
  readonly release = (): void => this.#holding.release();

  [Symbol.dispose](): void {
    this.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
  }
}

function released(lock: string): OperatingError {
  return new OperatingError('LOCK_LOST', `${lock} was released by its holder, and is held no more`);
}
