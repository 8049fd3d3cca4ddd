import { CodedError } from '../../../machines/errors.ts';

/** Reasons why a liveness property could not be judged. */
export type LivenessErrorCode =
  /** The formula is not LTL. `column` gives the position. */
  | 'FORMULA_SYNTAX'
  /** The formula names an atom that the property does not define. */
  | 'FORMULA_UNKNOWN_ATOM'
  /** More than 31 atoms or untils, or an automaton of more than 4,096 states. */
  | 'FORMULA_TOO_LARGE';

/** An error that the caller can correct. `column` counts from 1, in the formula's text. */
export class LivenessError extends CodedError<LivenessErrorCode> {
  readonly column: number | undefined;

  constructor(code: LivenessErrorCode, message: string, column?: number) {
    super(code, message);
    this.column = column;
  }
}

/**
 * The checker contradicts itself: its counterexample is not a counterexample. Must never be caught and
 * ignored.
 */
export class BrokenLassoError extends Error {
  override readonly name = 'BrokenLassoError';
  readonly code = 'BROKEN_LASSO';
}
