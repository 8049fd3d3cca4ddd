import type { SiteId } from '../../machines/actor.ts';
import type { StampedEnvelope } from '../api/peer.ts';

/** The version of this wire. The handshake names it, so that a later version may frame all that follows differently. */
export const protocolVersion = 5;

/** The identity of the sender, and of the site that it believes to speak to. */
export interface Identity {
  readonly version: typeof protocolVersion;
  readonly cluster: string;
  /** A digest of what every site must be told alike: members, voters, protocol. */
  readonly configuration: string;
  readonly site: SiteId;
  readonly target: SiteId;
  /** Another one means that the site was started again. */
  readonly incarnation: string;
  /** Which life of this link within that incarnation, from 1: another one knows nothing of what was posted before. */
  readonly life: number;
  /** Of its data directory; in memory only, another one at every start. */
  readonly id: string;
  /** How often that id was started before. */
  readonly run: number;
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

export const siteIdPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

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
export const magic = Buffer.from('baton');

export { membersLock, namePattern } from './names.ts';
