import { randomUUID } from 'node:crypto';

/** The one door for time; a simulation hands in its own. */
export interface Clock {
  /** Milliseconds from a fixed point; only differences mean anything. */
  now(): number;
  /** Runs `action` once, `delayMs` from now, unless the returned function is called before. */
  after(delayMs: number, action: () => void): () => void;
  /** Runs `action` once, when what has arrived by now has been read. */
  nextTurn(action: () => void): void;
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
  nextTurn: (action) => void setImmediate(action),
};

/** `Math.random`, and UUIDs. */
export const systemChance: Random = {
  fraction: Math.random,
  incarnation: randomUUID,
};
