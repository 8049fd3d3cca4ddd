import type { Envelope, SiteId } from '../../machines/actor.ts';
import type { VectorClock } from '../../machines/record.ts';

/** The address at which a site listens. */
export interface Address {
  readonly host: string;
  /** 0 takes a free port, which `Cluster.address` shows. */
  readonly port: number;
}

/**
 * When a message was sent: the number of its sender's event, and the sender's vector clock at that event. The clock is
 * `null` where the sender keeps no record.
 */
export interface Stamp {
  readonly seq: number;
  readonly clock: VectorClock | null;
}

/** A message between two sites, as a mailbox takes and gives it. */
export interface StampedEnvelope extends Envelope {
  readonly stamp: Stamp;
}

/**
 * A change of a peer's state as this site believes it. Before the first change a peer has not been met.
 *
 * - `up`: it answers, for the first time or again after `down`. `incarnation` names the run of its process.
 * - `down`: believed dead. `refused`: its kernel says that nobody listens there. `silent`: nothing was heard of it for
 *   `failureTimeoutMs`, or this process was suspended for so long, or too many messages waited for it. `left` and
 *   `closed`: it said goodbye. A peer that was never met is down when it has not come within `failureTimeoutMs`.
 * - `restarted`: the incarnation that was known is over, and this one is up. Messages of the old one that had not
 *   arrived are lost, and so may be `lost`, messages from here to it; they may be younger than the new incarnation, of
 *   which others have heard before. Also when only the link between the two has begun anew, after too many messages
 *   waited on either side or a message was refused: then the incarnation is the same.
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

/** The reason why a peer is believed dead. */
export type DownReason = 'refused' | 'silent' | 'left' | 'closed';
