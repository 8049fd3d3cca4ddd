import type { SiteId } from '../../machines/actor.ts';
import type { OperatingError } from '../api/errors.ts';
import type { Address, PeerChange, StampedEnvelope } from '../api/peer.ts';
import type { ByeReason } from '../wire/frames.ts';

/**
 * The receiver of a mailbox's messages and changes: one call at a time, none from within `post`. It may hear of a peer that nobody
 * has added: a site that has proved that it is one of this cluster, and wants to join it.
 */
export interface MailboxHandlers {
  /**
   * An OperatingError that it throws refuses the message: the connection that brought it is closed, with a notice and a
   * count, and the link begins anew, which both sides are told (`restarted`, with the same incarnation). So the
   * sender learns that this message, and what was under way behind it, is lost, and other messages still pass.
   */
  receive(envelope: StampedEnvelope): void;
  /** `id`: of the data of the peer that is up now; of one that is down, of the one that was last. `null`: none was met. */
  peerChanged(change: PeerChange, id: string | null): void;
  /** Called before messages are written: the state that they reveal must be on the disk. */
  beforeWrite(): void;
  /** The receiver of what guests say. Default: none is taken. */
  readonly guests?: GuestHandlers;
}

/** As `MailboxHandlers`, of guests (protocol.md, section 5). */
export interface GuestHandlers extends Pick<MailboxHandlers, 'receive' | 'peerChanged'> {
  /** Whether a sign of life of the guest is answered now (G3). */
  answers(guest: SiteId): boolean;
}

/**
 * Carries messages between sites. Every transport delivers, for each ordered pair of incarnations, each message once
 * and in the order of `post`, until one of the two is over; then `restarted` tells the other.
 */
export interface Mailbox {
  readonly self: SiteId;
  /** From now on the handlers may be called. */
  open(handlers: MailboxHandlers): Promise<void>;
  /**
   * Takes a message on its way and returns at once; it waits here until its target is connected. One for a site that is no peer is
   * lost.
   *
   * Throws `MAILBOX_CLOSED`.
   */
  post(envelope: StampedEnvelope): void;
  /**
   * Its source has broken the protocol by this message: as if `receive` had thrown the error, though it may be told at
   * any time. The connection is closed, and the link begins a new life.
   */
  refuse(envelope: StampedEnvelope, error: OperatingError): void;
  /** Adds `peer` at this address, or tries a known peer there. `null`: the peer will report its address. */
  add(peer: SiteId, address: Address | null): void;
  /**
   * Another site has met `peer` just now, and this one never has: calls it at once, and counts its silence from now on, so that
   * `peerChanged` says anew if it is down. Returns whether that is so.
   */
  recheck(peer: SiteId): boolean;
  /** Removes the peer. */
  remove(peer: SiteId): void;
  /** Where a peer was found last, or is to be; `null`: that is not known. */
  addressOf(peer: SiteId): Address | null;
  /** Whether a peer is believed up: `peerChanged` said so last. */
  isUp(peer: SiteId): boolean;
  /**
   * The highest version of the wire that this site and a peer both speak, as the peer said last; `null`: it has said nothing yet. A
   * message of a later version is not sent to it.
   */
  versionOf(peer: SiteId): number | null;
  /** How full the outbox for a peer is: 0 is empty, and at 1 the next message is one too many. 0 where there is no bound. */
  outboxFill(peer: SiteId): number;
  /** Peers that are connected now. */
  connected(): readonly SiteId[];
  /** Says goodbye to every peer that has acknowledged all, gives up those that are down, resolves when all is quiet. */
  close(reason: ByeReason): Promise<void>;
  /** Drops everything, as a crash would. */
  abort(): void;
  /** Absent: no guest comes by this mailbox. */
  readonly guests?: AttachedGuests;
}

/** The guests that are attached by a mailbox. `post` and `remove` take their names, too. */
export interface AttachedGuests {
  /** Says goodbye to a guest, which goes to another member. `closed`: this process is no member, and knows of one (M10). Default: `left`. */
  dismiss(guest: SiteId, reason?: ByeReason): void;
  /** Where a guest listens; `null`: it is not known to. */
  addressOf(guest: SiteId): Address | null;
  /** Whether a guest listens, so that it can become a member. */
  listens(guest: SiteId): boolean;
  /** How long nothing was heard of a guest, in ms. */
  silenceMs(guest: SiteId): number;
}
