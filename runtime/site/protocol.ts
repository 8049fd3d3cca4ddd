import type { AnyStateMachine } from 'xstate';
import type { Effect, Message, SiteId } from '../../machines/actor.ts';
import type { DurableState, EpochEffect } from '../../machines/epoch/messages.ts';
import type { LockStatus } from '../options/index.ts';
import type { Layout } from '../wire/layout.ts';

/** What any of the statecharts that run here may ask of the host. */
export type SiteEffect = Effect | EpochEffect;

/** Everything that the runtime has to know about a protocol: its statechart, its words, and what must hold at one site. */
export interface Protocol {
  /** By which `baton verify` knows it. */
  readonly name: string;
  readonly machine: AnyStateMachine;
  /**
   * Whether sites go on without one that has died: they are told when to `suspect`, and `persist` what they promise.
   * Otherwise a death is an error that nobody but a person can mend, and who leaves hands everything on by `leave`.
   */
  readonly survives: boolean;
  input(start: ProtocolStart): unknown;
  /** Its messages, as they are written. */
  readonly layout: Layout;
  /** The type of those for which somebody stands still: they are written first. */
  readonly urgent: string;
  /** The site that, having said this, is no longer one that `broadcast` reaches. */
  departs(message: Message): SiteId | null;
  /** How a message of `source` breaks the protocol for a site that is as `snapshot` tells, or null. */
  breachOf(message: Message, source: SiteId, snapshot: ProtocolSnapshot): string | null;
  /** The same, of what a message would have the site do. */
  breachBy(effects: readonly { readonly type: string }[]): string | null;
  /** What is wrong with a snapshot, or null. */
  invariants(snapshot: ProtocolSnapshot): string | null;
  status(snapshot: ProtocolSnapshot): MachineStatus;
}

export interface ProtocolStart {
  readonly site: SiteId;
  readonly root: SiteId;
  readonly peers: readonly SiteId[];
  readonly voters: readonly SiteId[];
  /** What is left of an earlier life. */
  readonly disk: DurableState | 'none' | 'lost';
  /** With leases. */
  readonly strict: boolean;
}

export interface ProtocolSnapshot {
  readonly value: unknown;
  readonly context: unknown;
}

export type MachineStatus = Omit<LockStatus, 'waiting'>;
