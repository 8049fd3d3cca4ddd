export type LivenessErrorCode =
  /** The formula is not LTL; `column` says where. */
  | 'FORMULA_SYNTAX'
  /** The formula names an atom that the property does not give. */
  | 'FORMULA_UNKNOWN_ATOM'
  /** More than 31 atoms or untils, or an automaton of more than 4,096 states. */
  | 'FORMULA_TOO_LARGE'
  /** The model answered something that is no state, step or letter. */
  | 'MODEL_MALFORMED';

/** What the caller can mend. `column` counts from 1, in the formula's text. */
export class LivenessError extends Error {
  override readonly name = 'LivenessError';
  readonly code: LivenessErrorCode;
  readonly column: number | undefined;

  constructor(code: LivenessErrorCode, message: string, column?: number) {
    super(message);
    this.code = code;
    this.column = column;
  }
}

/** The checker contradicts itself: its counterexample is none. Never to be caught and carried on from. */
export class BrokenLassoError extends Error {
  override readonly name = 'BrokenLassoError';
  readonly code = 'BROKEN_LASSO';
}
