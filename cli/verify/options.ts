import type { Address } from '../../runtime/api/peer.ts';
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
  /** Number of bits; `true`: the default number. */
  readonly hashCompact?: number | true;
  /** The names of the properties to judge. */
  readonly property?: readonly string[];
  /** Run at random instead of exploring. */
  readonly random?: boolean;
  readonly seeds?: number;
  readonly depth?: number;
  readonly firstSeed?: number;
  /** A probability. */
  readonly maxOmission?: number;
  readonly failVacuous?: boolean;
  /** End after the level of the first violation. */
  readonly stopAtFirst?: boolean;
  readonly maxStates?: number;
  /** Maximum memory in bytes. */
  readonly maxMemory?: number;
  /** Time limit in seconds. */
  readonly timeout?: number;
  readonly checkpoint?: string;
  readonly resume?: string;
  readonly spill?: string;
  /** The model checker that explores. */
  readonly engine: 'baton' | EngineName;
  /** Number of searches of SPIN. */
  readonly swarm?: number;
  /** Number of workers of TLC. */
  readonly distributed?: number;
  readonly fingerprintServers?: number;
  /** Where TLC's server listens; with `join`, this host. */
  readonly address?: Address;
  /** TLC's server on another host. */
  readonly join?: Address;
  /** Run every other installed engine too, and compare the results. */
  readonly secondOpinion?: boolean;
  readonly json?: string;
  /** The format of traces. */
  readonly trace: 'text' | 'json' | 'mermaid' | 'shiviz';
  /** A file of traces to repeat. */
  readonly replay?: string;
  /** Path of a Vitest file that repeats each counterexample. */
  readonly regression?: string;
  /** Check again whenever a file beside the module changes. */
  readonly watch?: boolean;
  readonly coverage?: boolean;
  readonly junit?: string;
  /** A page that shows the report. */
  readonly html?: string;
}
