import type { AnyStateMachine } from 'xstate';
import { siteMachine } from '../machines/epoch/site.ts';
import { type Clock, systemChance, systemClock } from './api/clock.ts';
import { OperatingError } from './api/errors.ts';
import { Events, throwUncaught } from './api/events.ts';
import { acquireAll } from './lock/acquire-all.ts';
import { Leader } from './lock/leader.ts';
import { NamedLock } from './lock/named-lock.ts';
import { TcpMailbox } from './mailbox/tcp/mailbox.ts';
import { transportOf } from './mailbox/tcp/transport.ts';
import { FileRecorder } from './observe/file-recorder.ts';
import { LiveFeed } from './observe/live-feed.ts';
import { logTo, warnUnasked } from './observe/notices.ts';
import { noRecorder } from './observe/recorder.ts';
import { Telemetry } from './observe/telemetry.ts';
import {
  checkAcquire,
  checkClose,
  checkLead,
  checkListener,
  checkNames,
  checkReady,
  checkViewer,
} from './options/calls.ts';
import { configurationOf } from './options/configuration.ts';
import type { Cluster, ClusterOptions, Notice } from './options/index.ts';
import { parseOptions } from './options/parse.ts';
import { admissionLayout } from './site/admission.ts';
import { messageLayout, protocolName, urgentMessage } from './site/protocol.ts';
import { rootOf } from './site/root.ts';
import { Site } from './site/site.ts';
import { memoryStore, openStore } from './store/store.ts';
import { Codec } from './wire/codec.ts';
import { namePattern } from './wire/frames.ts';

/**
 * Makes this process a site of the cluster: resolves when it listens; its peers need not be there yet.
 *
 * Rejects with `OPTIONS_INVALID`, `INSECURE_LISTEN`, `INSECURE_PEER`, `LISTEN_FAILED`, `TRACE_FAILED`; with a `dataDir` also `DISK_MISSING`, `DISK_CORRUPT`,
 * `DISK_FOREIGN`, `DISK_FAILED`, `STORE_IN_USE`.
 */
export function joinCluster(options: ClusterOptions): Promise<Cluster> {
  return joinWith(siteMachine, options);
}

/** `joinCluster`, with another statechart for the locks. For tests of what a faulty one does. */
export async function joinWith(statechart: AnyStateMachine, options: ClusterOptions): Promise<Cluster> {
  const settings = parseOptions(options);
  const transport = transportOf(options);
  const { site: self, cluster, timing, limits, strict = null } = settings;
  const {
    clock = systemClock,
    chance = systemChance,
    inspect,
    traceDir,
    dataDir,
    newcomer = false,
  } = settings;
  const peers = Object.keys(options.peers);
  const voters = options.voters ?? [self, ...peers];
  const members = [self, ...peers];
  const codec = new Codec({ members, layout: { ...messageLayout, ...admissionLayout } });

  const unmet = new Set(peers);
  const met = deferred();
  if (unmet.size === 0) met.resolve();
  const events = new Events();
  const origin = { cluster, site: self };
  const telemetry = new Telemetry({ origin, clock });
  const log = options.logger && logTo(options.logger, origin);
  const warn = warnUnasked(origin);
  const notice = (happened: Notice) => {
    if (happened.type === 'up' && unmet.delete(happened.peer) && unmet.size === 0) met.resolve();
    telemetry.notice(happened);
    log?.(happened);
    if (!log && !events.areHeard) warn(happened);
    events.tell(happened);
  };
  const operatingError = (error: OperatingError) =>
    notice({ type: 'error', error, peer: null, remote: null });

  const store =
    dataDir === undefined ? memoryStore() : await openStore({ dataDir, site: self, cluster, newcomer });
  let recorder = noRecorder;
  const tap = new LiveFeed({
    site: self,
    machine: protocolName,
    peers,
    clock,
    now: () => performance.timeOrigin + clock.now(),
    get count() {
      return mesh.locks;
    },
    names: (like, most) => mesh.names(like, most),
    peek: (lock) => {
      const place = mesh.find(lock);
      return place === undefined ? null : { seq: place.seq, snapshot: place.snapshot };
    },
  });
  // A disk that refuses one of them keeps none of the others open.
  const ended = () => {
    attempt(() => tap.close());
    attempt(() => recorder.close());
    attempt(() => store.close());
    attempt(() => telemetry.close());
  };
  let mailbox: TcpMailbox;
  let mesh: Site;
  const campaigns = new Set<Leader>();
  // Another site may lead by now: by an epoch that a majority has begun.
  const giveUp = () => {
    if (mesh.majority) return;
    const reason = 'no majority of the voters is in reach, and another site may lead by now';
    for (const campaign of campaigns) campaign.giveUp(new OperatingError('LOCK_LOST', reason));
  };
  try {
    if (traceDir !== undefined)
      recorder = new FileRecorder({
        dir: traceDir,
        site: self,
        life: store.life,
        clock,
        failed: operatingError,
      });
    mailbox = new TcpMailbox({
      self,
      cluster,
      configuration: configurationOf({
        members,
        voters,
        root: settings.root,
        strict: settings.strict,
      }),
      incarnation: chance.incarnation(),
      memoryOnly: dataDir === undefined,
      transport,
      listen: options.listen,
      peers: options.peers,
      codec,
      urgent: urgentMessage,
      limits,
      timing,
      clock,
      chance,
      notice,
    });
    mesh = new Site({
      self,
      peers,
      root: (lock) => options.root ?? rootOf(lock, voters),
      voters,
      statechart,
      mailbox,
      store,
      recorder,
      feed: tap,
      timing,
      limits,
      strict,
      clock,
      chance,
      ...(inspect && { inspect }),
      notice,
      majorityLost: ({ silently }) => {
        if (silently) giveUp();
        else clock.after(timing.silentMs, giveUp);
      },
      crashed: (error) => {
        met.reject(error);
        ended();
        notice({ type: 'crash', error });
        (options.onCrash ?? throwUncaught)(error);
      },
    });
    await mesh.open();
  } catch (error) {
    ended();
    throw error;
  }
  clock.nextTurn(() => events.begin());

  const resign = (reason: OperatingError) => {
    for (const campaign of campaigns) campaign.stop(reason);
  };
  let leaving: Promise<void> | null = null;
  let closing: Promise<void> | null = null;
  const close = async (graceful: boolean) => {
    if (graceful && !closing) {
      // Who leads would hold its lock for ever.
      resign(new OperatingError('SITE_LEAVING', `${self} is leaving and leads no more`));
      leaving ??= mesh.leave(limits.closeTimeoutMs);
      await leaving;
    }
    const closed = new OperatingError('SITE_CLOSED', `${self} is closed`);
    resign(closed);
    closing ??= mesh.close(graceful ? 'left' : 'closed', closed).finally(ended);
    met.reject(closed);
    await closing;
  };

  const lockOf = (name: string) => {
    if (typeof name !== 'string' || !namePattern.test(name))
      throw invalid(
        `a lock has a name of 1 to 128 printable characters, not ${typeof name === 'string' ? JSON.stringify(name) : typeof name}`,
      );
    return new NamedLock(name, mesh, telemetry);
  };

  const joined: Cluster = {
    name: cluster,
    site: self,
    address: mailbox.address,
    lock: lockOf,
    acquireAll: async (names, acquireOptions) => {
      checkNames(names);
      checkAcquire(acquireOptions);
      return acquireAll(names, lockOf, clock, acquireOptions);
    },
    lead: (name, work, leadOptions = {}) => {
      checkLead(work, leadOptions);
      const ended = (campaign: Leader) => void campaigns.delete(campaign);
      const campaign = new Leader(lockOf(name), work, leadOptions, clock, ended);
      campaigns.add(campaign);
      return campaign;
    },
    status: () => ({
      connected: mailbox.connected(),
      majority: mesh.majority,
      locks: mesh.locks,
      frozen: mesh.frozen,
    }),
    counters: () => {
      const { sent, received, ...counts } = mesh.tally;
      return {
        sent: Object.fromEntries(sent),
        received: Object.fromEntries(received),
        ...counts,
        refused: Object.fromEntries(mailbox.refused),
        ...mailbox.traffic,
      };
    },
    ready: async (how) => {
      checkReady(how);
      await within(met.promise, how?.timeoutMs, clock, () => {
        const missing = [...unmet].sort().join(', ');
        return new OperatingError('READY_TIMEOUT', `${missing} not connected within ${how?.timeoutMs} ms`);
      });
    },
    watch: (viewer) => {
      checkViewer(viewer);
      return tap.attach(viewer);
    },
    on: (event, listener) => {
      checkListener(event, listener);
      events.on(event, listener);
      return joined;
    },
    off: (event, listener) => {
      checkListener(event, listener);
      events.off(event, listener);
      return joined;
    },
    close: async (how = {}) => {
      checkClose(how);
      await close(how.graceful ?? true);
    },
    [Symbol.asyncDispose]: () => close(true),
  };
  telemetry.begin(joined, options.telemetry);
  return joined;
}

/** `promise`, or a rejection with `late` after so long. */
async function within(
  promise: Promise<void>,
  ms: number | undefined,
  clock: Clock,
  late: () => OperatingError,
): Promise<void> {
  if (ms === undefined) return promise;
  let stopTimer = () => {};
  const timeout = new Promise<never>((_, reject) => {
    stopTimer = clock.after(ms, () => reject(late()));
  });
  await Promise.race([promise, timeout]).finally(stopTimer);
}

/** What it throws ends the process by default, and nothing that is under way here. */
function attempt(action: () => void): void {
  try {
    action();
  } catch (error) {
    throwUncaught(error);
  }
}

function invalid(message: string): OperatingError {
  return new OperatingError('OPTIONS_INVALID', message);
}

function deferred() {
  let resolve!: () => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Whoever waits is told; that nobody waits is no error.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
