export type StatechartErrorCode =
  /** The machine has a feature that is not compiled. The message names the feature and its place. */
  | 'OUTSIDE_SUBSET'
  /** A guard is named that the machine does not implement, or that refers to itself. */
  | 'GUARD_UNKNOWN'
  /** An event whose type begins with `xstate.`, a prefix reserved for XState. */
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
  return new StatechartError(
    'OUTSIDE_SUBSET',
    `${where} has ${what}; compiled are parallel and compound states, entry, exit, always, guards, and named actions ` +
      'beside assign, raise and enqueueActions. Say it by those, and let the driver do the rest.',
  );
}
