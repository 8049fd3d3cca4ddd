import { CodedError } from '../../machines/errors.ts';

/**
 * The reason for which a system cannot be explored, or a trace cannot be replayed. The message says what came and what to do.
 * The refusals of steps (`MACHINE_IMPURE`, `MACHINE_REFUSED`, `VALUE_REFUSED`) come all in one error, each with its place.
 *
 * - `SYSTEM_INVALID`: the value contradicts itself (unknown ids or keys, a bound below 0, `breaks` without `fifo`).
 * - `MACHINE_REFUSED`: the statechart uses what a checked machine may not: spawn, invoke, `sendTo`, `self`, `system`.
 * - `MACHINE_IMPURE`: a step read the clock or chance, came out differently when repeated, or depends on key order.
 * - `ENGINES_DIFFER`: the engine that runs and XState answer one event in different ways; a fault of Baton, not of yours.
 * - `OUTCOMES_MISSING`: what a machine invokes is not declared; the message lists all of it, with a stub to paste.
 * - `VALUE_REFUSED`: a context, message or disk is not plain JSON.
 * - `SYMMETRY_BROKEN`: actors that are declared interchangeable are not, or a machine orders their ids.
 * - `PREDICATE_INVALID`: a predicate answered with something else than its doc comment asks for.
 * - `CALLBACK_FAILED`: a function of the system threw; the message names it and the state.
 * - `WATCH_OVERFLOW`: a packed counter would overflow; compile the predicate with `exact: true`.
 * - `TRACE_REFUSED`: the system cannot take a step of the trace.
 */
export type SystemErrorCode =
  | 'SYSTEM_INVALID'
  | 'MACHINE_REFUSED'
  | 'MACHINE_IMPURE'
  | 'ENGINES_DIFFER'
  | 'OUTCOMES_MISSING'
  | 'VALUE_REFUSED'
  | 'SYMMETRY_BROKEN'
  | 'PREDICATE_INVALID'
  | 'CALLBACK_FAILED'
  | 'WATCH_OVERFLOW'
  | 'TRACE_REFUSED';

/** A system that cannot be checked as given. */
export class SystemError extends CodedError<SystemErrorCode> {}
