export type SymmetryErrorCode =
  | 'SYMMETRY_TOO_LARGE'
  | 'SYMMETRY_CELLS'
  | 'SYMMETRY_REF'
  | 'SYMMETRY_BROKEN_RENAME'
  | 'SYMMETRY_BROKEN_MODEL'
  | 'SYMMETRY_BROKEN_WATCH'
  | 'SYMMETRY_BROKEN_PATH';

/** What a model says of its symmetry is not so; nothing that was explored with it counts. */
export class SymmetryError extends Error {
  override readonly name = 'SymmetryError';
  readonly code: SymmetryErrorCode;

  constructor(code: SymmetryErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
