import * as z from 'zod';
import type { SiteId } from '../../machines/actor.ts';
import { longestName } from '../../machines/watch.ts';
import type { ChangeOptions, CloseOptions, Cluster, ClusterEvents } from '../api/cluster.ts';
import type { Fence } from '../api/fence.ts';
import type { LeadOptions } from '../api/leadership.ts';
import type { AcquireOptions, HoldOptions, RunOptions } from '../api/lock.ts';
import type { ReadLocksOptions } from '../api/lock-report.ts';
import type { Viewer, WatchServerOptions } from '../api/watch.ts';
import { membersLock, namePattern, siteIdPattern } from '../wire/frames.ts';
import { partOfAddress } from './address.ts';
import { checked } from './checked.ts';
import { call, describe, withMethods, yes } from './describe.ts';

/** The events of `Cluster.on`. */
const events = {
  epoch: true,
  elected: true,
  lost: true,
  notice: true,
  peer: true,
} satisfies Record<keyof ClusterEvents, true>;

const signal = describe(
  withMethods<AbortSignal>(['addEventListener', 'removeEventListener']),
  'a signal is an AbortSignal',
).optional();

const timeoutMs = describe(
  z.custom<number>((value) => typeof value === 'number' && value >= 0),
  'a time-out is a number of ms from 0',
).optional();
const patience = { signal, timeoutMs } satisfies Record<keyof AcquireOptions, z.ZodType>;

const acquireOptions = describe(z.strictObject(patience), 'the options are { signal, timeoutMs }');

const holdMs = describe(z.number().min(0), 'a time to hold is a number of ms from 0').optional();
const hold = {
  ...patience,
  minHoldMs: holdMs,
  maxHoldMs: holdMs,
  force: yes(true).optional(),
  abortInMinority: yes(true).optional(),
} satisfies Record<keyof HoldOptions, z.ZodType>;

const maxHold = describe(z.number(), 'force releases the lock at maxHoldMs: give maxHoldMs, too');
const limitOfForce = describe(z.object({ maxHoldMs: maxHold }), 'the options are an object');

const holdOptions = describe(
  z.strictObject(hold),
  'the options are { signal, timeoutMs, minHoldMs, maxHoldMs, force, abortInMinority }',
);

const runOptions = describe(
  z.strictObject({ ...hold, keepResult: yes(true).optional() } satisfies Record<keyof RunOptions, z.ZodType>),
  'the options are { signal, timeoutMs, minHoldMs, maxHoldMs, force, abortInMinority, keepResult }',
);

type ReadyOptions = NonNullable<Parameters<Cluster['ready']>[0]>;

const readyOptions = describe(
  z.strictObject({ timeoutMs } satisfies Record<keyof ReadyOptions, z.ZodType>),
  'the options are { timeoutMs }',
);

const leadOptions = describe(
  z.strictObject({
    signal,
    retryMs: describe(z.number().min(0), 'a pause is a number of ms from 0').optional(),
    abortInMinority: yes(true).optional(),
    onError: call<NonNullable<LeadOptions['onError']>>().optional(),
  } satisfies Record<keyof LeadOptions, z.ZodType>),
  'the options are { signal, retryMs, abortInMinority, onError }',
);

const closeOptions = describe(
  z.strictObject({ graceful: yes(true).optional(), leave: yes(true).optional() } satisfies Record<
    keyof CloseOptions,
    z.ZodType
  >),
  'the options are { graceful, leave }',
);

const changeOptions = describe(
  z.strictObject({ timeoutMs } satisfies Record<keyof ChangeOptions, z.ZodType>),
  'the options are { timeoutMs }',
);
const siteName = describe(
  z.string().regex(siteIdPattern),
  'the id of a site is 1 to 64 letters, digits, ".", "_" and "-", the first a letter or a digit',
);

const lockName = describe(
  z
    .string()
    .regex(namePattern)
    .refine((name) => name !== membersLock),
  `a lock has a name of 1 to ${longestName} printable characters, other than ${membersLock}`,
);
const names = describe(
  z.custom<readonly string[]>((value) => Array.isArray(value)),
  'names are a list of names of locks',
);
const count = describe(z.int().min(0), 'a part of a fence is an integer from 0');
const fence = describe(
  z.object({ generation: count, epoch: count, k: count } satisfies Record<keyof Fence, z.ZodType>),
  'a fence is { generation, epoch, k }',
);
const fenced = describe(
  z.strictObject({ lock: describe(z.string(), 'the name of a lock is a string'), fence }),
  'a gate is given a lock and a fence',
);
const twoFences = describe(z.strictObject({ left: fence, right: fence }), 'two fences are compared');
const noOptions = describe(
  z.undefined(),
  'tryAcquire has no options: acquire({ timeoutMs: 0 }) takes the lock if it is free anywhere',
);
const cluster = describe(
  withMethods<Cluster>(['watch', 'members', 'addMember', 'removeMember', 'replaceMember']),
  'a cluster is the result of joinCluster',
);
const work = call('work is a function');
const event = describe(
  z.custom((value) => typeof value === 'string' && Object.hasOwn(events, value)),
  'an event is epoch, elected, lost, notice or peer',
);
const listener = call();
const viewer = describe(withMethods<Viewer>(['send']), 'a viewer has the method send');

const watchOptions = describe(
  z.strictObject({
    listen: partOfAddress.optional(),
    // An empty token would let everyone in.
    token: describe(z.string().min(1), 'a token is a string that is not empty', { hidden: true }).optional(),
    adminToken: describe(
      z.string().min(16),
      'a token of an administrator is a string of 16 characters or more',
      {
        hidden: true,
      },
    ).optional(),
  } satisfies Record<keyof WatchServerOptions, z.ZodType>),
  'the options are { listen, token, adminToken }',
);

const readLocksOptions = describe(
  z.strictObject({
    like: z
      .string()
      .max(2 * longestName)
      .optional(),
    timeoutMs,
  } satisfies Record<keyof ReadLocksOptions, z.ZodType>),
  'the options are { like, timeoutMs }',
);

const watchUrls = describe(
  z.custom<readonly string[]>(
    (value) =>
      Array.isArray(value) &&
      value.length > 0 &&
      value.every((url) => /^wss?:\/\//.test(url) && URL.canParse(url)),
  ),
  'the addresses are a list of ws://host:port/, as serveWatch gives them',
  { hidden: true },
);

// Checks of the arguments of each call, before it does anything. Each throws `OPTIONS_INVALID`.

export function checkAcquire(options: unknown): void {
  if (options !== undefined) checked(acquireOptions, options);
}

export function checkHold(options: unknown): void {
  if (options !== undefined) checkForce(checked(holdOptions, options));
}

export function checkRun(options: unknown): void {
  if (options !== undefined) checkForce(checked(runOptions, options));
}

/** Without a limit it would do nothing. */
function checkForce(options: { readonly force?: boolean | undefined }): void {
  if (options.force === true) checked(limitOfForce, options);
}

/** `tryAcquire` neither waits nor sends. Options that it passed over would be taken for ones that count. */
export function checkNoOptions(options: unknown): void {
  if (options !== undefined) checked(noOptions, options);
}

export function checkFences(left: unknown, right: unknown): void {
  checked(twoFences, { left, right });
}

export function checkCluster(given: unknown): void {
  checked(cluster, given);
}

export function checkReady(options: unknown): void {
  if (options !== undefined) checked(readyOptions, options);
}

/** A fence of another form is neither below another nor above it. */
export function checkFence(lock: unknown, fence: unknown): void {
  checked(fenced, { lock, fence });
}

export function checkWork(given: unknown): void {
  if (typeof given !== 'function') checked(work, given);
}

export function checkLockName(given: unknown): void {
  checked(lockName, given);
}

export function checkNames(given: unknown): void {
  checked(names, given);
}

export function checkLead(given: unknown, options: unknown): void {
  checkWork(given);
  checked(leadOptions, options);
}

export function checkListener(type: unknown, given: unknown): void {
  checked(event, type);
  checked(listener, given);
}

export function checkSite(given: unknown): SiteId {
  return checked(siteName, given);
}

export function checkChange(options: unknown): ChangeOptions {
  return checked(changeOptions, options) as ChangeOptions;
}

export function checkClose(options: unknown): void {
  checked(closeOptions, options);
}

export function checkWatch(options: unknown): void {
  checked(watchOptions, options);
}

export function checkReadLocks(options: unknown): void {
  checked(readLocksOptions, options);
}

export function checkWatchUrls(given: unknown): void {
  checked(watchUrls, given);
}

export function checkViewer(given: unknown): void {
  checked(viewer, given);
}
