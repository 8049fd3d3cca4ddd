import type { MachineCoverage } from '../system/index.ts';
import type { Network, PropertyResult } from '../system/system.ts';
import type { SystemSource } from './source.ts';

/** How far to look, and how. */
export interface CheckOptions {
  /** Explore one state of each orbit of the actors that the system declares interchangeable. Default: false. */
  readonly symmetry?: boolean;
  /**
   * Properties of runs (`leadsTo`, `eventually`, `ltl`). Default: those that the system has are judged; true
   * refuses a system that has none, false leaves them out.
   */
  readonly liveness?: boolean;
  /**
   * Keep a hash of this number of bits (8 to 64) for each state, instead of the state itself: less memory where states are
   * wide, and a chance that some are omitted (`Report.hashCompaction`). Ways to what was found are
   * looked for among exact states, and take their memory. Not with symmetry, nor with properties of runs.
   * Default: states are kept, and none is omitted.
   */
  readonly hashCompaction?: number;
  /** The names of the properties to judge, beside `no machine fails`. Default: all. */
  readonly only?: readonly string[];
  /**
   * With hash compaction: the chance that a state was omitted above which nothing `holds`, but is `incomplete`.
   * Default: 0.001.
   */
  readonly maxOmissionProbability?: number;
  /** Make a property that holds vacuously `violated`. Default: false, it holds and `Judged.vacuous` says why it does. */
  readonly failVacuous?: boolean;
  /** End once a property of states is violated, after the level of states in which it is. Default: false. */
  readonly stopAtFirst?: boolean;
  /** Threads for the exploration, this one included; for orbits it is one. Default: 1. More need `source`. */
  readonly workers?: number;
  /** Where another thread finds the system again. */
  readonly source?: SystemSource;
  /** Stop after this number of states (with `symmetry`: orbits). Default, as for all limits: none. */
  readonly maxStates?: number;
  readonly maxMemoryBytes?: number;
  /** To explore and to judge. For the ways to what was found there is half as long again. */
  readonly maxSeconds?: number;
  /** Stops the exploration; what is known so far is reported. */
  readonly signal?: AbortSignal;
  /** Called a few times a second. */
  readonly onProgress?: (progress: Progress) => void;
  /** Where states go when they need more than `maxMemoryBytes`. Default: nowhere, the exploration ends there. */
  readonly spillDir?: string;
  /** Where the exploration saves itself, at the end of a level of states. */
  readonly checkpointDir?: string;
  /** Default: 60,000. */
  readonly checkpointEveryMs?: number;
  /** A `checkpointDir` of an earlier check of the same system, asked the same: goes on from there. */
  readonly resumeDir?: string;
}

/** A property's verdict. */
export type Judged = PropertyResult & {
  /** With hash compaction, of what holds because no state was found that breaks it: how likely it is that any was omitted. */
  readonly omissionProbability?: number;
  /** The reason why a property holds vacuously. */
  readonly vacuous?: string;
  /**
   * A machine failed on the trace of this violation, after this number of steps. Mend that first: the violation may
   * follow from it.
   */
  readonly follows?: { readonly property: string; readonly step: number };
};

/** How far an exploration has come. */
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
   * Distinct states (of runs at random: the states that they passed, again and again included), among them those that the constraint cut off; with `symmetry`, how many the expanded
   * orbits stand for.
   */
  readonly states: number;
  /** With `symmetry`: how many were explored, one state of each. */
  readonly orbits?: number;
  /** With `symmetry`: those of the states that were explored. */
  readonly transitions: number;
  /** Steps to the farthest state. */
  readonly depth: number;
  /** For everything: exploring, judging, finding traces. */
  readonly seconds: number;
  /** Explored a second, without the judging of runs; with `symmetry`: orbits. */
  readonly statesPerSecond: number;
  /** All memory of the exploration, divided by the states (with `symmetry`: orbits) in it. */
  readonly bytesPerState: number;
  /** The most that exploration or judging of runs took for tables and states. */
  readonly peakMemoryBytes: number;
  /** Threads that explored. */
  readonly workers: number;
  /** Were all reachable states seen? Otherwise `incomplete` says why not. */
  readonly complete: boolean;
  readonly incomplete?: string;
  /** States outside the system's constraint: counted, not explored further. */
  readonly cut: number;
  /** The values that grew all the while, in words, when a limit ended the exploration. */
  readonly grows?: readonly string[];
  /**
   * With hash compaction: how likely it is that a state was omitted, and perhaps more that only it leads to; by the
   * birthday bound, see `omissionProbability` in the checker.
   */
  readonly hashCompaction?: { readonly bits: number; readonly omissionProbability: number };
  /** The system's own, in its order, after the one that is always asked: that no machine fails. */
  readonly properties: readonly Judged[];
  /**
   * For each machine, the named actions that are functions, which no check runs and the system does not declare
   * (`outside`).
   */
  readonly notRun: readonly { readonly machine: string; readonly actions: readonly string[] }[];
  /** The types of messages that came to an actor which takes them in no state: it ignores them, or its name for them is another. */
  readonly untaken: readonly { readonly actor: string; readonly event: string }[];
  /** The keys of contexts that functions of the system read, and that no state has. Of a complete check by one thread. */
  readonly absent: readonly { readonly actor: string; readonly key: string }[];
  /** For each machine, the transitions that no step took. Says something about the system when `complete`. */
  readonly coverage: readonly MachineCoverage[];
}
