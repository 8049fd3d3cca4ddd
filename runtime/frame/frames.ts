import { z } from 'zod';
import type { Envelope, Message, SiteId } from '../../machines/actor.ts';
import type { VectorClock } from '../../machines/record.ts';

/** Of this wire; named in the handshake, so that a later one may frame everything after it differently. */
export const protocolVersion = 1;

/** When the sender sent: its event's number and its vector clock at that event. */
export interface Stamp {
  readonly seq: number;
  readonly clock: VectorClock;
}

/** What a mailbox takes and gives. */
export interface StampedEnvelope extends Envelope {
  readonly stamp: Stamp;
}

/** The first frame of each side: who speaks, and whom it believes to speak to. */
export interface HelloFrame {
  readonly type: 'hello';
  readonly version: typeof protocolVersion;
  readonly cluster: string;
  readonly site: SiteId;
  readonly target: SiteId;
  /** Another one means that the site was started again and knows nothing of before. */
  readonly incarnation: string;
}

export interface MessageFrame extends StampedEnvelope {
  readonly type: 'message';
}

/** Nothing comes after it; `left`: and this site never comes back. */
export interface ByeFrame {
  readonly type: 'bye';
  readonly reason: ByeReason;
}

export type ByeReason = 'left' | 'closed';

export type Frame = HelloFrame | MessageFrame | ByeFrame;

export const siteIdPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Of clusters and incarnations: nothing that a terminal would obey. */
export const namePattern = /^\P{C}{1,128}$/u;

const name = z.string().regex(namePattern);
const siteId = z.string().regex(siteIdPattern);
const count = z.int().min(0);

/** What a hello of any version has; the rest is read only when the version is ours. */
export const anyHello = z.looseObject({ type: z.literal('hello'), version: z.int() });

/** Accepts exactly the frames of this wire between `sites`, about `lock`, that carry a message which `message` accepts. */
export function frameSchema(
  sites: readonly [SiteId, ...SiteId[]],
  lock: string,
  message: z.ZodType<Message>,
): z.ZodType<Frame> {
  return z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('hello'),
      version: z.literal(protocolVersion),
      cluster: name,
      site: siteId,
      target: siteId,
      incarnation: name,
    }),
    z.strictObject({
      type: z.literal('message'),
      source: siteId,
      target: siteId,
      lock: z.literal(lock),
      message,
      stamp: z.strictObject({ seq: count, clock: z.partialRecord(z.enum(sites), count) }),
    }),
    z.strictObject({ type: z.literal('bye'), reason: z.enum(['left', 'closed']) }),
  ]) as z.ZodType<Frame>;
}
