export { ModelError } from '../memo.ts';
export { checkLiveness } from './check.ts';
export { BrokenLassoError, LivenessError, type LivenessErrorCode } from './errors.ts';
export { type Formula, parseFormula } from './ltl.ts';
export type {
  ActionClass,
  ActionFairness,
  Lasso,
  Limit,
  LivenessOptions,
  LivenessProgress,
  LivenessProperty,
  LivenessResult,
  LivenessVerdict,
  Move,
} from './property.ts';
export { validateLasso } from './validate.ts';
