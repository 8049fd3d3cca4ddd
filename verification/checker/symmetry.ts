/** States that differ by a permutation of interchangeable cells are one orbit: canonical forms, and the way back. */
export { type Canonicalizer, createCanonicalizer } from './symmetry/canonicalizer.ts';
export { SymmetryError, type SymmetryErrorCode } from './symmetry/errors.ts';
export { createSymmetryCheck, type SymmetryClaim } from './symmetry/soundness.ts';
export { type RealPath, unpermute } from './symmetry/unpermute.ts';
