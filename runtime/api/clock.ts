import { createHook, executionAsyncResource } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { throwUncaught } from './errors.ts';

/** The one door for time; a simulation hands in its own. */
export interface Clock {
  /** Milliseconds from a fixed point; only differences mean anything. */
  now(): number;
  /** Runs `action` once, `delayMs` from now, unless the returned function is called before. */
  after(delayMs: number, action: () => void): () => void;
  /**
   * The same, and once the time has come, no other callback of the process begins before `action`: a process that was
   * stopped, or blocked by a long computation, finds many timers due at once. Default: `after`.
   */
  readonly deadline?: (delayMs: number, action: () => void) => () => void;
  /** Runs `action` once, when what has arrived by now has been read. */
  nextTurn(action: () => void): void;
  /** Runs `action` once, when every promise that is settled by now has been followed, before anything is read. Default: `nextTurn`. */
  readonly endOfTurn?: (action: () => void) => void;
  /** From now on no timer that is set keeps the process alive (`Cluster.unref`). Default: nothing changes. */
  readonly unref?: () => void;
}

/** The one door for chance. */
export interface Random {
  /** Uniform in [0, 1). */
  fraction(): number;
  /** A name that no other process start has. */
  incarnation(): string;
}

/** The most that Node's timers take; what is longer they would take for 1 ms. */
const longestMs = 2 ** 31 - 1;

/** Node's timers, one after another for longer waits, and `performance.now()`. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after: (delayMs, action) => {
    if (delayMs > longestMs) {
      let cancel = systemClock.after(longestMs, () => {
        cancel = systemClock.after(delayMs - longestMs, action);
      });
      return () => cancel();
    }
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
  deadline: (delayMs, action) => deadlines.add(delayMs, action),
  nextTurn: (action) => void setImmediate(action),
  endOfTurn: (action) => turn.atEnd(action),
};

/** What is done at the end of the event loop's turn. */
class Turn {
  #actions: (() => void)[] = [];
  readonly #settled = Promise.resolve();
  readonly #end = () => {
    const actions = this.#actions;
    this.#actions = [];
    let done = 0;
    try {
      while (done < actions.length) actions[done++]!();
    } finally {
      // One of them has failed.
      for (const action of actions.slice(done)) this.atEnd(action);
    }
  };
  // A tick that is asked for within a promise's callback comes after those of all other promises.
  readonly #awaitEnd = () => process.nextTick(this.#end);

  atEnd(action: () => void): void {
    // `then` of a settled promise costs less than `queueMicrotask`.
    if (this.#actions.push(action) === 1) void this.#settled.then(this.#awaitEnd);
  }
}

const turn = new Turn();

/** The clock of one site, as `systemClock`. */
export function ownClock(): Clock {
  let isUnref = false;
  return {
    ...systemClock,
    after: (delayMs, action) => {
      if (!isUnref || delayMs > longestMs) return systemClock.after(delayMs, action);
      const timer = setTimeout(action, delayMs).unref();
      return () => clearTimeout(timer);
    },
    unref: () => {
      isUnref = true;
    },
  };
}

/** The deadlines of all sites of the process. While there are none, nothing of this costs anything. */
class Deadlines {
  readonly #pending = new Map<() => void, number>();
  /** No deadline is before. */
  #earliest = Number.POSITIVE_INFINITY;
  readonly #hook = createHook({ before: () => this.#look() });

  add(delayMs: number, action: () => void): () => void {
    const meet = () => {
      if (!this.#remove(meet)) return;
      stopTimer();
      action();
    };
    const at = performance.now() + delayMs;
    if (this.#pending.size === 0) this.#hook.enable();
    this.#pending.set(meet, at);
    this.#earliest = Math.min(this.#earliest, at);
    const stopTimer = systemClock.after(delayMs, meet);
    return () => {
      if (this.#remove(meet)) stopTimer();
    };
  }

  #remove(meet: () => void): boolean {
    if (!this.#pending.delete(meet)) return false;
    if (this.#pending.size === 0) {
      this.#hook.disable();
      this.#earliest = Number.POSITIVE_INFINITY;
    }
    return true;
  }

  /** Before any callback. */
  #look(): void {
    const now = performance.now();
    if (now < this.#earliest) return;
    this.#earliest = Number.POSITIVE_INFINITY;
    for (const [meet, at] of [...this.#pending]) {
      if (at > now) this.#earliest = Math.min(this.#earliest, at);
      else
        try {
          meet();
        } catch (error) {
          // Node ends the process for what a hook throws, whatever handlers there are.
          throwUncaught(error);
        }
    }
    // Node runs what it is about to run without looking whether that was cancelled just now.
    const next = executionAsyncResource() as { _onTimeout?: unknown; _onImmediate?: unknown };
    if (next._onTimeout === null) next._onTimeout = cancelled;
    if (next._onImmediate === null) next._onImmediate = cancelled;
  }
}

function cancelled(): void {}

const deadlines = new Deadlines();

/** `Math.random`, and UUIDs. */
export const systemRandom: Random = {
  fraction: Math.random,
  incarnation: randomUUID,
};
