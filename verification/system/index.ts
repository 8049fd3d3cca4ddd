export { type Compiled, compile } from './compile.ts';
export { SystemError, type SystemErrorCode } from './errors.ts';
export type * from './system.ts';
export { type PathStep, stateAfter, traceOf } from './trace.ts';
