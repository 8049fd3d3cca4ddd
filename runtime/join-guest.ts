import { ownClock, systemRandom } from './api/clock.ts';
import type { Cluster } from './api/cluster.ts';
import { attempt, type InvariantError, OperatingError, throwUncaught } from './api/errors.ts';
import type { Notice } from './api/notice.ts';
import type { Address } from './api/peer.ts';
import { sourceOf } from './discovery/discovery.ts';
import { GuestSite } from './guest/guest-site.ts';
import { Leaders } from './lock/leader.ts';
import { GuestMailbox } from './mailbox/tcp/guest-mailbox.ts';
import { transportOf } from './mailbox/tcp/transport.ts';
import { Events } from './observe/events.ts';
import { logTo, warnUnasked } from './observe/notices.ts';
import { Telemetry } from './observe/telemetry.ts';
import type { Settings } from './options/schema.ts';
import { configurationOf } from './site/configuration.ts';
import { JoinedCluster } from './site/joined-cluster.ts';
import { vocabulary } from './site/protocol.ts';
import { Tally } from './site/tally.ts';
import { Codec } from './wire/codec.ts';

/** Number of sessions' leases that fit into a lease of strict mode: a member answers only while its own lasts longer (G3). */
const sessionsPerLease = 3;
const heartbeatsPerSession = 4;

/** Makes this process a guest. Resolves at once: it finds a member by itself. */
export async function joinAsGuest(settings: Settings): Promise<Cluster> {
  const { site: self, cluster, strict = null, limits, discovery, peers } = settings;
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
  const longest = strict ? strict.leaseMs / sessionsPerLease : Number.POSITIVE_INFINITY;
  const leaseMs = Math.min(settings.timing.failureTimeoutMs, longest);
  const heartbeatMs = Math.min(settings.timing.heartbeatMs, leaseMs / heartbeatsPerSession);
  const common = { self, limits, clock, random, notice };
  const mailbox = new GuestMailbox({
    ...{ ...common, cluster, transport, codec: new Codec(vocabulary) },
    configuration: configurationOf({ strict }),
    incarnation: random.incarnation(),
    timing: { heartbeatMs, failureTimeoutMs: leaseMs },
  });
  const { timing } = settings;
  const site = new GuestSite({ ...common, mailbox, timing, leaseMs, tally: new Tally(), crashed });
  const found = (addresses: readonly Address[]) => {
    const may = addresses.filter(({ host }) => transport.mayCall(host));
    for (const { host } of addresses.filter((one) => !may.includes(one))) failed(insecure(host));
    site.found([...Object.values(peers), ...may]);
  };
  const failed = (error: OperatingError) => notice({ type: 'error', error, peer: null, remote: null });
  site.found(Object.values(peers));
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

function insecure(host: string): OperatingError {
  const why = `${host} is beyond this machine, and with neither tls nor secret whoever answers there can speak for a member`;
  return new OperatingError('INSECURE_PEER', `${why}: give tls or secret, or insecure: true`);
}
