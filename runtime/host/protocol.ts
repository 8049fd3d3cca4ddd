import type { AnyStateMachine } from 'xstate';
import type { ZodType } from 'zod';
import type { Message, SiteId } from '../../machines/actor.ts';
import type { Status } from '../options.ts';

/** Everything that the runtime has to know about a protocol: its statechart, its words, and what must hold at one site. */
export interface Protocol<M extends Message = Message> {
  /** By which `baton verify` knows it. */
  readonly name: string;
  readonly machine: AnyStateMachine;
  input(site: SiteId, root: SiteId, peers: readonly SiteId[]): unknown;
  /** Accepts exactly the messages that may come, among these sites. */
  schema(sites: readonly [SiteId, ...SiteId[]]): ZodType<M>;
  /** The site that, having said this, is no longer one that `broadcast` reaches. */
  departs(message: Message): SiteId | null;
  /** What is wrong with a snapshot, or null. */
  invariants(snapshot: ProtocolSnapshot): string | null;
  status(snapshot: ProtocolSnapshot): Pick<Status, 'last' | 'next' | 'token' | 'client'>;
}

export interface ProtocolSnapshot {
  readonly value: unknown;
  readonly context: unknown;
}
