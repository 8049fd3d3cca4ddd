/** Ends the critical section. */
export type Release = () => void | Promise<void>;

/** A lock as a process uses it. */
export interface LockClient {
  /** Resolves in the critical section of `lock`. */
  acquire(lock: string): Promise<Release>;
}

/** What a process is told about its place among the others. */
export interface Place {
  readonly index: number;
  readonly processes: number;
  /** Of the server, or of the processes themselves in the order of their index; on loopback. */
  readonly ports: readonly number[];
}

/** What a contender's module exports as `open`. */
export type Open = (place: Place) => Promise<LockClient>;
