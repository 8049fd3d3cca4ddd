import type { SiteId } from '../../machines/actor.ts';
import type { StampedEnvelope } from '../api/peer.ts';

/**
 * The version of this wire, and the oldest that is spoken here. The handshake names both, and all that follows it is of the highest
 * version that both sides speak: so sites one version apart work together, and a cluster is upgraded one site at a time. A hello is
 * written before the other side is known, so its form is that of the oldest version.
 *
 * - 7: the line rule.
 * - 8: FORGET, by which all sites forget a lock that nobody uses (R13), and MINORITY, by which a member that reaches no majority tells its
 *   guests.
 */
export const protocolVersion = 8;
export const oldestVersion = 7;

/** The versions of the wire that one side speaks. */
export interface Versions {
  /** The highest. */
  readonly version: number;
  readonly oldest: number;
}

/** The versions that this build speaks. */
export const spokenVersions: Versions = { version: protocolVersion, oldest: oldestVersion };

/** The identity of the sender, and of the site that it believes to speak to. */
export interface Identity extends Versions {
  readonly cluster: string;
  /** A digest of what every site must be told alike: the protocol and strict mode. */
  readonly configuration: string;
  /**
   * A digest of what the founders must be told alike: themselves. `founded`: the cluster is founded, or this site joins it. `guest`: this
   * is no site, but a guest (`asGuest`).
   */
  readonly founders: string;
  readonly site: SiteId;
  /** `anySite`: a guest takes the site that answers at an address. */
  readonly target: SiteId;
  /** Another one means that the site was started again. */
  readonly incarnation: string;
  /** Which life of this link within that incarnation, from 1: another one knows nothing of what was posted before. */
  readonly life: number;
  /** Id of its data directory. A site in memory has another one at every start. */
  readonly id: string;
  /** How often that id was started before. */
  readonly run: number;
  /** Where it listens. A host that is no address for others (`0.0.0.0`) stands for the one that the connection comes from. */
  readonly host: string;
  readonly port: number;
}

/** The first frame of the site that dialled. */
export interface HelloFrame extends Identity {
  readonly type: 'hello';
}

/** The answer to a hello, and the answer to that. `ack`: the number of payloads of that incarnation that were delivered. */
export interface WelcomeFrame extends Identity {
  readonly type: 'welcome';
  readonly ack: number;
}

/** The payload that has the number `seq` among those of its life. */
export interface DataFrame {
  readonly type: 'data';
  readonly seq: number;
  readonly ack: number;
  readonly envelope: StampedEnvelope;
}

export interface AckFrame {
  readonly type: 'ack';
  readonly ack: number;
}

/** Asks whether the other is alive, and for an ack of what has come; a pong of the same number answers it. */
export interface HeartbeatFrame {
  readonly type: 'ping' | 'pong';
  readonly number: number;
}

/** Nothing comes after it in this life; `left`: and the site has handed on whatever it had. */
export interface ByeFrame {
  readonly type: 'bye';
  readonly reason: ByeReason;
}

export type ByeReason = 'left' | 'closed';

export type Frame = HelloFrame | WelcomeFrame | DataFrame | AckFrame | HeartbeatFrame | ByeFrame;

/** The frames that are about a link. The others are about the connection. */
export type LinkedFrame = HelloFrame | WelcomeFrame | DataFrame | AckFrame;

/** The most sites that one message names in a list, and so the most that a cluster has at a time. */
export const mostSites = 64;

/** The same, in a vector clock, which keeps the sites that have left. */
export const mostInClock = 256;

/** Stands for the digest of the founders in the hello of a guest. */
export const asGuest = 'guest';

/** Stands for the name of the site that a guest calls and does not know. No site has this name. */
export const anySite = '*';

export const siteIdPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** The ends that make the id of a guest, or of a process with `size`, the only one of its name. As a guest, the latter has two. */
const uniqueEnds = /^(\.[0-9a-f]{8}){0,2}$/;

/** Reports whether `site`, or its name without these ends, is among `names`: guests, and processes with `size`, may share one certificate. */
export function proves(names: readonly SiteId[], site: SiteId): boolean {
  return names.some((name) => site.startsWith(name) && uniqueEnds.test(site.slice(name.length)));
}

/** The first byte of a frame. Those of `hello` and `welcome` are the same in every version. */
export const frameCodes = {
  hello: 1,
  welcome: 2,
  data: 3,
  ack: 4,
  ping: 5,
  pong: 6,
  bye: 7,
} as const satisfies Record<Frame['type'], number>;

/** Behind the first byte of a hello and a welcome, of every version; then comes the version as a count. */
export const magic: Buffer = Buffer.from('baton');

export { clusterPattern, membersLock, namePattern } from './names.ts';
