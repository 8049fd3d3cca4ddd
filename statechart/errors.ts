export type StatechartErrorCode =
  /** The machine has something that is not compiled; the message names it, and where it stands. */
  | 'OUTSIDE_SUBSET'
  /** A guard is named that the machine does not implement, or that is made of itself. */
  | 'GUARD_UNKNOWN'
  /** An event whose type begins with `xstate.`, which XState keeps to itself. */
  | 'EVENT_RESERVED'
  /** One event made more than 10,000 microsteps, or than the machine's `maxIterations`. */
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
