export type StatechartErrorCode =
  /** The machine has a feature that is not compiled. The message names the feature and its place. */
  | 'OUTSIDE_SUBSET'
  /** A guard is named that the machine does not implement, or that refers to itself. */
  | 'GUARD_UNKNOWN'
  /** The `initial` of a compound state names none of its states. */
  | 'INITIAL_UNKNOWN'
  /** An event that is reserved for XState (`xstate.init`, `xstate.stop`, `*`). */
  | 'EVENT_RESERVED'
  /** One event caused more than 10,000 microsteps, or more than the machine's `maxIterations`. */
  | 'NO_REST';

export class StatechartError extends Error {
  readonly code: StatechartErrorCode;

  constructor(code: StatechartErrorCode, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
    this.name = 'StatechartError';
  }
}

export function outside(what: string, where: string): StatechartError {
  return allOutside([`${where} has ${what}`]);
}

/** One error for all features that are not compiled. */
export function allOutside(features: readonly string[]): StatechartError {
  return new StatechartError(
    'OUTSIDE_SUBSET',
    `${features.join('; ')}; compiled are states of every type, entry, exit, always, after, guards, and named actions ` +
      'beside assign, raise, cancel, log and enqueueActions. Use these, and let the driver do the rest.',
  );
}
