import type { AnyStateMachine } from 'xstate';
import { siteMachine } from '../machines/epoch/site.ts';
import { ownClock, systemRandom } from './api/clock.ts';
import type { Cluster } from './api/cluster.ts';
import { attempt, type InvariantError, type OperatingError, throwUncaught } from './api/errors.ts';
import type { Notice } from './api/notice.ts';
import type { Address } from './api/peer.ts';
import { sourceOf } from './discovery/discovery.ts';
import { callable, guestParts, joinAsGuest } from './join-guest.ts';
import { Leaders } from './lock/leader.ts';
import type { GuestMailbox } from './mailbox/tcp/guest-mailbox.ts';
import { founded } from './mailbox/tcp/handshake.ts';
import { TcpMailbox } from './mailbox/tcp/mailbox.ts';
import { transportOf } from './mailbox/tcp/transport.ts';
import { Events } from './observe/events.ts';
import { FileRecorder } from './observe/file-recorder.ts';
import { logTo, warnUnasked } from './observe/notices.ts';
import { noRecorder } from './observe/recorder.ts';
import { Telemetry } from './observe/telemetry.ts';
import { parseOptions, uniqueId } from './options/parse.ts';
import type { ClusterOptions } from './options/schema.ts';
import { configurationOf, foundersDigest } from './site/configuration.ts';
import { FittingSite } from './site/fitting-site.ts';
import { JoinedCluster, type JoinedClusterOptions } from './site/joined-cluster.ts';
import { siteCodec, urgentMessage } from './site/protocol.ts';
import { Site } from './site/site.ts';
import { memoryStore, openStore, type Store } from './store/store.ts';
import type { Versions } from './wire/frames.ts';

/**
 * Makes this process a site of the cluster, or a guest of one (`guest`). Resolves when the site listens; its peers need not be there
 * yet. A guest begins to look for a member; `Cluster.ready` resolves when one has answered.
 *
 * Rejects with `OPTIONS_INVALID`, `INSECURE_LISTEN`, `INSECURE_PEER`, `LISTEN_FAILED`, `TRACE_FAILED`; with a `dataDir`
 * also with `DISK_CORRUPT`, `DISK_VERSION`, `DISK_FOREIGN`, `DISK_FAILED`, `STORE_IN_USE`.
 */
export function joinCluster(options: ClusterOptions): Promise<Cluster> {
  return joinWith(siteMachine, options);
}

/**
 * `joinCluster`, with another statechart for the locks, a store that is open already, or other versions of the wire than this build
 * speaks. For tests of a faulty statechart, of a site among others that the test plays, and of an upgrade.
 */
export async function joinWith(
  statechart: AnyStateMachine,
  options: ClusterOptions,
  opened?: Store,
  versions?: Versions,
): Promise<Cluster> {
  const settings = parseOptions(options);
  if (settings.guest) return joinAsGuest(settings, versions);
  const transport = transportOf(settings);
  const { site: self, cluster, root, dataDir, traceDir, strict = null } = settings;
  const { timing, limits, clock = ownClock(), random = systemRandom, inspect, engine } = settings;
  const peers = Object.keys(settings.peers);
  const { size, discovery } = settings;
  const fits = size !== undefined;
  const { founders = [self, ...peers], join = fits } = settings;
  const voters = settings.voters ?? founders;

  const origin = { cluster, site: self };
  const events = new Events();
  const telemetry = new Telemetry({ origin, clock });
  const log = settings.logger ? logTo(settings.logger, origin) : warnUnasked(origin, events);
  let fitting: FittingSite | null = null;
  const notice = (happened: Notice) => {
    for (const tell of [telemetry.notice, log, events.publish]) tell(happened);
    fitting?.noticed(happened);
  };

  const newId = random.incarnation();
  const store =
    opened ??
    (dataDir === undefined ? memoryStore(newId) : await openStore({ dataDir, site: self, cluster, newId }));
  let recorder = noRecorder;
  const leaders = new Leaders();
  let stopDiscovery = () => {};
  // A disk that refuses one of them keeps none of the others open.
  const ended = () => {
    attempt(() => stopDiscovery());
    for (const part of [recorder, store, telemetry]) attempt(() => part.close());
  };
  const crashed = (error: InvariantError) => {
    ended();
    notice({ type: 'crash', error });
    (settings.onCrash ?? throwUncaught)(error);
  };
  try {
    if (traceDir !== undefined) {
      const failed = (error: OperatingError) => notice({ type: 'error', error, peer: null, remote: null });
      recorder = new FileRecorder({ dir: traceDir, site: self, life: store.life, clock, failed });
    }
    const common = { self, timing, limits, clock, random, notice };
    const digest = foundersDigest({ founders, voters, root });
    const mailbox = new TcpMailbox({
      ...common,
      cluster,
      configuration: configurationOf({ strict }),
      founders: () =>
        join || (store.founding ?? { stage: 'accepted' }).stage !== 'accepted' ? founded : digest,
      incarnation: random.incarnation(),
      dataId: store.id,
      run: store.life,
      transport,
      listen: settings.listen,
      ...(settings.advertise && { advertise: settings.advertise }),
      peers: settings.peers,
      codec: siteCodec(versions),
      urgent: urgentMessage,
    });
    const site = new Site({
      ...{
        ...common,
        peers,
        founders: join ? [] : founders,
        voters,
        statechart,
        mailbox,
        store,
        recorder,
        strict,
        crashed,
      },
      ...{ members: settings.members, joins: join || settings.founders === undefined },
      ...(root !== undefined && { root }),
      ...(fits && {
        asks: () => fitting?.asks ?? false,
        mostVoters: () => fitting?.mostVoters ?? size,
        fits: {
          vacancies: () => fitting?.vacancies ?? 0,
          called: (...call) => fitting?.called(...call),
          inviteDue: (guests) => fitting?.inviteDue(guests),
        },
      }),
      address: () => mailbox.advertised,
      generation: () => Date.now(),
      ...(settings.abortInMinority && { abortInMinority: true }),
      ...(inspect && { inspect }),
      ...(engine && { engine }),
    });
    await site.open();
    let parts: Pick<JoinedClusterOptions, 'site' | 'mailbox'> = { site, mailbox };
    if (discovery && fits) {
      const guest = guestParts({
        ...{ settings, transport, clock, random, notice, crashed, tally: site.tally },
        ...(versions && { versions }),
        self: uniqueId(self),
        port: () => mailbox.advertised.port,
        tried: (...seen) => fitting!.tried(...seen),
        sessionChanged: (isAttached) => fitting!.sessionChanged(isAttached),
        invited: (members) => fitting!.invited(members),
      });
      const { foundAfterMs } = settings.members;
      const advertised = () => mailbox.advertised;
      const { closeTimeoutMs } = limits;
      fitting = new FittingSite({
        ...{ self, site, guest: guest.site, clock, advertised, size, crashed },
        ...{ foundAfterMs, closeTimeoutMs },
      });
      const failed = (error: OperatingError) => notice({ type: 'error', error, peer: null, remote: null });
      const found = (addresses: readonly Address[]) => fitting!.found(callable(addresses, transport, failed));
      stopDiscovery = sourceOf(discovery).watch({ found, failed, clock });
      fitting.open();
      parts = { site: fitting, mailbox: joinedMailbox(mailbox, guest.mailbox) };
    }
    clock.nextTurn(() => events.start());
    const joined = new JoinedCluster({
      ...{ ...parts, cluster, events, telemetry, leaders, clock, ended },
      closeTimeoutMs: limits.closeTimeoutMs,
      forgets: dataDir === undefined,
    });
    telemetry.begin(joined, settings.telemetry);
    return joined;
  } catch (error) {
    ended();
    throw error;
  }
}

/** The mailbox of a member and that of a guest, as one. */
function joinedMailbox(member: TcpMailbox, guest: GuestMailbox): JoinedClusterOptions['mailbox'] {
  const sum = (key: 'bytesSent' | 'bytesReceived') => member.traffic[key] + guest.traffic[key];
  return {
    self: member.self,
    address: member.address,
    get refused() {
      return new Map([...guest.refused, ...member.refused]);
    },
    get traffic() {
      return { bytesSent: sum('bytesSent'), bytesReceived: sum('bytesReceived') };
    },
    connected: () => [...new Set([...member.connected(), ...guest.connected()])],
    versionOf: (site) => member.versionOf(site),
    unref: () => {
      member.unref();
      guest.unref();
    },
  };
}
