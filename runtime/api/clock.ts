import { createHook, executionAsyncResource } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { throwUncaught } from './errors.ts';

/** The only access of the runtime to time. A simulation supplies its own. */
export interface Clock {
  /** Milliseconds from a fixed point; only differences mean anything. */
  now(): number;
  /** Runs `action` once, `delayMs` from now, unless the returned function is called before. */
  after(delayMs: number, action: () => void): () => void;
  /**
   * Like `after`, and once the time has come, no other callback of the process begins before `action`. A
   * process that was stopped, or blocked by a long computation, finds many timers due at once. Default:
   * `after`.
   */
  readonly deadline?: (delayMs: number, action: () => void) => () => void;
  /** Runs `action` once, after all input that has arrived by now has been read. */
  nextTurn(action: () => void): void;
  /**
   * Runs `action` once, after every settled promise has been followed and before further input is read.
   * Default: `nextTurn`.
   */
  readonly endOfTurn?: (action: () => void) => void;
  /** From now on no timer that is set keeps the process alive (`Cluster.unref`). Default: nothing changes. */
  readonly unref?: () => void;
}

/** The only access of the runtime to randomness. */
export interface Random {
  /** Uniform in [0, 1). */
  fraction(): number;
  /** A name that no other process start has. */
  incarnation(): string;
}

/** Longest delay of Node's timers. They treat a longer one as 1 ms. */
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
  endOfTurn: (action) => atEndOfTurn(action),
};

/** The actions that wait for the end of the event loop's turn. */
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
      while (done < actions.length) this.atEnd(actions[done++]!);
    }
  };
  // A tick requested within a promise's callback comes after the callbacks of all other promises.
  readonly #awaitEnd = () => process.nextTick(this.#end);

  atEnd(action: () => void): void {
    // `then` of a settled promise costs less than `queueMicrotask`.
    if (this.#actions.push(action) === 1) void this.#settled.then(this.#awaitEnd);
  }
}

const turn = new Turn();

/** `Clock.endOfTurn` of Node's event loop. */
export function atEndOfTurn(action: () => void): void {
  turn.atEnd(action);
}

/** The clock of one site, like `systemClock`. */
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

/** The deadlines of all sites of the process. They cost nothing while there are none. */
class Deadlines {
  readonly #pending = new Map<() => void, number>();
  /** Earliest deadline, or infinity. */
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

  /** Called before any callback. */
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
          // Node ends the process for an error thrown by a hook, whatever handlers exist.
          throwUncaught(error);
        }
    }
    // Node runs this callback even if it was cancelled a moment ago.
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
