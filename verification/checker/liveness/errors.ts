import { CodedError } from '../../../machines/errors.ts';

/** Why a property of runs could not be judged. */
export type LivenessErrorCode =
  /** The formula is not LTL; `column` says where. */
  | 'FORMULA_SYNTAX'
  /** The formula names an atom that the property does not give. */
  | 'FORMULA_UNKNOWN_ATOM'
  /** More than 31 atoms or untils, or an automaton of more than 4,096 states. */
  | 'FORMULA_TOO_LARGE';

/** What the caller can mend. `column` counts from 1, in the formula's text. */
export class LivenessError extends CodedError<LivenessErrorCode> {
  readonly column: number | undefined;

  constructor(code: LivenessErrorCode, message: string, column?: number) {
    super(code, message);
    this.column = column;
  }
}

/** The checker contradicts itself: its counterexample is none. Never to be caught and carried on from. */
export class BrokenLassoError extends Error {
  override readonly name = 'BrokenLassoError';
  readonly code = 'BROKEN_LASSO';
}
