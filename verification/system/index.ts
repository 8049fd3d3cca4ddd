/** From a system of statecharts to integers that the engine explores, and back to traces that people read. */

export { type Compiled, compile } from './compile.ts';
export type { MachineCoverage, NeverTaken } from './coverage.ts';
export { SystemError, type SystemErrorCode } from './errors.ts';
export { evaluate } from './evaluate.ts';
export * from './properties.ts';
export { replayTrace } from './replay.ts';
export type * from './system.ts';
export { actionText, messageText, stateText, traceText } from './text.ts';
export { type PathStep, pathOf, stateAfter, traceOf } from './trace.ts';
