/** States that differ by a permutation of interchangeable cells are one orbit: canonical forms, and the way back. */
export { type Canonicalizer, createCanonicalizer } from './canonicalizer.ts';
export { concretize, type RealPath } from './concretize.ts';
export { SymmetryError, type SymmetryErrorCode } from './errors.ts';
export { createSymmetryCheck, type SymmetryClaim } from './soundness.ts';
