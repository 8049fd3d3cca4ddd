import type { SiteId } from '../machines/actor.ts';
import { systemChance, systemClock } from './doors.ts';
import { type InvariantError, OperatingError } from './errors.ts';
import type { Codec } from './frame/codec.ts';
import { frameSchema, namePattern, siteIdPattern } from './frame/frames.ts';
import { epoch } from './host/epoch.ts';
import { Mesh, type Place } from './host/mesh.ts';
import type { Protocol } from './host/protocol.ts';
import { TcpMailbox } from './mailbox/tcp.ts';
import type { Held, Limits, Notice, Site, SiteOptions, Strict, Timing } from './options.ts';
import { memoryStore, openStore } from './store/store.ts';
import { FileRecorder } from './trace/file.ts';
import { noRecorder } from './trace/recorder.ts';

export const defaultLimits: Limits = {
  maxFrameBytes: 64 * 1024,
  maxOutbox: 10_000,
  maxHandshakes: 64,
  handshakeTimeoutMs: 5_000,
  dialMinMs: 20,
  dialMaxMs: 1_000,
  closeTimeoutMs: 2_000,
};

export const defaultTiming: Timing = {
  heartbeatMs: 250,
  silentMs: 1_200,
  suspectMinMs: 5,
  suspectMaxMs: 45,
  electionMinMs: 100,
  electionMaxMs: 2_000,
  patienceMs: 15_000,
};

const defaultDriftShare = 0.01;

/**
 * Opens a site: resolves when it listens; its peers need not be there yet.
 *
 * Rejects with `OPTIONS_INVALID`, `LISTEN_FAILED`, `TRACE_FAILED`; with a `dataDir` also `DISK_MISSING`, `DISK_CORRUPT`,
 * `DISK_FOREIGN`, `DISK_FAILED`, `STORE_IN_USE`.
 */
export async function openSite(options: SiteOptions): Promise<Site> {
  checkOptions(options);
  const timing = { ...defaultTiming, ...options.timing };
  checkTiming(timing);
  const { site: id, cluster, root, lock: lockName = 'main', protocol = epoch } = options;
  const {
    clock = systemClock,
    chance = systemChance,
    inspect,
    traceDir,
    dataDir,
    newcomer = false,
    strict,
  } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const peers = Object.keys(options.peers);
  const codec: Codec = {
    schema: frameSchema([id, ...peers], lockName, protocol.schema([id, ...peers])),
    maxFrameBytes: limits.maxFrameBytes,
  };

  const unmet = new Set(peers);
  const met = deferred();
  if (unmet.size === 0) met.resolve();
  const notice = (happened: Notice) => {
    if (happened.type === 'up' && unmet.delete(happened.peer) && unmet.size === 0) met.resolve();
    options.onNotice?.(happened);
  };
  const operatingError = (error: OperatingError) =>
    notice({ type: 'error', error, peer: null, remote: null });

  const store = dataDir === undefined ? memoryStore() : openStore({ dataDir, site: id, cluster, newcomer });
  let recorder = noRecorder;
  const ended = () => {
    recorder.close();
    store.close();
  };
  let mailbox: TcpMailbox;
  let mesh: Mesh;
  let place: Place;
  try {
    if (traceDir !== undefined)
      recorder = new FileRecorder({
        dir: traceDir,
        site: id,
        life: store.life,
        clock,
        failed: operatingError,
      });
    mailbox = new TcpMailbox({
      self: id,
      cluster,
      incarnation: chance.incarnation(),
      memoryOnly: dataDir === undefined,
      listen: options.listen,
      peers: options.peers,
      codec,
      limits,
      timing,
      clock,
      chance,
      notice,
    });
    mesh = new Mesh({
      self: id,
      peers,
      root,
      voters: options.voters ?? [id, ...peers],
      protocol,
      mailbox,
      store,
      recorder,
      timing,
      strict: strict ? { driftShare: defaultDriftShare, ...strict } : null,
      clock,
      chance,
      ...(inspect && { inspect }),
      notice,
      crashed: (error) => {
        met.reject(error);
        ended();
        notice({ type: 'crash', error });
        (options.onCrash ?? throwUncaught)(error);
      },
    });
    place = mesh.place(lockName);
    await mesh.open();
  } catch (error) {
    ended();
    throw error;
  }
  const { lock, host } = place;

  let closing: Promise<void> | null = null;
  const close = (reason: 'left' | 'closed') => {
    const closed = new OperatingError('SITE_CLOSED', `${id} is closed`);
    closing ??= mesh.close(reason, closed).finally(ended);
    met.reject(closed);
    return closing;
  };

  const acquire: Site['acquire'] = (wait) => lock.acquire(wait);
  return {
    id,
    address: mailbox.address,
    acquire,
    run: async (work, wait) => {
      const held: Held = await acquire(wait);
      try {
        return await work(held);
      } finally {
        held.release();
      }
    },
    status: () => ({
      ...protocol.status(host.snapshot),
      connected: mailbox.connected(),
      waiting: lock.waiting,
    }),
    counters: () => ({
      sent: Object.fromEntries(host.sent),
      received: Object.fromEntries(host.received),
      entered: lock.entered,
      lost: lock.lost,
      suspicions: place.suspicions,
      elections: place.elections,
      refused: Object.fromEntries(mailbox.refused),
      ...mailbox.traffic,
    }),
    ready: () => met.promise,
    leave: async () => {
      await (protocol.survives ? lock.drain(limits.closeTimeoutMs) : lock.leave());
      await close('left');
    },
    close: () => close('closed'),
  };
}

function checkOptions(options: SiteOptions): void {
  const { site, peers, root, cluster, voters = [site], newcomer, dataDir, protocol = epoch } = options;
  const sites: SiteId[] = [site, ...Object.keys(peers)];
  const bad = sites.find((id) => !siteIdPattern.test(id));
  if (bad !== undefined) throw invalid(`site ids match ${siteIdPattern.source}, "${bad}" does not`);
  if (Object.hasOwn(peers, site)) throw invalid(`peers are the other sites, ${site} is this one`);
  if (!sites.includes(root)) throw invalid(`the root is a site, ${root} is none of ${sites.join(', ')}`);
  const stranger = voters.find((voter) => !sites.includes(voter));
  if (stranger !== undefined) throw invalid(`voters are sites, ${stranger} is none of ${sites.join(', ')}`);
  if (voters.length === 0)
    throw invalid('there must be a voter: nothing is granted without a majority of them');
  if (new Set(voters).size < voters.length) throw invalid(`a voter has one vote: ${voters.join(', ')}`);
  if (dataDir !== undefined && !protocol.survives)
    throw invalid(`a site of ${protocol.name} cannot come back: it keeps nothing, so leave dataDir out`);
  if (newcomer === true && dataDir === undefined)
    throw invalid(
      'a newcomer is so to its dataDir, and there is none: leave newcomer out, or give a dataDir',
    );
  if (options.strict) checkStrict(options.strict, protocol);
  if (!namePattern.test(cluster)) throw invalid('a cluster has a name of 1 to 128 printable characters');
}

function checkStrict({ leaseMs, driftShare = 0 }: Strict, { name, survives }: Protocol): void {
  if (!survives) throw invalid(`a site of ${name} knows no leases: leave strict out`);
  // No promise may outlast what a timer can measure, 2^31 ms.
  if (!(leaseMs >= 50 && leaseMs <= 3_600_000))
    throw invalid(`strict.leaseMs is a number of ms from 50 to 3600000, not ${leaseMs}`);
  if (!(driftShare >= 0 && driftShare <= 0.5))
    throw invalid(`strict.driftShare is a share from 0 to 0.5, not ${driftShare}`);
}

function checkTiming(timing: Timing): void {
  for (const [name, ms] of Object.entries(timing)) {
    if (!(Number.isFinite(ms) && ms > 0))
      throw invalid(`timing.${name} is a number of ms above 0, not ${ms}`);
  }
  const { heartbeatMs, silentMs, suspectMinMs, suspectMaxMs, electionMinMs, electionMaxMs } = timing;
  const orders: readonly (readonly [string, number, number])[] = [
    ['suspectMinMs is at most suspectMaxMs', suspectMinMs, suspectMaxMs],
    ['electionMinMs is at most electionMaxMs', electionMinMs, electionMaxMs],
    ['silentMs is at least 2 heartbeatMs: one that is late is no death', 2 * heartbeatMs, silentMs],
  ];
  for (const [rule, less, more] of orders)
    if (less > more) throw invalid(`timing: ${rule}; ${less} > ${more}`);
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

// Out of every promise chain, so that no handler further up can take it for an operating error.
function throwUncaught(error: InvariantError): void {
  setImmediate(() => {
    throw error;
  });
}
