/** The checker, for any XState machines: put a system together from them, and check it. */
export type { Message, NamedAction, SiteId } from '../machines/actor.ts';
export {
  CheckError,
  type CheckErrorCode,
  type CheckOptions,
  check,
  type Judged,
  noFault,
  type Progress,
  type Report,
  type SimulateOptions,
  type SystemSource,
  simulate,
} from './check/check.ts';
export type { MachineModule } from './check/machine.ts';
export { replay, toHold } from './check/matcher.ts';
export type { PathState, PathStep } from './check/paths.ts';
export type { StateProperty } from './check/questions.ts';
export { adapterOf, type PathAdapter, takePath } from './check/take-path.ts';
export { LivenessError, type LivenessErrorCode } from './checker/liveness/index.ts';
export { SearchError, type SearchErrorCode } from './checker/packed/index.ts';
export { SymmetryError, type SymmetryErrorCode } from './checker/symmetry/index.ts';
export type { MachineCoverage, NeverTaken, NotRun } from './system/coverage.ts';
export { type Editor, editorOf } from './system/edit.ts';
export { SystemError, type SystemErrorCode } from './system/errors.ts';
export {
  type Handled,
  type HandlerMachine,
  type Handlers,
  machineOf,
  type Sent,
  toEach,
} from './system/handlers.ts';
export {
  type Done,
  type Invoked,
  isLinearizable,
  type OperationMessages,
  type Operations,
  operationsOf,
  type Sequential,
} from './system/linearizability.ts';
export * from './system/properties.ts';
export * from './system/sets.ts';
export type * from './system/system.ts';
export { actionText, messageText, stateText, traceText } from './system/text.ts';
export type { Chance, ChanceDoor } from './system/tree/chance.ts';
export { DrivenActor, type Happening } from './system/tree/driven.ts';
export type { Outcome, Outcomes, OutcomesOf, Values } from './system/tree/outcomes.ts';
export * from './system/typed.ts';
export { traceMermaid } from './timeline/mermaid.ts';
export { traceShiViz } from './timeline/shiviz.ts';
