import { CodedError } from '../../machines/errors.ts';

/**
 * Why a system cannot be checked as asked. The message says what to do instead.
 *
 * - `NO_SYMMETRY`: the system does not declare which of its actors are interchangeable.
 * - `NO_LIVENESS`: it has no properties of runs.
 * - `RUNS_NEED_STATES`: properties of runs cannot be judged on orbits, nor on hashes, nor on a part of the states.
 * - `NO_SUCH_PROPERTY`: it has no property of that name.
 * - `SOURCE_INVALID`: a `SystemSource` leads to no system.
 * - `PATHS_UNBOUNDED`: a machine has too many states for paths to each of its transitions.
 * - `PATH_DIFFERS`: an actor differs from the model on a path.
 */
export type CheckErrorCode =
  | 'NO_SYMMETRY'
  | 'NO_LIVENESS'
  | 'RUNS_NEED_STATES'
  | 'NO_SUCH_PROPERTY'
  | 'SOURCE_INVALID'
  | 'PATHS_UNBOUNDED'
  | 'PATH_DIFFERS';

/** A question about a system that has no answer. */
export class CheckError extends CodedError<CheckErrorCode> {}

/** A request for something that does not exist; `message` names the alternatives. Exit status 2. */
export class UsageError extends Error {
  readonly code = 'USAGE';
}
