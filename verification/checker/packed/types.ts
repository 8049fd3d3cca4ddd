import { CodedError } from '../../../machines/errors.ts';
import type { Model, Predicate, Symmetry } from '../model.ts';

/**
 * Exhaustive breadth-first search over a `Model`: exact, level by level, with the same answers for every
 * number of workers; by hash compaction so only while no two states have the same hash.
 */
export interface SearchOptions {
  /** What every state is watched for. */
  readonly watches?: readonly NamedWatch[];
  /** States outside (judged `false`) are counted in `cut` and not expanded. */
  readonly constraint?: Predicate;
  /** Explore one state of each orbit, its canonical form. Sound where watches do not tell the cells apart. */
  readonly symmetry?: Symmetry;
  /**
   * Hash compaction: keep of each state a hash of so many bits (8 to 64) instead of the state itself. Up to 44 take
   * 4 bytes a key, more take 8. A state whose hash another one has is omitted: see `omissionProbability` of the result. Not with `symmetry`. Default: states are kept.
   */
  readonly hashCompaction?: number;
  /** End after the level in which the first `always` or `quiescent` watch broke. Default: false. */
  readonly stopAtFirst?: boolean;
  /** Threads, this one included. Default: 1. More than one needs `source` when there is anything to judge. */
  readonly workers?: number;
  /** Begin when all threads are there. Default: false, this one begins alone, and they join when they are. */
  readonly awaitWorkers?: boolean;
  /** Where a worker thread finds the same model and watches again. */
  readonly source?: ModelSource;
  readonly maxStates?: number;
  readonly maxMemoryBytes?: number;
  readonly timeoutMs?: number;
  /** Ends the search at the next pause (some milliseconds) with what is known so far. */
  readonly signal?: AbortSignal;
  /** At most about four times a second. */
  readonly onProgress?: (progress: Progress) => void;
  /** Where states go when `maxMemoryBytes` is near. Default: nowhere, the search ends there. */
  readonly spillDir?: string;
  /** Where the search saves itself at level ends, atomically. */
  readonly checkpointDir?: string;
  /** Default: 60,000. */
  readonly checkpointEveryMs?: number;
  /** A `checkpointDir` of an earlier search of the same model, to go on from; needs `spillDir` if that one had spilled. */
  readonly resumeDir?: string;
  /** What is explored, by name, as far as the model does not tell it: goes into checkpoints, and must agree with them. */
  readonly identity?: Readonly<Record<string, string>>;
}

/**
 * Which state is kept, the first of its kind: `always`: one that breaks it; `reachable`: one in which it is true;
 * `quiescent`: one that no enabled step changes, and that breaks it.
 */
export interface NamedWatch {
  readonly name: string;
  readonly expect: 'always' | 'reachable' | 'quiescent';
  readonly watch: Predicate;
}

/** `export` of `module` (a URL) is a function that, called with `args`, returns `{ model, watches, … }`, or a promise of it. */
export interface ModelSource {
  readonly module: string;
  readonly export: string;
  /** Plain data: it is sent to the workers. */
  readonly args: unknown;
}

/** What a `ModelSource` returns: equal to what the search itself was given. */
export interface Sourced {
  readonly model: Model;
  readonly watches?: readonly NamedWatch[];
  readonly constraint?: Predicate;
  readonly symmetry?: Symmetry;
}

export interface Progress {
  readonly states: number;
  readonly transitions: number;
  readonly statesPerSecond: number;
  /** The level that is being expanded, and how many states it has. */
  readonly depth: number;
  readonly frontier: number;
  readonly memoryBytes: number;
}

/** Why a search ended before it had seen everything. */
export type StopReason = 'max-states' | 'max-memory' | 'timeout' | 'aborted' | 'stop-at-first' | 'constraint';

export interface SearchResult {
  /** Distinct states (with `symmetry`: orbits). */
  readonly states: number;
  readonly transitions: number;
  /** Of hash compaction: how likely it is that any state was omitted; 0 without. */
  readonly omissionProbability: number;
  /** Steps to the farthest state found. */
  readonly depth: number;
  /** States that no enabled step changes, intended or not, and the first of them. */
  readonly deadlocks: number;
  readonly deadlock: Found | null;
  /** States outside the constraint. */
  readonly cut: number;
  /** With `symmetry`: how many states the orbits stand for that were expanded. */
  readonly representedStates: bigint;
  /** For each watch, by its index: the first state that broke (`always`, `quiescent`) or showed (`reachable`) it. */
  readonly found: readonly (Found | null)[];
  /** True when every reachable state was seen. `reason` says why not; `'constraint'` when states were cut. */
  readonly complete: boolean;
  readonly reason: StopReason | null;
  /** Distinct locals seen, per cell. */
  readonly locals: readonly number[];
  readonly workers: number;
  readonly elapsedMs: number;
  readonly statesPerSecond: number;
  /** Of tables, states and buffers together. */
  readonly peakMemoryBytes: number;
  readonly bytesPerState: number;
}

/** A state of least depth, and among those the smallest as a tuple: the same for every number of workers. */
export interface Found {
  readonly state: readonly number[];
  readonly depth: number;
}

/** One step of a trace: the `step`-th of `model.steps(cell, …)`, and the state after it. */
export interface PathStep {
  readonly cell: number;
  readonly step: number;
  readonly state: readonly number[];
}

export interface Path {
  readonly initial: readonly number[];
  readonly steps: readonly PathStep[];
}

/** An operating error of the checker: what was expected, what came, what to do. */
export class SearchError extends CodedError<SearchErrorCode> {}

/** Why states could not be explored. */
export type SearchErrorCode =
  | 'WORKERS_NEED_SOURCE'
  | 'SOURCE_DIFFERS'
  | 'HASHES_DO_NOT_DO'
  | 'STATE_TOO_WIDE'
  | 'CHECKPOINT_DIFFERS'
  | 'CHECKPOINT_MISSING'
  | 'SPILL_DIR_MISSING'
  | 'LOCALS_NOT_DENSE'
  | 'OUT_OF_ROOM'
  | 'NO_SUCH_STATE';
