import { CodedError } from '../../machines/errors.ts';

/** Failures that happen while every site keeps the protocol: a peer is gone, a frame is bad, a wait is over. */
export type OperatingCode =
  // A frame or a connection is refused. Only the connection that carried it ends.
  | 'FRAME_TOO_LARGE'
  | 'FRAME_MALFORMED'
  | 'FRAME_UNKNOWN'
  | 'FRAME_OUT_OF_PLACE'
  | 'FOREIGN_VERSION'
  | 'FOREIGN_CLUSTER'
  | 'FOREIGN_SITE'
  | 'FOREIGN_CONFIGURATION'
  | 'FOREIGN_SOURCE'
  | 'FOREIGN_TARGET'
  | 'PROTOCOL_BREACH'
  | 'NOT_AUTHENTICATED'
  | 'SITE_NOT_PROVEN'
  | 'RECORD_CORRUPT'
  | 'HANDSHAKE_TIMEOUT'
  | 'TOO_MANY_HANDSHAKES'
  | 'TOO_MANY_LOCKS'
  // The state of a peer has changed.
  | 'PEER_RESTARTED'
  | 'NOT_A_MEMBER'
  | 'FOUNDED_ANEW'
  | 'CHANGE_TIMEOUT'
  | 'TOO_FEW_VOTERS'
  // This site cannot carry out a call.
  | 'LISTEN_FAILED'
  | 'INSECURE_LISTEN'
  | 'INSECURE_PEER'
  | 'DISCOVERY_FAILED'
  | 'OUTBOX_FULL'
  | 'UNDELIVERED'
  | 'MAILBOX_CLOSED'
  | 'TRACE_FAILED'
  | 'OPTIONS_INVALID'
  // Data that must be on the disk is not there, or cannot be put there.
  | 'DISK_MISSING'
  | 'DISK_CORRUPT'
  | 'DISK_FOREIGN'
  | 'DISK_VERSION'
  | 'DISK_FAILED'
  | 'STORE_IN_USE'
  // A caller does not hold the lock, or holds it no longer.
  | 'LOCK_LOST'
  | 'ACQUIRE_TIMEOUT'
  | 'READY_TIMEOUT'
  | 'REENTRY'
  | 'LEADERSHIP_CLOSED'
  | 'SITE_LEAVING'
  | 'SITE_CLOSED';

/** Failures that must never happen. The site that finds one stops at once. */
export type InvariantCode =
  | 'MACHINE_ERROR'
  | 'UNEXPECTED_EVENT'
  | 'UNKNOWN_EFFECT'
  | 'INVARIANT_BROKEN'
  | 'EFFECT_FAILED'
  | 'GRANT_TO_NOBODY';

/** The site goes on. The caller may retry, report or give up. */
export class OperatingError extends CodedError<OperatingCode> {}

/** Stops the site, and by default its process, because its state can no longer be trusted. */
export class InvariantError extends CodedError<InvariantCode> {}

/** Throws `error` outside every call and promise chain, so that no handler further up catches it. */
export function throwUncaught(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}

/** Runs `action`. An error that it throws becomes an uncaught exception, and does not stop the caller. */
export function attempt(action: () => void): void {
  try {
    action();
  } catch (error) {
    throwUncaught(error);
  }
}
