/** States that differ by a permutation of interchangeable cells are one orbit: canonical forms, and the way back. */
export { type Canonicalizer, createCanonicalizer } from './symmetry/canonicalizer.ts';
export { SymmetryError, type SymmetryErrorCode } from './symmetry/errors.ts';
