import { CodedError } from '../../../machines/errors.ts';

/** Reasons why actors cannot be treated as interchangeable. */
export type SymmetryErrorCode =
  | 'SYMMETRY_TOO_LARGE'
  | 'SYMMETRY_PROCESSES'
  | 'SYMMETRY_REF'
  | 'SYMMETRY_BROKEN_RENAME'
  | 'SYMMETRY_BROKEN_MODEL'
  | 'SYMMETRY_BROKEN_PREDICATE'
  | 'SYMMETRY_BROKEN_PATH';

/** A model's declared symmetry is wrong. No result of an exploration with it is valid. */
export class SymmetryError extends CodedError<SymmetryErrorCode> {}
