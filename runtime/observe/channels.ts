import { type Channel, channel, tracingChannel } from 'node:diagnostics_channel';
import type { SiteId } from '../../machines/actor.ts';
import type { Fence } from '../api/fence.ts';
import type { Notice } from '../api/notice.ts';

/** The keys that every message of a channel has. */
export interface Origin {
  readonly cluster: string;
  readonly site: SiteId;
}

/** The message of `tracing:baton:acquire:*`: one object for one call. */
export interface AcquireMessage extends Origin {
  readonly lock: string;
  /** The fence of the grant. */
  result?: Fence;
  error?: unknown;
}

/** The message of `baton:grant`. */
export interface GrantMessage extends Origin {
  readonly lock: string;
  readonly fence: Fence;
  readonly waitedMs: number;
}

/** The message of `baton:release`. */
export interface ReleaseMessage extends Origin {
  readonly lock: string;
  readonly fence: Fence;
  readonly heldMs: number;
}

/** The message of `baton:lost`, `baton:epoch`, `baton:peer` and `baton:error`. */
export type NoticeMessage = Origin & { readonly notice: Notice };

const acquire = tracingChannel<unknown, AcquireMessage>('baton:acquire');
const grant = channel('baton:grant');
const release = channel('baton:release');
const lost = channel('baton:lost');
const epoch = channel('baton:epoch');
const peer = channel('baton:peer');
const error = channel('baton:error');

export const channels = { grant, release };

const channelOfNotice: Partial<Record<Notice['type'], Channel>> = {
  lost,
  suspected: epoch,
  elected: epoch,
  adopted: epoch,
  up: peer,
  down: peer,
  restarted: peer,
  left: peer,
  error,
  crash: error,
};

// TracingChannel.hasSubscribers is younger than the oldest Node that Baton runs on.
function acquireTraced(): boolean {
  return (
    acquire.start.hasSubscribers ||
    acquire.end.hasSubscribers ||
    acquire.asyncStart.hasSubscribers ||
    acquire.asyncEnd.hasSubscribers ||
    acquire.error.hasSubscribers
  );
}

/** Tells that the acquiring begins, and runs the part of it that is not asynchronous, with the stores that are bound. */
export function traced<T>(message: AcquireMessage, ask: () => T): T {
  if (!acquireTraced()) return ask();
  try {
    return acquire.start.runStores(message, ask);
  } finally {
    acquire.end.publish(message);
  }
}

/** Tells that it is over. */
export function settled(message: AcquireMessage): void {
  if (!acquireTraced()) return;
  if ('error' in message) acquire.error.publish(message);
  acquire.asyncStart.publish(message);
  acquire.asyncEnd.publish(message);
}

/** Whether any subscriber listens to what callers do. */
export function callersWatched(): boolean {
  return grant.hasSubscribers || release.hasSubscribers || acquireTraced();
}

export function publishNotice(origin: Origin, notice: Notice): void {
  const to = channelOfNotice[notice.type];
  if (to?.hasSubscribers) to.publish({ ...origin, notice } satisfies NoticeMessage);
}
