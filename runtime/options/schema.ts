import type { MeterProvider, TracerProvider } from '@opentelemetry/api';
import { z } from 'zod';
import type { SiteId } from '../../machines/actor.ts';
import type { Clock, Random } from '../api/clock.ts';
import type { TelemetryOptions } from '../observe/telemetry-options.ts';
import { namePattern, siteIdPattern } from '../wire/frames.ts';
import { address } from './address.ts';
import { defaultDriftShare, defaultLimits, defaultTiming } from './defaults.ts';
import { type About, about, call, describe, withMethods, yes } from './describe.ts';
import type { ClusterOptions, Limits, Logger, Strict, Timing } from './index.ts';

function whole(what: string, from: number, to: number, otherwise: number) {
  const range = to === Number.MAX_SAFE_INTEGER ? `from ${from}` : `from ${from} to ${to}`;
  return describe(z.int().min(from).max(to), `${what} is an integer ${range}`, { otherwise }).default(
    otherwise,
  );
}

const count = (otherwise: number, from = 1) => whole('a limit', from, Number.MAX_SAFE_INTEGER, otherwise);

// No timer lasts longer: 2^31 - 1 ms.
const time = (otherwise: number) =>
  describe(
    z
      .number()
      .positive()
      .max(2 ** 31 - 1),
    'a time is a number of ms above 0',
    { otherwise },
  ).default(otherwise);

const siteId = describe(
  z.string().regex(siteIdPattern),
  'the id of a site is 1 to 64 letters, digits, ".", "_" and "-", the first a letter or a digit',
);

const bytes = z.union([z.string(), z.instanceof(Uint8Array)]);

const pem = (what: string, more: Omit<About, 'is'> = {}) =>
  describe(
    bytes.refine((value) => Buffer.from(value).includes('-----BEGIN ')) as unknown as z.ZodType<
      string | Buffer
    >,
    `${what} in PEM is a string or a Buffer with a line "-----BEGIN ..."`,
    more,
  );

const file = describe(z.string().min(1), 'a directory is a path');
const provider = <T>(method: keyof T & string, what: string) =>
  describe(withMethods<T>([method]), `${what} has the method ${method}`, {
    otherwise: 'the global one',
  }).optional();

const timing = z.strictObject({
  heartbeatMs: time(defaultTiming.heartbeatMs),
  silentMs: time(defaultTiming.silentMs),
  suspectMinMs: time(defaultTiming.suspectMinMs),
  suspectMaxMs: time(defaultTiming.suspectMaxMs),
  electionMinMs: time(defaultTiming.electionMinMs),
  electionMaxMs: time(defaultTiming.electionMaxMs),
  patienceMs: time(defaultTiming.patienceMs),
} satisfies Record<keyof Timing, z.ZodType>);

const limits = z.strictObject({
  maxOutbox: count(defaultLimits.maxOutbox),
  maxHandshakes: count(defaultLimits.maxHandshakes),
  handshakeTimeoutMs: time(defaultLimits.handshakeTimeoutMs),
  dialMinMs: time(defaultLimits.dialMinMs),
  dialMaxMs: time(defaultLimits.dialMaxMs),
  closeTimeoutMs: time(defaultLimits.closeTimeoutMs),
  maxLocks: count(defaultLimits.maxLocks),
  maxLocksOfPeer: count(defaultLimits.maxLocksOfPeer),
  combine: count(defaultLimits.combine),
} satisfies Record<keyof Limits, z.ZodType>);

const strict = z.strictObject({
  // No promise may outlast what a timer can measure.
  leaseMs: describe(z.number().min(50).max(3_600_000), 'a lease is a number of ms from 50 to 3600000'),
  driftShare: describe(z.number().min(0).max(0.5), 'a share of drift is a number from 0 to 0.5', {
    otherwise: defaultDriftShare,
  }).default(defaultDriftShare),
} satisfies Record<keyof Strict, z.ZodType>);

const tls = z.strictObject({
  cert: pem("this site's certificate"),
  key: pem("this site's key", { hidden: true }),
  ca: pem("the authority's certificate"),
});

/** Key by key; what one key has to do with another stands in `rules.ts`. */
export const clusterSchema = describe(
  z.strictObject({
    cluster: describe(
      z.string().regex(namePattern),
      'the name of a cluster is 1 to 128 printable characters',
    ),
    site: siteId,
    listen: address(0),
    peers: describe(
      z.record(siteId as z.ZodType<SiteId, SiteId>, address(1)),
      'peers are addresses by the ids of all other sites',
    ),
    root: describe(siteId.clone(), 'the root is a site', {
      otherwise: 'for each lock a voter, by its name',
    }).optional(),
    dataDir: describe(file.clone(), about.get(file)!.is, { otherwise: 'memory only' }).optional(),
    newcomer: yes(false).optional(),
    voters: describe(z.array(siteId).min(1), 'voters are a list of one site or more', {
      otherwise: 'all sites',
    }).optional(),
    strict: describe(strict, 'strict is { leaseMs, driftShare }', { otherwise: 'no leases' }).optional(),
    timing: describe(timing, 'timing is an object').prefault({}),
    limits: describe(limits, 'limits are an object').prefault({}),
    traceDir: describe(file.clone(), about.get(file)!.is, { otherwise: 'no record' }).optional(),
    tls: describe(tls, 'tls is { cert, key, ca }', { otherwise: 'no TLS' }).optional(),
    secret: describe(
      bytes.refine((value) => Buffer.byteLength(value) >= 32) as unknown as z.ZodType<string | Buffer>,
      'a secret is a string or a Buffer of at least 32 bytes, drawn at random',
      { otherwise: 'none', hidden: true },
    ).optional(),
    insecure: yes(false).optional(),
    inspect: describe(
      z.custom<NonNullable<ClusterOptions['inspect']>>(
        (value) =>
          typeof value === 'function' || typeof (value as { next?: unknown } | null)?.next === 'function',
      ),
      'an inspector is a function or an observer',
    ).optional(),
    logger: describe(
      withMethods<Logger>(['trace', 'debug', 'info', 'warn', 'error']),
      'a logger has the methods trace, debug, info, warn and error',
    ).optional(),
    telemetry: describe(
      z.strictObject({
        lockNames: describe(
          z.custom<true | ((lock: string) => string)>(
            (value) => value === true || typeof value === 'function',
          ),
          'names of locks are true or a function',
          { otherwise: 'none' },
        ).optional(),
        meterProvider: provider<MeterProvider>('getMeter', 'a provider of meters'),
        tracerProvider: provider<TracerProvider>('getTracer', 'a provider of tracers'),
      } satisfies Record<keyof TelemetryOptions, z.ZodType>),
      'telemetry is { lockNames, meterProvider, tracerProvider }',
      { otherwise: 'to the global providers' },
    ).optional(),
    onCrash: call<NonNullable<ClusterOptions['onCrash']>>().optional(),
    clock: describe(
      withMethods<Clock>(['now', 'after', 'nextTurn']),
      'a clock has the methods now, after and nextTurn',
    ).optional(),
    chance: describe(
      withMethods<Random>(['fraction', 'incarnation']),
      'a chance has the methods fraction and incarnation',
    ).optional(),
  } satisfies Record<keyof ClusterOptions, z.ZodType>),
  'the options are an object',
);

/** `ClusterOptions`, with every default in its place that is known before the others. */
export type Settings = z.output<typeof clusterSchema>;
