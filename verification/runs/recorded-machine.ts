import type { AnyStateMachine } from 'xstate';
import type { Message, SiteId } from '../../machines/actor.ts';
import type { StartLine } from '../../machines/record.ts';
import type { GlobalPromise } from './promises/promises.ts';
import type { SiteRecord } from './site-record.ts';

/** What replay must know of a protocol, to hold a record against its machine. */
export interface RecordedMachine {
  readonly machine: AnyStateMachine;
  /** May a site begin another life, and a link lose what is under way? */
  readonly survives: boolean;
  /** What the site of `start` must have been started with, when some site of the mesh was started with `example`. */
  input(start: StartLine, mesh: readonly SiteId[], example: unknown): unknown;
  /** The events that are messages, by type. */
  readonly messages: readonly string[];
  /** What a client says, and its driver. */
  readonly clientEvents: readonly Message[];
  /** Whether a client or its driver says `event`; the machine has yet to take it. Default: one of `clientEvents`. */
  isClientEvent?(event: Message): boolean;
  /** The site to which whoever has taken `message` broadcasts no longer, if any. */
  departs(message: Message): SiteId | null;
  /**
   * The `seq` of the first event in `record` of which the life that `next` begins knows nothing: its process was
   * killed before that was on the disk, and before anybody heard of it. Default: there is none.
   */
  forgottenFrom?(record: SiteRecord, next: StartLine): number;
  /** For the records of one lock; each is told of every step in this order. */
  promises(): readonly GlobalPromise[];
}
