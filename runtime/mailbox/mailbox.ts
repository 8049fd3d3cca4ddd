import type { SiteId } from '../../machines/actor.ts';
import type { OperatingError } from '../api/errors.ts';
import type { ByeReason, StampedEnvelope } from '../wire/frames.ts';

/**
 * What this site believes of a peer, told when it changes. Before the first change a peer has not been met.
 *
 * - `up`: it answers now, for the first time or again after `down`; `incarnation` is its life.
 * - `down`: believed dead. `refused`: its kernel says that nobody listens; `silent`: nothing was heard of it for
 *   `silentMs`, or this process was stopped so long, or too much waited for it; `left` and `closed`: its goodbye. One
 *   that was never met is down when it has not come within `silentMs`.
 * - `restarted`: the life that was known is over, and this one is up. What the old one posted and had not arrived
 *   is lost, and so may be `lost`, what was posted here for it; that may well be younger than the new life, of which
 *   others have heard before. Said, too, when too much waited on either side, or a message was
 *   refused, and only the link between the two has begun anew: then the incarnation is the same.
 */
export type PeerChange =
  | { readonly type: 'up'; readonly peer: SiteId; readonly incarnation: string }
  | { readonly type: 'down'; readonly peer: SiteId; readonly why: DownReason }
  | {
      readonly type: 'restarted';
      readonly peer: SiteId;
      readonly incarnation: string;
      readonly lost: readonly StampedEnvelope[];
    };

/** Why a peer is believed dead. */
export type DownReason = 'refused' | 'silent' | 'left' | 'closed';

/** Whom a mailbox tells; one call at a time, none from within `post`. */
export interface MailboxHandlers {
  /**
   * An OperatingError that it throws refuses the message: the connection that brought it is closed, with a notice and a
   * count, and the link begins a new life, of which both sides hear (`restarted`, with the same incarnation). So the
   * sender learns that this message, and what was under way behind it, is lost, and other messages still pass.
   */
  receive(envelope: StampedEnvelope): void;
  peerChanged(change: PeerChange): void;
  /** Before any bytes of messages leave: what must be on the disk is put there now. */
  beforeWrite(): void;
}

/**
 * What carries messages between sites. Every transport gives, for each ordered pair of incarnations: each message
 * once and in the order of `post`, until one of the two is over; then the other is told by `restarted`.
 */
export interface Mailbox {
  readonly self: SiteId;
  /** From now on the handlers may be called. */
  open(handlers: MailboxHandlers): Promise<void>;
  /**
   * Takes a message on its way and returns at once; it waits here until its target is connected.
   *
   * Throws `MAILBOX_CLOSED`.
   */
  post(envelope: StampedEnvelope): void;
  /**
   * Its source has broken the protocol by this message: as if `receive` had thrown the error, though it may be told at
   * any time. The connection is closed, and the link begins a new life.
   */
  refuse(envelope: StampedEnvelope, error: OperatingError): void;
  /** Peers that are connected now. */
  connected(): readonly SiteId[];
  /** Says goodbye to every peer that has acknowledged all, gives up those that are down, resolves when all is quiet. */
  close(reason: ByeReason): Promise<void>;
  /** Drops everything, as a crash would. */
  abort(): void;
}
