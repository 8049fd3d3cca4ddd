import type { SiteId } from '../../machines/actor.ts';
import type { ByeReason, StampedEnvelope } from '../frame/frames.ts';

/**
 * What carries messages between sites. Every transport gives, for each ordered pair of sites: each message
 * once, and in the order of `post`; or it says loudly, by a notice, that it cannot.
 */
export interface Mailbox {
  readonly self: SiteId;
  /** From now on messages may come, one call each, never before this has returned. */
  open(receive: (envelope: StampedEnvelope) => void): Promise<void>;
  /**
   * Takes a message on its way and returns at once; it waits here until its target is connected.
   *
   * Throws `OUTBOX_FULL`, `MAILBOX_CLOSED`, `FRAME_TOO_LARGE`.
   */
  post(envelope: StampedEnvelope): void;
  /** Peers that are connected now. */
  connected(): readonly SiteId[];
  /** Sends what waits, says goodbye to every peer and resolves when all is quiet. */
  close(reason: ByeReason): Promise<void>;
  /** Drops everything, as a crash would. */
  abort(): void;
}
