import type { AnyStateMachine } from 'xstate';
import type { Message, SiteId } from '../../machines/actor.ts';
import type { StartLine } from '../../machines/record.ts';
import type { GlobalPromise } from './promises/promises.ts';
import type { SiteRecord } from './site-record.ts';

/** The knowledge of a protocol that replay needs to hold a record against its machine. */
export interface RecordedMachine {
  readonly machine: AnyStateMachine;
  /** True when a site may begin another run and a link may lose messages. */
  readonly survives: boolean;
  /**
   * The input that the site of `start` must have had, when some site of the cluster had the input `example`.
   */
  input(start: StartLine, mesh: readonly SiteId[], example: unknown): unknown;
  /** The events that are messages, by type. */
  readonly messages: readonly string[];
  /** The events of a client and its driver. */
  readonly clientEvents: readonly Message[];
  /** Whether a client or its driver says `event`; the machine has yet to take it. Default: one of `clientEvents`. */
  isClientEvent?(event: Message): boolean;
  /** May a message come from a site without a record of the lock? Default: none may. */
  isUnrecorded?(message: Message): boolean;
  /** The site that a receiver of `message` no longer broadcasts to, if any. */
  departs(message: Message): SiteId | null;
  /**
   * The `seq` of the first event of `record` that the run `next` does not know: its process was killed before
   * that event was on the disk, and before any other site heard of it. Default: there is none.
   */
  forgottenFrom?(record: SiteRecord, next: StartLine): number;
  /** For the records of one lock; each is told of every step in this order. */
  promises(): readonly GlobalPromise[];
}
