import { ownClock, systemRandom } from './api/clock.ts';
import type { Cluster } from './api/cluster.ts';
import { attempt, type InvariantError, OperatingError, throwUncaught } from './api/errors.ts';
import type { Notice } from './api/notice.ts';
import type { Address } from './api/peer.ts';
import { sourceOf } from './discovery/discovery.ts';
import { GuestSite, type GuestSiteOptions } from './guest/guest-site.ts';
import { Leaders } from './lock/leader.ts';
import type { Transport } from './mailbox/pipe.ts';
import { GuestMailbox } from './mailbox/tcp/guest-mailbox.ts';
import { transportOf } from './mailbox/tcp/transport.ts';
import { Events } from './observe/events.ts';
import { logTo, warnUnasked } from './observe/notices.ts';
import { Telemetry } from './observe/telemetry.ts';
import type { Settings } from './options/schema.ts';
import { configurationOf } from './site/configuration.ts';
import { JoinedCluster } from './site/joined-cluster.ts';
import { siteCodec } from './site/protocol.ts';
import { Tally } from './site/tally.ts';
import type { Versions } from './wire/frames.ts';

/** Number of sessions' leases that fit into a lease of strict mode: a member answers only while its own lasts longer (G3). */
const sessionsPerLease = 3;
const heartbeatsPerSession = 4;

/** Makes this process a guest. Resolves at once: it finds a member by itself. */
export async function joinAsGuest(settings: Settings, versions?: Versions): Promise<Cluster> {
  const { site: self, cluster, limits, discovery, peers } = settings;
  const { clock = ownClock(), random = systemRandom } = settings;
  const transport = transportOf(settings);
  const events = new Events();
  const origin = { cluster, site: self };
  const telemetry = new Telemetry({ origin, clock });
  const log = settings.logger ? logTo(settings.logger, origin) : warnUnasked(origin, events);
  const notice = (happened: Notice) => {
    for (const tell of [telemetry.notice, log, events.publish]) tell(happened);
  };
  let stopDiscovery = () => {};
  const ended = () => {
    for (const stop of [() => stopDiscovery(), () => telemetry.close()]) attempt(stop);
  };
  const crashed = (error: InvariantError) => {
    ended();
    notice({ type: 'crash', error });
    (settings.onCrash ?? throwUncaught)(error);
  };
  const common = { settings, self, transport, clock, random, notice, crashed, tally: new Tally() };
  const { mailbox, site } = guestParts({ ...common, ...(versions && { versions }) });
  const failed = (error: OperatingError) => notice({ type: 'error', error, peer: null, remote: null });
  const found = (addresses: readonly Address[]) =>
    site.found([...Object.values(peers), ...callable(addresses, transport, failed)]);
  found([]);
  if (discovery) stopDiscovery = sourceOf(discovery).watch({ found, failed, clock });
  site.open();
  clock.nextTurn(() => events.start());
  const leaders = new Leaders();
  const joined = new JoinedCluster({
    ...{ cluster, site, mailbox, events, telemetry, leaders, clock, ended },
    closeTimeoutMs: limits.closeTimeoutMs,
    forgets: true,
  });
  telemetry.begin(joined, settings.telemetry);
  return joined;
}

export interface GuestPartsOptions
  extends Omit<GuestSiteOptions<Tally>, 'mailbox' | 'timing' | 'limits' | 'leaseMs'> {
  readonly settings: Settings;
  readonly transport: Transport;
  /** Port at which this process listens. Default: none. */
  readonly port?: () => number;
  /** Versions of the wire. Default: those of this build. */
  readonly versions?: Versions;
}

/** A guest that has not begun to look for a member. */
export function guestParts({ settings, transport, port, versions, ...options }: GuestPartsOptions) {
  const { cluster, strict = null, limits, timing, abortInMinority = false } = settings;
  const longest = strict ? strict.leaseMs / sessionsPerLease : Number.POSITIVE_INFINITY;
  const leaseMs = Math.min(timing.failureTimeoutMs, longest);
  const heartbeatMs = Math.min(timing.heartbeatMs, leaseMs / heartbeatsPerSession);
  const mailbox = new GuestMailbox({
    ...{ ...options, cluster, limits, transport, codec: siteCodec(versions) },
    configuration: configurationOf({ strict }),
    incarnation: options.random.incarnation(),
    timing: { heartbeatMs, failureTimeoutMs: leaseMs },
    ...(port && { port }),
  });
  return {
    mailbox,
    site: new GuestSite<Tally>({ ...options, mailbox, timing, limits, leaseMs, abortInMinority }),
  };
}

/** The addresses that may be called. Of the others `failed` is told. */
export function callable(
  addresses: readonly Address[],
  transport: Transport,
  failed: (error: OperatingError) => void,
): readonly Address[] {
  return addresses.filter(({ host }) => {
    const may = transport.mayCall(host);
    if (!may) failed(insecure(host));
    return may;
  });
}

function insecure(host: string): OperatingError {
  const why = `${host} is beyond this machine, and with neither tls nor secret every program that answers there can speak for a member`;
  return new OperatingError('INSECURE_PEER', `${why}: give tls or secret, or insecure: true`);
}
