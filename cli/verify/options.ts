import type { EngineName } from '../../verification/engines/opinions.ts';
import type { Network } from '../../verification/system/system.ts';

/** The options of `baton verify`; absent ones were not given. */
export interface VerifyOptions {
  readonly sites?: number;
  readonly network?: Network['order'];
  /** Check the properties of runs as well. */
  readonly liveness?: boolean;
  readonly symmetry?: boolean;
  readonly workers?: number;
  /** Bits; `true`: as many as it says without a number. */
  readonly hashCompact?: number | true;
  /** The names of those that are judged. */
  readonly property?: readonly string[];
  /** Run at random instead of exploring. */
  readonly random?: boolean;
  readonly seeds?: number;
  readonly depth?: number;
  readonly firstSeed?: number;
  /** A probability. */
  readonly maxOmission?: number;
  readonly failVacuous?: boolean;
  readonly maxStates?: number;
  /** Bytes. */
  readonly maxMemory?: number;
  /** Seconds. */
  readonly timeout?: number;
  readonly checkpoint?: string;
  readonly resume?: string;
  readonly spill?: string;
  /** Which model checker explores. */
  readonly engine: 'baton' | EngineName;
  /** Ask every other engine that is installed, and compare. */
  readonly secondOpinion?: boolean;
  readonly json?: string;
  /** How traces are printed. */
  readonly trace: 'text' | 'json' | 'mermaid' | 'shiviz';
  /** A file of traces to take again. */
  readonly replay?: string;
  /** A Vitest file that takes each counterexample again. */
  readonly regression?: string;
  /** Check again whenever a file beside the module changes. */
  readonly watch?: boolean;
  readonly coverage?: boolean;
  readonly junit?: string;
  /** A page that shows the report. */
  readonly html?: string;
}
