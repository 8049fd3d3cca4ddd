import { z } from 'zod';
import type { Envelope, Message, SiteId } from '../../machines/actor.ts';
import type { VectorClock } from '../../machines/record.ts';

/** Of this wire; named in the handshake, so that a later one may frame everything after it differently. */
export const protocolVersion = 2;

/** When the sender sent: its event's number and its vector clock at that event. */
export interface Stamp {
  readonly seq: number;
  readonly clock: VectorClock;
}

/** What a mailbox takes and gives. */
export interface StampedEnvelope extends Envelope {
  readonly stamp: Stamp;
}

/** Who speaks, and whom it believes to speak to. */
export interface Identity {
  readonly version: typeof protocolVersion;
  readonly cluster: string;
  readonly site: SiteId;
  readonly target: SiteId;
  /** Another one means that the site was started again. */
  readonly incarnation: string;
  /** Which life of this link within that incarnation, from 1: another one knows nothing of what was posted before. */
  readonly life: number;
  /** It keeps nothing on a disk: there will be no other incarnation under its name. */
  readonly memoryOnly: boolean;
}

/** The first frame of whoever dialled. */
export interface HelloFrame extends Identity {
  readonly type: 'hello';
}

/** The answer to a hello, and the answer to that. `ack`: so many payloads of that life have been delivered. */
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

export const siteIdPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Of clusters and incarnations: nothing that a terminal would obey. */
export const namePattern = /^\P{C}{1,128}$/u;

const name = z.string().regex(namePattern);
const siteId = z.string().regex(siteIdPattern);
const count = z.int().min(0);

/** What the first frame of any version has; the rest is read only when the version is ours. */
export const anyHello = z.looseObject({ type: z.enum(['hello', 'welcome']), version: z.int() });

/** Accepts exactly the frames of this wire between `sites`, about `lock` or (`null`) any, that carry a message which `message` accepts. */
export function frameSchema(
  sites: readonly [SiteId, ...SiteId[]],
  lock: string | null,
  message: z.ZodType<Message>,
): z.ZodType<Frame> {
  const identity = {
    version: z.literal(protocolVersion),
    cluster: name,
    site: siteId,
    target: siteId,
    incarnation: name,
    life: z.int().min(1),
    memoryOnly: z.boolean(),
  };
  const envelope = z.strictObject({
    source: siteId,
    target: siteId,
    lock: lock === null ? name : z.literal(lock),
    message,
    stamp: z.strictObject({ seq: count, clock: z.partialRecord(z.enum(sites), count) }),
  });
  return z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('hello'), ...identity }),
    z.strictObject({ type: z.literal('welcome'), ...identity, ack: count }),
    z.strictObject({ type: z.literal('data'), seq: count, ack: count, envelope }),
    z.strictObject({ type: z.literal('ack'), ack: count }),
    z.strictObject({ type: z.enum(['ping', 'pong']), number: count }),
    z.strictObject({ type: z.literal('bye'), reason: z.enum(['left', 'closed']) }),
  ]) as z.ZodType<Frame>;
}
