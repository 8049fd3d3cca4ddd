import type { NamedAction, SiteId } from '../../machines/actor.ts';
import type { RecordedSnapshot } from '../../machines/record.ts';

/**
 * Why a record is refused.
 *
 * - `REPLAY_MALFORMED`: the line is not of the schema.
 * - `REPLAY_MESH`: the files are not one record for each life of each site of one mesh.
 * - `REPLAY_START`: no machine starts like this.
 * - `REPLAY_SEQUENCE`: a line is missing, doubled or out of its place.
 * - `REPLAY_CLOCK`: the vector clock is not what its own and its cause's past make it.
 * - `REPLAY_CAUSE`: the event waits for one that is not in the record.
 * - `REPLAY_RECEIPT`: the message was not what its sender had next under way to this site.
 * - `REPLAY_STEP`: the machine does something else on this event.
 * - `REPLAY_UNEXPECTED`: the machine does not take this event here.
 * - `REPLAY_TOKEN`: the step makes or loses a token (S1).
 * - `REPLAY_OVERLAP`: two critical sections that no chain of messages puts in order (S4).
 * - `REPLAY_ELECTION`: an epoch with two winners, or two roots (S2).
 * - `REPLAY_FENCE`: the fence of a grant is not above those before it (S3, S5).
 * - `REPLAY_DISK`: a life does not begin with what the one before had to keep (R7, R8).
 */
export type RefusalCode =
  | 'REPLAY_MALFORMED'
  | 'REPLAY_MESH'
  | 'REPLAY_START'
  | 'REPLAY_SEQUENCE'
  | 'REPLAY_CLOCK'
  | 'REPLAY_CAUSE'
  | 'REPLAY_RECEIPT'
  | 'REPLAY_STEP'
  | 'REPLAY_UNEXPECTED'
  | 'REPLAY_TOKEN'
  | 'REPLAY_OVERLAP'
  | 'REPLAY_ELECTION'
  | 'REPLAY_FENCE'
  | 'REPLAY_DISK';

/** The first line that the model cannot take. */
export interface Nonconformance {
  readonly code: RefusalCode;
  readonly file: string;
  /** Counts from 1. */
  readonly line: number;
  readonly reason: string;
  readonly event?: Occurrence;
  readonly recorded?: Outcome;
  /** The machine's own answer to that event. */
  readonly expected?: Outcome;
  /** The events that could have happened at this site instead, as far as replay had come. */
  readonly allowed?: readonly Occurrence[];
}

export interface Occurrence {
  readonly site: SiteId;
  readonly event: { readonly type: string };
  /** The sender; `null` for a client's event. */
  readonly source: SiteId | null;
}

export interface Outcome {
  readonly snapshot: RecordedSnapshot;
  readonly effects: readonly NamedAction[];
}

/** Carries a refusal out of the depth at which it was found; never leaves this folder. */
export class Refused extends Error {
  readonly refusal: Nonconformance;

  constructor(refusal: Nonconformance) {
    super(`${refusal.code} at ${refusal.file}:${refusal.line}: ${refusal.reason}`);
    this.refusal = refusal;
  }
}
