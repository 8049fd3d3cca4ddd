import type { SiteId } from '../../machines/actor.ts';
import type { GuestMessage, MemberMessage } from '../../machines/guests/messages.ts';
import type { Fence } from '../api/fence.ts';
import type { Address } from '../api/peer.ts';
import type { LayoutOf } from '../wire/layout.ts';

/** The messages of guests as they are sent: the guest is the source. `leaseMs`: a session lasts so long without a sign of life. */
export type GuestTold = GuestMessage extends infer M
  ? M extends GuestMessage
    ? Omit<M, 'guest'> & { readonly leaseMs: number }
    : never
  : never;

/** The messages of members to guests. */
export type MemberTold = MemberMessage<Fence>;

/** Where the members listen: to a guest, so that it finds another one. No statechart hears of it, since nothing is decided by it. */
export interface MembersAt {
  readonly type: 'ADDRESSES';
  readonly addresses: Readonly<Record<SiteId, Address>>;
}

/** Asks a guest that listens to become a member, since there are fewer than there should be. A hint: the members agree on it as on any change. */
export interface Invitation {
  readonly type: 'INVITE';
}

/**
 * Tells a guest that is inside that its member has reached no majority for too long. No statechart hears of it: a guest may release, and end
 * a session, at any time.
 */
export interface Minority {
  readonly type: 'MINORITY';
}

/** The messages between guests and members, as they are written. */
export const guestLayout = {
  ASK: { session: 'count', request: 'count', leaseMs: 'count' },
  RELEASE: { session: 'count', request: 'count', leaseMs: 'count', again: 'flag' },
  GRANT: { request: 'count', fence: 'fence' },
  NO_ROOM: { request: 'count' },
  LOST: { request: 'count' },
  INVITE: {},
  MINORITY: {},
} as const satisfies LayoutOf<GuestTold | MemberTold | Invitation | Minority>;

/**
 * The time that a member waits after the last sign of life of a guest, before it ends its session: as long as the guest's clock
 * may take for `leaseMs`.
 */
export function memberWaitMs(leaseMs: number, driftShare: number): number {
  return Math.ceil((leaseMs * (1 + driftShare)) / (1 - driftShare));
}
