import type { MeterProvider, TracerProvider } from '@opentelemetry/api';
import type { InspectionEvent, Observer } from 'xstate';
import * as z from 'zod';
import type { SiteId } from '../../machines/actor.ts';
import type { Clock, Random } from '../api/clock.ts';
import type { InvariantError } from '../api/errors.ts';
import type { NatsConnection } from '../api/nats.ts';
import type { Logger } from '../api/notice.ts';
import type { Address } from '../api/peer.ts';
import { type Discovery, isDiscovery } from '../discovery/discovery.ts';
import { clusterPattern, siteIdPattern } from '../wire/frames.ts';
import { address, partOfAddress } from './address.ts';
import { call, describe, withMethods, yes } from './describe.ts';

/*
 * The one definition of each option of `joinCluster`: its shape, its default and its sentence. The public
 * types are inferred from it; errors, `baton site --help` and docs/configuration.md are written from it.
 */

const count = (otherwise: number, does: string) =>
  describe(z.int().min(1).max(Number.MAX_SAFE_INTEGER), 'a limit is an integer from 1', {
    does,
    otherwise,
  }).default(otherwise);

// A timer of Node lasts at most 2^31 - 1 ms.
const longestMs = 2 ** 31 - 1;
const time = (otherwise: number, does: string) =>
  describe(
    z.number().positive().max(longestMs),
    `a time is a number of ms above 0 and at most ${longestMs}`,
    {
      does,
      otherwise,
    },
  ).default(otherwise);

export const siteIdIs =
  'the id of a site is 1 to 64 letters, digits, ".", "_" and "-", the first a letter or a digit';
const siteId = describe(z.string().regex(siteIdPattern), siteIdIs);

const bytes = z.union([z.string(), z.instanceof(Uint8Array)]);
type Bytes = z.ZodType<string | Buffer, string | Buffer>;

const pem = (what: string, does: string, hidden?: true) =>
  describe(
    bytes.refine((value) => Buffer.from(value).includes('-----BEGIN ')) as unknown as Bytes,
    `${what} in PEM is a string or a Buffer with a line "-----BEGIN ..."`,
    { does, ...(hidden && { hidden }) },
  );

const directory = (does: string, otherwise: string) =>
  describe(z.string().regex(/^[^\0]+$/), 'a directory is a path', { does, otherwise }).optional();

const provider = <T>(method: keyof T & string, what: string, does: string) =>
  describe(withMethods<T>([method]), `${what} has the method ${method}`, {
    does,
    otherwise: 'the global one',
  }).optional();

const timing = z.strictObject({
  heartbeatMs: time(250, 'Interval between two signs of life to a peer.'),
  failureTimeoutMs: time(
    1_200,
    'A peer is believed down when nothing was heard of it for this long. At least two heartbeats.',
  ),
  suspectMinMs: time(
    5,
    'Shortest time from the death of a peer until a site that waits for a lock stands for a new epoch. The time is drawn anew each time, so that sites which wait do not all stand at once.',
  ),
  suspectMaxMs: time(45, 'Longest time from the death of a peer until a site that waits stands.'),
  electionMinMs: time(
    100,
    'Shortest time that a candidate waits for votes before it stands again. It doubles with each failed election, and is shortened at random by up to half. A site that voted waits two to three times as long. A candidate waits up to four times electionMinMs for the votes of all voters in reach, though a majority elects it, since the vote of the holder may be missing.',
  ),
  electionMaxMs: time(2_000, 'Longest time that a candidate waits for votes before it stands again.'),
  forgetAfterMs: time(
    60_000,
    'A lock that nobody has used for this long is forgotten by all sites, so that names cost nothing in the end. Sooner, down to 1 s, at a site that has named much of limits.maxLocksOfPeer, or knows much of limits.maxLocks: from a hundredth on those that were used once, from half on all. Its next use costs one election, and its fences go on rising. Not at a site with traceDir.',
  ),
  patienceMs: time(
    15_000,
    'A site that still waits while a peer is down, though it stood already, stands again after this time, and within the same wait after twice as long each further time.',
  ),
});

const limits = z.strictObject({
  maxOutbox: count(
    10_000,
    'Messages that may wait for the acknowledgement of one peer. Past it, they are dropped and the link to the peer begins anew.',
  ),
  maxHandshakes: count(
    64,
    'Connections that have not completed their handshake. Past it, the host with the most of them loses its oldest.',
  ),
  handshakeTimeoutMs: time(
    5_000,
    'Time from the first packet of a connection that comes in until its welcome, TLS included.',
  ),
  dialMinMs: time(
    20,
    'First pause between two attempts to dial. It doubles with each failure, and is shortened at random by up to half.',
  ),
  dialMaxMs: time(1_000, 'Longest pause between two attempts to dial.'),
  closeTimeoutMs: time(
    2_000,
    'Time that a graceful close waits for the local holders of locks, and then for messages to leave.',
  ),
  maxLocks: count(1_000_000, 'Locks that this site uses, or that were used within timing.forgetAfterMs.'),
  maxLocksOfPeer: count(
    250_000,
    'Locks that one peer may introduce here. Messages of further ones are rejected: callers go on with the sites that have room, and fail with TOO_MANY_LOCKS where those are no majority.',
  ),
  maxGuests: count(1_000, 'Guests that are attached to this member. Further ones go to another member.'),
  maxBatch: count(
    16,
    'Local callers of a lock that are served in a row while another site may wait for it, and critical sections of a lock here within one turn of the event loop.',
  ),
});

export const defaultDriftShare = 0.01;

const strict = z.strictObject({
  // No promise may last longer than the longest timer.
  leaseMs: describe(z.number().min(50).max(3_600_000), 'a lease is a number of ms from 50 to 3600000', {
    does: 'Length of a lease, counted from the request for it. At least 4 times the longest round trip. A majority of the voters promises each lease, a lock is held only under one, and a new epoch waits until the promises are over: a death costs up to one lease more. An idle lock sends nothing. Held.signal aborts when a lease ends that could not be renewed.',
  }),
  driftShare: describe(z.number().min(0).max(0.5), 'a share of drift is a number from 0 to 0.5', {
    does: 'Share of its rate by which the monotonic clock of any site may be off.',
    otherwise: defaultDriftShare,
  }).default(defaultDriftShare),
});

const members = z.strictObject({
  leastVoters: count(
    1,
    'Fewest voters that are left when a site leaves, or is removed for being down. An operator may go below.',
  ),
  removeAfterMs: describe(z.number().positive().max(longestMs), 'a time is a number of ms above 0', {
    does: 'A voter that has been down for this long is removed by the others, while a majority is up.',
    otherwise: 'never; with size, 5000',
  }).optional(),
  foundAfterMs: time(
    3_000,
    'With size: a process founds the cluster when discovery has shown the same addresses for this long, and no member is among them.',
  ),
});

const tls = z.strictObject({
  cert: pem(
    "this site's certificate",
    'Certificate of this site. It names baton://<cluster>/<site> as a URI among its subject alternative names.',
  ),
  key: pem("this site's key", 'Private key to the certificate, without a passphrase.', true),
  ca: pem("the authority's certificate", "Certificate of the authority that signed the peers' certificates."),
});

const telemetry = z.strictObject({
  lockNames: describe(
    z.custom<true | ((lock: string) => string)>((value) => value === true || typeof value === 'function'),
    'names of locks are true or a function',
    {
      does: 'Puts the names of locks on metrics: true for all of them, or a function that gives the group of a name.',
      otherwise: 'none',
    },
  ).optional(),
  meterProvider: provider<MeterProvider>('getMeter', 'a provider of meters', 'Takes the metrics.'),
  tracerProvider: provider<TracerProvider>('getTracer', 'a provider of tracers', 'Takes the spans.'),
});

/** The keys one by one. Rules between two keys are in `rules.ts`. */
export const clusterSchema = describe(
  z.strictObject({
    cluster: describe(
      z.string().regex(clusterPattern),
      'the name of a cluster is 1 to 128 printable characters',
      { does: 'Name of the cluster. Sites of another cluster are refused at the handshake.' },
    ),
    site: describe(z.string().regex(siteIdPattern), siteIdIs, {
      does: 'Id of this site. A guest, and a process with size unless it uses nats, appends to it what makes it the only one of its name, so that all may be given the same.',
      otherwise: 'must be given; at a guest, or with size, the name of the host',
    }).optional(),
    listen: address(
      0,
      'Address that this site listens at. Port 0 takes a free port. Must be given, but at a guest, which listens nowhere.',
    ).optional(),
    guest: yes(
      false,
      'This process is no member: it has no vote and no disk, and stands in no list. It attaches to a member, which stands in line for it.',
    ).optional(),
    size: describe(z.int().min(1).max(63), 'a size is an integer from 1 to 63', {
      does: 'This process and the others that discovery finds share the work by themselves: this number of them are members, the others guests, and a guest takes the place of a member that leaves or dies. 3 or 5 are recommended.',
      otherwise: 'the members are those that the settings name',
    }).optional(),
    advertise: describe(partOfAddress, 'an address is { host, port }', {
      does: 'Where others find this process, in place of where it listens.',
      otherwise: 'where it listens; in a container that listens at all addresses, the host is $POD_IP',
    }).optional(),
    discovery: describe(
      z.custom<Discovery>(isDiscovery),
      'a discovery is a list of "host:port" and { host, port }, or has the method watch',
      {
        does: 'Where a guest finds members, and with size the processes find each other: addresses, or what fromDns, fromFile or fromFunction makes.',
        otherwise: 'its peers',
      },
    ).optional(),
    peers: describe(
      z.record(siteId as z.ZodType<SiteId, SiteId>, address(1)),
      'peers are addresses by the ids of all other sites',
      {
        does: 'Addresses by which this site finds the others, by id. Which sites are members is what the cluster has agreed on (docs/membership.md); before it is founded, these and this one found it, unless founders or join say otherwise. In each pair the site whose id comes first in code-unit order dials the other; the other address is only probed after a break, so that a wrong one makes the death of its site show later. A guest may give discovery in their place.',
        otherwise: 'must be given; at a guest, none',
      },
    ).optional(),
    root: describe(z.string().regex(siteIdPattern), 'the root is a founder', {
      does: 'Founder that starts with the token of every lock. The same at each of them.',
      otherwise: 'for each lock a voter among the founders, by its name',
    }).optional(),
    founders: describe(
      z.array(siteId).min(1),
      'founders are a list of one site or more, this one among them',
      {
        does: 'Sites that found the cluster together, each started once. The same at each of them. Not read any more once it is founded.',
        otherwise: 'this site and its peers',
      },
    )
      .readonly()
      .optional(),
    join: yes(
      false,
      'This site founds nothing: it asks to be added to the cluster that it finds at its peers.',
    ).optional(),
    members: describe(members, 'members are an object', {
      does: 'When the members change by themselves.',
    }).prefault({}),
    dataDir: directory(
      'Directory of this site alone, for what it must still know after a crash. An empty one is another site: it asks to be added, and replaces the one of its name. Without a directory that is so for every new process.',
      'memory only',
    ),
    voters: describe(z.array(siteId).min(1), 'voters are a list of one site or more', {
      does: 'Founders that vote. The same at each of them; 3 to 7 are recommended, and 2 tolerate no failure. Nothing is granted without a majority of the voters.',
      otherwise: 'all founders',
    })
      .readonly()
      .optional(),
    strict: describe(strict, 'strict is { leaseMs, driftShare }', {
      does: 'Strict mode: locks are held by leases, so that no two critical sections with a valid lease overlap while clocks drift within bounds, whatever the resource does. The same at every site.',
      otherwise: 'no leases',
    }).optional(),
    timing: describe(timing, 'timing is an object', {
      does: 'When a peer is believed down, and when a site acts on that. Safety does not depend on it.',
    }).prefault({}),
    limits: describe(limits, 'limits are an object', {
      does: 'Bounds on what a site takes and keeps.',
    }).prefault({}),
    traceDir: directory(
      'Directory into which this site records what it does, as <site>.ndjson, which must not exist yet.',
      'no record',
    ),
    tls: describe(tls, 'tls is { cert, key, ca }', {
      does: 'TLS 1.3 with both sides authenticated (SECURITY.md). Read once: a renewed certificate needs a new start.',
      otherwise: 'no TLS',
    }).optional(),
    secret: describe(
      bytes.refine((value) => Buffer.byteLength(value) >= 32) as unknown as Bytes,
      'a secret is a string or a Buffer of at least 32 bytes, drawn at random',
      {
        does: 'Secret that every site of the cluster knows and nobody else, in place of tls. It never travels. A line end at its end does not count.',
        otherwise: 'none',
        hidden: true,
      },
    ).optional(),
    nats: describe(
      withMethods<NatsConnection>(['publish', 'subscribe']),
      'nats is a connection to a NATS server',
      {
        does: "Connection to a NATS server that carries all messages in place of TCP (docs/deploy.md), of @nats-io/transport-node 3 or nats 2. A host is then the name of a site: peers are { b: { host: 'b', port: 7420 } }. The server's authentication takes the place of tls and secret. It stays open when the site closes.",
        otherwise: 'TCP',
      },
    ).optional(),
    abortInMinority: yes(
      false,
      'A lock is released, and the signal of its holder aborts with LOCK_LOST, when no majority of the voters has been in reach for timing.failureTimeoutMs, since another site may hold it by then. acquire, run and lead have the option too; for lead it is true by default.',
    ).optional(),
    insecure: yes(
      false,
      'Listens beyond loopback, or dials peers there, with neither tls nor secret. Otherwise that is refused with INSECURE_LISTEN or INSECURE_PEER.',
    ).optional(),
    engine: describe(z.enum(['compiled', 'xstate']), "an engine is 'compiled' or 'xstate'", {
      does: "Engine that steps the statecharts of the locks: compiled, or XState's own actor, which takes 20 to 40 times as long.",
      otherwise: 'compiled',
    }).optional(),
    inspect: describe(
      z.custom<Observer<InspectionEvent> | ((event: InspectionEvent) => void)>(
        (value) =>
          typeof value === 'function' || typeof (value as { next?: unknown } | null)?.next === 'function',
      ),
      'an inspector is a function or an observer',
      {
        does: "Inspector of XState, which is told of each lock's actor. The sourceRef of a message has the sender's site id as its id. throughStately makes one of @statelyai/inspect.",
      },
    ).optional(),
    logger: describe(
      withMethods<Logger>(['trace', 'debug', 'info', 'warn', 'error']),
      'a logger has the methods trace, debug, info, warn and error',
      { does: 'Takes everything that is worth a log line.' },
    ).optional(),
    telemetry: describe(telemetry, 'telemetry is { lockNames, meterProvider, tracerProvider }', {
      does: 'Metrics and spans by OpenTelemetry.',
      otherwise: 'to the global providers',
    }).optional(),
    onCrash: call<(error: InvariantError) => void>(
      undefined,
      'Called with a broken invariant, after the site has stopped. By default it is thrown as an uncaught exception, which ends the process.',
    ).optional(),
    clock: describe(
      withMethods<Clock>(['now', 'after', 'nextTurn']),
      'a clock has the methods now, after and nextTurn',
      { does: 'Source of time.', otherwise: 'systemClock' },
    ).optional(),
    random: describe(
      withMethods<Random>(['fraction', 'incarnation']),
      'a random source has the methods fraction and incarnation',
      { does: 'Source of chance.', otherwise: 'systemRandom' },
    ).optional(),
  }),
  'the options are an object',
);

/** The options of `joinCluster`; docs/configuration.md describes each key. */
export interface ClusterOptions extends z.input<typeof clusterSchema> {}

type Parsed = z.output<typeof clusterSchema>;

/** `ClusterOptions`, with the defaults in place. */
export type Settings = Omit<Parsed, 'site' | 'listen' | 'peers'> & {
  readonly site: SiteId;
  readonly listen: Address;
  readonly peers: Readonly<Record<SiteId, Address>>;
};

/** When a peer is believed down, and when a site acts on that. Times are ms. */
export interface Timing extends Readonly<z.output<typeof timing>> {}

/** When the members change by themselves. */
export interface MembersSettings extends Readonly<z.output<typeof members>> {}

/** Bounds on the locks, connections and messages that a site keeps. */
export interface Limits extends Readonly<z.output<typeof limits>> {}

/** Strict mode: locks are held by leases. */
export interface Strict extends Readonly<z.input<typeof strict>> {}

/** `Strict`, with the defaults in place. */
export type StrictSettings = Readonly<z.output<typeof strict>>;

/** Certificate, key and authority, in PEM. */
export interface Tls extends Readonly<z.output<typeof tls>> {}

/** Metrics and spans by OpenTelemetry. */
export interface TelemetryOptions extends Readonly<z.output<typeof telemetry>> {}

/** Default port of a process with `size`. */
export const defaultPort = 7_420;

export const defaultTiming: Timing = timing.parse({});
export const defaultLimits: Limits = limits.parse({});
