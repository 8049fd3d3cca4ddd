import type { SiteId } from '../../machines/actor.ts';
import type { SiteMessage } from '../../machines/epoch/messages.ts';
import type { FoundingMessage } from '../../machines/members/founding.ts';
import type { MembersMessage } from '../../machines/members/messages.ts';
import type { Address } from '../api/peer.ts';
import {
  type GuestTold,
  guestLayout,
  type Invitation,
  type MemberTold,
  type Minority,
} from '../guest/protocol.ts';
import { Codec } from '../wire/codec.ts';
import type { Versions } from '../wire/frames.ts';
import type { LayoutOf, Since } from '../wire/layout.ts';

/** The protocol's name in recorded runs, and in `baton verify`. */
export const protocolName = 'epoch';

/** The messages of one lock's statechart, as they are written. */
export const messageLayout = {
  REQUEST: { epoch: 'count', root: 'site', origin: 'site' },
  TOKEN: { epoch: 'count', root: 'site', k: 'count', line: 'sites' },
  NEW: { epoch: 'count', root: 'site' },
  VOTE_REQUEST: { epoch: 'count', candidate: 'site', term: 'count', version: 'count' },
  VOTE: { epoch: 'count', voter: 'site', holds: 'count?' },
  REFUSE: { epoch: 'count', root: 'site', promise: 'count' },
  OVER: { epoch: 'count', from: 'site', full: 'flag' },
  FORGET: { epoch: 'count', root: 'site', from: 'site' },
  HEARTBEAT: {
    epoch: 'count',
    root: 'site',
    origin: 'site',
    round: 'count',
    stays: 'flag',
    term: 'count',
    version: 'count',
  },
  PROMISE: { epoch: 'count', root: 'site', voter: 'site', round: 'count' },
} as const satisfies LayoutOf<SiteMessage>;

/** The messages by which a cluster is founded, as they are written. */
export const foundingLayout = {
  PROPOSE: { generation: 'count', ids: 'ids', proposer: 'name' },
  ACCEPTED: { generation: 'count', voter: 'name' },
  REFUSED: { generation: 'count' },
  FOUNDED: { generation: 'count', ids: 'ids', knower: 'name' },
} as const satisfies LayoutOf<FoundingMessage>;

/**
 * A message of the members' statechart: its type with a prefix, since a lock has votes too, and the generation of the cluster that it
 * is about.
 */
export type MembersTold = MembersMessage extends infer M
  ? M extends MembersMessage
    ? Omit<M, 'type'> & { readonly type: `MEMBERS_${M['type']}`; readonly generation: number }
    : never
  : never;

/** Where `source` knows others to listen. Between sites; no statechart hears of it, since nothing is decided by it. */
export interface Addresses {
  readonly type: 'ADDRESSES';
  readonly addresses: Readonly<Record<SiteId, Address>>;
}

/** The layout of the messages about the voters. Voters are named by name and id. */
export const membersLayout = {
  MEMBERS_JOIN: { generation: 'count', site: 'name' },
  MEMBERS_CONFIGURATION: { generation: 'count', configuration: 'configuration', origin: 'name' },
  MEMBERS_ACKNOWLEDGE: {
    generation: 'count',
    term: 'count',
    version: 'count',
    voter: 'name',
    top: 'count',
  },
  MEMBERS_VOTE_REQUEST: {
    generation: 'count',
    term: 'count',
    candidate: 'name',
    configuration: 'configuration',
  },
  MEMBERS_VOTE: { generation: 'count', term: 'count', voter: 'name' },
  MEMBERS_REFUSE: { generation: 'count', term: 'count', configuration: 'configuration' },
  ADDRESSES: { addresses: 'addresses' },
} as const satisfies LayoutOf<MembersTold | Addresses>;

/** All messages between sites, as they are written. */
export const vocabulary = {
  ...messageLayout,
  ...foundingLayout,
  ...membersLayout,
  ...guestLayout,
} as const satisfies LayoutOf<
  SiteMessage | FoundingMessage | MembersTold | Addresses | GuestTold | MemberTold | Invitation | Minority
>;

/** The version of the wire that a message came with, where it is not the oldest one. */
export const since = { FORGET: 8, MINORITY: 8 } as const satisfies Since &
  Partial<Record<keyof typeof vocabulary, number>>;

/** The codec between sites. `versions`: default: those of this build. */
export const siteCodec = (versions?: Versions): Codec => new Codec(vocabulary, since, versions);

/** Messages of this type are written before all others: a site that waits for one stands still. */
export const urgentMessage = 'TOKEN' satisfies SiteMessage['type'];
