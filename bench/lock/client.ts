/** Ends the critical section. */
export type Release = () => void | Promise<void>;

/** A lock as a process uses it. */
export interface LockClient {
  /** Resolves in the critical section of `lock`. */
  acquire(lock: string): Promise<Release>;
}

/** The place of a client among all. */
export interface Place {
  readonly index: number;
  readonly clients: number;
  /** The ports of the servers, or those of the clients in the order of their index, on loopback. */
  readonly ports: readonly number[];
}

/** The function that a contender's module exports as `open`. */
export type Open = (place: Place) => Promise<LockClient>;
