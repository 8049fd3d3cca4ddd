import type { Clock } from '../api/clock.ts';
import type { OperatingError } from '../api/errors.ts';

/** A grant that lasts this long is watched for being forgotten. */
const watchAfterMs = 100;

/** A queue with a grant that may last. */
interface Granted {
  /** The grant, if it lasts still, is watched from now on. */
  watchGrant(): void;
}

/** A grant that ends without a majority of the voters. */
interface Abortable {
  /** Ends the critical section. The holder's signal aborts with `reason`. */
  abort(reason: OperatingError): void;
}

/**
 * The grants of one site. It knows those that end without a majority, and the queues that have granted a lock lately. Most grants are released soon, and to watch one for being forgotten costs some
 * microseconds, so each queue is told once in a while to watch the grant that lasts. One timer serves all queues: a timer for each
 * would cost as much as a third of a grant where there are thousands of locks.
 */
export class GrantWatch {
  /** Whether a grant ends without a majority, unless its holder says otherwise. */
  readonly abortInMinority: boolean;
  readonly #clock: Clock;
  readonly #inMinority = new Set<Abortable>();
  #queues: Granted[] = [];
  #stopTimer: (() => void) | null = null;
  readonly #look = () => {
    const queues = this.#queues;
    this.#queues = [];
    this.#stopTimer = null;
    for (const queue of queues) queue.watchGrant();
  };

  constructor(clock: Clock, abortInMinority = false) {
    this.#clock = clock;
    this.abortInMinority = abortInMinority;
  }

  /** Ends `grant` when the majority is lost, unless what this returns is called before. */
  endInMinority(grant: Abortable): () => void {
    this.#inMinority.add(grant);
    return () => this.#inMinority.delete(grant);
  }

  /** No majority has been in reach for so long that another site may be inside. */
  majorityLost(reason: OperatingError): void {
    for (const grant of [...this.#inMinority]) grant.abort(reason);
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
