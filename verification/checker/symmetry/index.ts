/**
 * Symmetry reduction. States that differ by a permutation of interchangeable processes form one orbit. This
 * module computes canonical forms and maps paths over orbits back to real runs.
 */
export { type Canonicalizer, createCanonicalizer } from './canonicalizer.ts';
export { concretize, type RealPath } from './concretize.ts';
export { SymmetryError, type SymmetryErrorCode } from './errors.ts';
export { createSymmetryCheck, type SymmetryClaim } from './soundness.ts';
