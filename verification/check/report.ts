import type { MachineCoverage } from '../system/index.ts';
import type { Network, PropertyResult } from '../system/system.ts';
import type { SystemSource } from './source.ts';

/** The options of a check: its limits and its method. */
export interface CheckOptions {
  /** Explore one state of each orbit of the actors that the system declares interchangeable. Default: false. */
  readonly symmetry?: boolean;
  /**
   * Judge properties of runs (`leadsTo`, `eventually`, `ltl`). Default: judge those that the system has.
   * `true`: throw if it has none. `false`: leave them out.
   */
  readonly liveness?: boolean;
  /**
   * Keep a hash of this number of bits (8 to 64) for each state, instead of the state itself. This takes less
   * memory for wide states, and may omit some states (`Report.hashCompaction`). Traces are sought among exact
   * states, and take the memory of these. Not with symmetry or properties of runs. Default: states are kept,
   * and none is omitted.
   */
  readonly hashCompaction?: number;
  /** The names of the properties to judge, beside `no machine fails`. Default: all. */
  readonly only?: readonly string[];
  /**
   * With hash compaction: maximum probability of an omitted state at which a property `holds`. Above it the
   * verdict is `incomplete`. Default: 0.001.
   */
  readonly maxOmissionProbability?: number;
  /**
   * Report a property that holds vacuously as `violated`. Default: false; it holds, and `Judged.vacuous`
   * gives the reason.
   */
  readonly failVacuous?: boolean;
  /** Stop after the level of states in which a property of states is violated first. Default: false. */
  readonly stopAtFirst?: boolean;
  /** Threads for the exploration, this one included; for orbits it is one. Default: 1. More need `source`. */
  readonly workers?: number;
  /** The module in which another thread finds the system. */
  readonly source?: SystemSource;
  /** Stop after this number of states (with `symmetry`: orbits). Default, as for all limits: none. */
  readonly maxStates?: number;
  readonly maxMemoryBytes?: number;
  /** Time for exploring and judging. The search for traces gets half of it in addition. */
  readonly maxSeconds?: number;
  /** Aborts the exploration. The report then has the verdicts reached so far. */
  readonly signal?: AbortSignal;
  /** Called a few times a second. */
  readonly onProgress?: (progress: Progress) => void;
  /** Directory for states beyond `maxMemoryBytes`. Default: none; the exploration ends at that limit. */
  readonly spillDir?: string;
  /** Directory in which the exploration saves a checkpoint, at the end of a level of states. */
  readonly checkpointDir?: string;
  /** Minimum time between two checkpoints, in ms. Default: 60,000. */
  readonly checkpointEveryMs?: number;
  /**
   * The `checkpointDir` of an earlier check of the same system with the same options. The check resumes
   * there.
   */
  readonly resumeDir?: string;
}

/** A property's verdict. */
export type Judged = PropertyResult & {
  /**
   * With hash compaction, for a property that holds because no violating state was found: the probability
   * that a state was omitted.
   */
  readonly omissionProbability?: number;
  /** The reason why a property holds vacuously. */
  readonly vacuous?: string;
  /**
   * A machine failed on the trace of this violation, after this number of steps. Correct that first: the
   * violation may be its consequence.
   */
  readonly follows?: { readonly property: string; readonly step: number };
};

/** The progress of an exploration. */
export interface Progress {
  /** The property of runs that is being judged; `null` while states are explored. */
  readonly property: string | null;
  readonly states: number;
  readonly transitions: number;
  /** Steps to the states that are being expanded. */
  readonly depth: number;
  /** States that are waiting to be expanded. */
  readonly frontier: number;
  readonly seconds: number;
  readonly statesPerSecond: number;
  readonly memoryBytes: number;
  /** The names of the properties that are known to be violated. Absent while there are none. */
  readonly violated?: readonly string[];
  /** Estimated seconds that the exploration still takes, by the growth of its levels. Absent while no end is in sight. */
  readonly secondsToCome?: number;
  /** A value that grows all the while, in words, when the exploration has no end in sight. */
  readonly grows?: string;
}

/** The size of the exploration, and every verdict. */
export interface Report {
  readonly system: string;
  readonly sites: number;
  readonly network: Network['order'];
  /**
   * Number of distinct states, including those that the constraint cut off. With `symmetry`: number of states
   * in the expanded orbits. Of random runs: number of states on the runs, repetitions included.
   */
  readonly states: number;
  /** With `symmetry`: number of explored orbits, one state of each. */
  readonly orbits?: number;
  /** Number of transitions; with `symmetry`, of the explored states. */
  readonly transitions: number;
  /** Why an engine other than Baton's has not counted them; `transitions` is 0 then. Absent: it has. */
  readonly uncounted?: string;
  /** Steps to the farthest state. */
  readonly depth: number;
  /** Time of the whole check: exploring, judging, finding traces. */
  readonly seconds: number;
  /** Explored states per second (with `symmetry`: orbits), without the judging of runs. */
  readonly statesPerSecond: number;
  /** All memory of the exploration, divided by the states (with `symmetry`: orbits) in it. */
  readonly bytesPerState: number;
  /** Peak size of tables and states, of the exploration or the judging of runs. */
  readonly peakMemoryBytes: number;
  /** Threads that explored. */
  readonly workers: number;
  /** True if all reachable states were seen. Otherwise the reason is in the verdicts `incomplete`. */
  readonly complete: boolean;
  readonly incomplete?: string;
  /** Number of states outside the system's constraint. They are not explored further. */
  readonly cut: number;
  /** The values that kept growing, in words, if a limit ended the exploration. */
  readonly grows?: readonly string[];
  /**
   * With hash compaction: the probability that a state was omitted, with the states reachable only from it;
   * by the birthday bound, see `omissionProbability` in the checker.
   */
  readonly hashCompaction?: { readonly bits: number; readonly omissionProbability: number };
  /** The verdicts: first on `no machine fails`, then on the system's properties in order. */
  readonly properties: readonly Judged[];
  /**
   * For each machine, the named actions that are functions which no check runs and the system does not
   * declare (`outside`).
   */
  readonly notRun: readonly { readonly machine: string; readonly actions: readonly string[] }[];
  /**
   * The types of messages that arrived at an actor which takes them in no state. The actor ignores them, or
   * names them differently.
   */
  readonly untaken: readonly { readonly actor: string; readonly event: string }[];
  /**
   * The keys of contexts that functions of the system read and no state has. Only of a complete check by one
   * thread.
   */
  readonly absent: readonly { readonly actor: string; readonly key: string }[];
  /** For each machine, the transitions that no step took. Meaningful if the check is `complete`. */
  readonly coverage: readonly MachineCoverage[];
}
