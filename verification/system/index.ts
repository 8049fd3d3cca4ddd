export { type Compiled, compile } from './compile.ts';
export { SystemError, type SystemErrorCode } from './errors.ts';
export * from './properties.ts';
export type * from './system.ts';
export { actionText, messageText, stateText, traceText } from './text.ts';
export { type PathStep, stateAfter, traceOf } from './trace.ts';
