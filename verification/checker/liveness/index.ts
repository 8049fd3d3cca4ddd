export { BrokenLassoError, LivenessError, type LivenessErrorCode } from './errors.ts';
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
