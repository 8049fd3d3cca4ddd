import { CodedError } from '../../../machines/errors.ts';
import type { Model, Predicate, Symmetry } from '../model.ts';

/**
 * Exhaustive breadth-first search over a `Model`. It is exact, proceeds level by level, and gives the same
 * answers for every number of workers. With hash compaction this holds only while no two states have the same
 * hash.
 */
export interface SearchOptions {
  /** The predicates that judge every state. */
  readonly predicates?: readonly NamedPredicate[];
  /** States outside (judged `false`) are counted in `cut` and not expanded. */
  readonly constraint?: Predicate;
  /** Explore one state of each orbit, its canonical form. Sound if predicates do not distinguish the processes. */
  readonly symmetry?: Symmetry;
  /**
   * Hash compaction: store a hash of this many bits (8 to 64) instead of each state. A key takes 4 bytes up
   * to 44 bits, and 8 bytes above. A state is omitted if its hash equals that of another state: see
   * `omissionProbability` of the result. Cannot be combined with `symmetry`. Default: full states are stored.
   */
  readonly hashCompaction?: number;
  /** End after the level in which the first `always` or `quiescent` predicate was violated. Default: false. */
  readonly stopAtFirst?: boolean;
  /**
   * Number of threads, including this one. Default: 1. More than one requires `source` when there is anything
   * to judge.
   */
  readonly workers?: number;
  /**
   * Start only when all threads are ready. Default: false. This thread then starts alone, and the others join
   * when they are ready.
   */
  readonly awaitWorkers?: boolean;
  /** The place from which a worker thread loads the same model and predicates. */
  readonly source?: ModelSource;
  readonly maxStates?: number;
  readonly maxMemoryBytes?: number;
  readonly timeoutMs?: number;
  /** Ends the search at the next pause (some milliseconds) with a partial result. */
  readonly signal?: AbortSignal;
  /** Called at most about four times a second. */
  readonly onProgress?: (progress: Progress) => void;
  /** Directory for states when `maxMemoryBytes` is near. Default: none, the search ends there. */
  readonly spillDir?: string;
  /** Directory in which the search saves itself at level ends, atomically. */
  readonly checkpointDir?: string;
  /** Milliseconds between two checkpoints. Default: 60,000. */
  readonly checkpointEveryMs?: number;
  /**
   * The `checkpointDir` of an earlier search of the same model, to be resumed. Requires `spillDir` if that
   * search had spilled.
   */
  readonly resumeDir?: string;
  /**
   * Names and values that describe the model as far as its answers do not. They are stored in checkpoints and
   * must agree with them.
   */
  readonly identity?: Readonly<Record<string, string>>;
}

/**
 * A named predicate. `expect` selects the state that is kept, the first of its kind. `always`: a state that
 * violates it. `reachable`: a state in which it is true. `quiescent`: a state that no enabled step changes
 * and that violates it.
 */
export interface NamedPredicate {
  readonly name: string;
  readonly expect: 'always' | 'reachable' | 'quiescent';
  readonly predicate: Predicate;
}

/**
 * `export` of `module` (a URL) is a function. Called with `args`, it returns `{ model, predicates, … }` or a
 * promise of it.
 */
export interface ModelSource {
  readonly module: string;
  readonly export: string;
  /** Plain data, because it is sent to the workers. */
  readonly args: unknown;
}

/** The result of a `ModelSource`. Must equal the arguments of the search itself. */
export interface Sourced {
  readonly model: Model;
  readonly predicates?: readonly NamedPredicate[];
  readonly constraint?: Predicate;
  readonly symmetry?: Symmetry;
}

export interface Progress {
  readonly states: number;
  readonly transitions: number;
  readonly statesPerSecond: number;
  /** The level that is being expanded, and the number of its states. */
  readonly depth: number;
  readonly frontier: number;
  /** States that are still to be found, by the growth of the levels; `null` while no end is in sight. */
  readonly statesToCome: number | null;
  readonly memoryBytes: number;
  /** The names of the `always` and `quiescent` predicates that were violated in the levels before. */
  readonly violated: readonly string[];
}

/** The reason why a search ended before it was complete. */
export type StopReason = 'max-states' | 'max-memory' | 'timeout' | 'aborted' | 'stop-at-first' | 'constraint';

export interface SearchResult {
  /** Number of distinct states (with `symmetry`: orbits). */
  readonly states: number;
  readonly transitions: number;
  /** With hash compaction: the probability that any state was omitted. 0 without. */
  readonly omissionProbability: number;
  /** Steps to the farthest state found. */
  readonly depth: number;
  /** The number of states that no enabled step changes, intended or not, and the first of them. */
  readonly deadlocks: number;
  readonly deadlock: Found | null;
  /** Number of states outside the constraint. */
  readonly cut: number;
  /** With `symmetry`: the number of states that the expanded orbits stand for. */
  readonly representedStates: bigint;
  /**
   * For each predicate, by its index: the first state that violated (`always`, `quiescent`) or satisfied
   * (`reachable`) it.
   */
  readonly found: readonly (Found | null)[];
  /**
   * True when every reachable state was explored. Otherwise `reason` tells why; `'constraint'` when states
   * were cut.
   */
  readonly complete: boolean;
  readonly reason: StopReason | null;
  /** For each process: the number of distinct locals seen. */
  readonly locals: readonly number[];
  readonly workers: number;
  readonly elapsedMs: number;
  readonly statesPerSecond: number;
  /** Bytes of tables, states and buffers together. */
  readonly peakMemoryBytes: number;
  readonly bytesPerState: number;
}

/**
 * A state of least depth, and among those the smallest as a tuple. It is the same for every number of
 * workers.
 */
export interface Found {
  readonly state: readonly number[];
  readonly depth: number;
}

/** One step of a trace: the `step`-th of `model.steps(process, …)`, and the state after it. */
export interface PathStep {
  readonly process: number;
  readonly step: number;
  readonly state: readonly number[];
}

export interface Path {
  readonly initial: readonly number[];
  readonly steps: readonly PathStep[];
}

/** An operating error of the checker. The message says what was expected, what came, and what to do. */
export class SearchError extends CodedError<SearchErrorCode> {}

/** Reasons why states could not be explored. */
export type SearchErrorCode =
  | 'WORKERS_NEED_SOURCE'
  | 'SOURCE_DIFFERS'
  | 'HASHING_UNSUPPORTED'
  | 'STATE_TOO_WIDE'
  | 'CHECKPOINT_DIFFERS'
  | 'CHECKPOINT_MISSING'
  | 'SPILL_DIR_MISSING'
  | 'LOCALS_NOT_DENSE'
  | 'OUT_OF_ROOM'
  | 'NO_SUCH_STATE';
