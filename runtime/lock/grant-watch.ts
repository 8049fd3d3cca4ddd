import type { Clock } from '../api/clock.ts';

/** A grant that lasts this long is watched for being forgotten. */
const watchAfterMs = 100;

/** A queue with a grant that may last. */
interface Granted {
  /** The grant, if it lasts still, is watched from now on. */
  watchGrant(): void;
}

/**
 * The queues of one site that have granted a lock lately. Most grants are released soon, and to watch one for being forgotten costs some
 * microseconds, so each queue is told once in a while to watch the grant that lasts. One timer serves all queues: a timer for each
 * would cost as much as a third of a grant where there are thousands of locks.
 */
export class GrantWatch {
  readonly #clock: Clock;
  #queues: Granted[] = [];
  #stopTimer: (() => void) | null = null;
  readonly #look = () => {
    const queues = this.#queues;
    this.#queues = [];
    this.#stopTimer = null;
    for (const queue of queues) queue.watchGrant();
  };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Has `queue` told once. */
  add(queue: Granted): void {
    this.#queues.push(queue);
    this.#stopTimer ??= this.#clock.after(watchAfterMs, this.#look);
  }

  /** No grant is watched any more that is not yet. */
  stop(): void {
    this.#queues = [];
    this.#stopTimer?.();
    this.#stopTimer = null;
  }
}
