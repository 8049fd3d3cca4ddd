import type { AnyStateMachine } from 'xstate';
import type { SiteId } from '../../machines/actor.ts';
import type { RecordedSnapshot } from '../../machines/record.ts';

/** What replay must know of a protocol, to hold a record against its machine. */
export interface RecordedMachine {
  readonly machine: AnyStateMachine;
  /** What `site` must have been started with, when some site of the mesh was started with `example`. */
  input(site: SiteId, mesh: readonly SiteId[], example: unknown): unknown;
  /** The events that are messages, by type. A client's event is one of `clientEvents`. */
  readonly messages: readonly string[];
  readonly clientEvents: readonly { readonly type: string }[];
  /** The site to which whoever has taken `message` broadcasts no longer, if any. */
  departs(message: { readonly type: string }): SiteId | null;
  /** How many tokens a site in `snapshot` holds. */
  tokensHeld(snapshot: RecordedSnapshot): number;
  /** How many tokens travel in `message`. */
  tokensIn(message: { readonly type: string }): number;
  inCriticalSection(snapshot: RecordedSnapshot): boolean;
}
