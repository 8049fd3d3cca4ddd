import type { Query } from './formula.ts';

/** The parts of a proof. Together they say that an invariant is inductive for every number of sites. */
export interface Theory {
  /** Rows of the table of the statechart's own steps. */
  readonly rows: number;
  /** Claims that the table alone decides. */
  readonly table: readonly TableClaim[];
  readonly steps: readonly Step[];
}

export interface TableClaim {
  readonly claim: string;
  /** The rows that break it, in words. */
  readonly broken: readonly string[];
}

/** Rows with one effect: one transition of the system. The start and the consequences of the invariant are written as steps, too. */
export interface Step {
  readonly step: string;
  /** Can it be taken from a state that satisfies the invariant? Absent: the claims are asked in any case. */
  readonly possible?: Query;
  /** It must not be possible; then it has no claims. */
  readonly mustBeImpossible?: boolean;
  readonly claims: readonly Claim[];
}

export interface Claim {
  readonly claim: string;
  /** The claim's negation, with all that may be assumed. */
  readonly query: Query;
  /** Default: `unsat`. `sat`: that the assumptions do not contradict each other. */
  readonly expect?: 'unsat' | 'sat';
}
