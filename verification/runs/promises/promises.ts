import type { Message, NamedAction, SiteId } from '../../../machines/actor.ts';
import type { RecordedSnapshot, VectorClock } from '../../../machines/record.ts';
import type { RefusalCode } from '../nonconformance.ts';

/** Ends the replay at the line that is being judged. */
export type Refuse = (code: RefusalCode, reason: string) => never;

/** A site begins a life; that it begins as its machine does has been judged. */
export interface LifeStart {
  readonly site: SiteId;
  readonly life: number;
  readonly input: unknown;
  readonly snapshot: RecordedSnapshot;
  readonly effects: readonly NamedAction[];
  readonly refuse: Refuse;
}

/**
 * An event that a site took, and that its machine takes in the same way. A message that it received was sent
 * before.
 */
export interface JudgedStep {
  readonly site: SiteId;
  readonly seq: number;
  readonly clock: VectorClock;
  readonly cause: { readonly site: SiteId; readonly seq: number } | null;
  /** The received message; `null` for an event of the client or the driver. */
  readonly received: Message | null;
  readonly before: RecordedSnapshot;
  readonly after: RecordedSnapshot;
  readonly effects: readonly NamedAction[];
  /** One for each target. */
  readonly sent: readonly Message[];
  readonly refuse: Refuse;
}

/**
 * A promise of a protocol that no single site can check. It is told the events in one order that respects
 * causality.
 */
export interface GlobalPromise {
  start?(life: LifeStart): void;
  /** Every site has begun its first life. */
  begun?(refuse: Refuse): void;
  step?(step: JudgedStep): void;
  /** The records are at their ends. */
  end?(): void;
}
