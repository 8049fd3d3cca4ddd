import { CodedError } from '../../../machines/errors.ts';

/** Why actors cannot be taken for interchangeable. */
export type SymmetryErrorCode =
  | 'SYMMETRY_TOO_LARGE'
  | 'SYMMETRY_CELLS'
  | 'SYMMETRY_REF'
  | 'SYMMETRY_BROKEN_RENAME'
  | 'SYMMETRY_BROKEN_MODEL'
  | 'SYMMETRY_BROKEN_WATCH'
  | 'SYMMETRY_BROKEN_PATH';

/** What a model says of its symmetry is not so; nothing that was explored with it counts. */
export class SymmetryError extends CodedError<SymmetryErrorCode> {}
