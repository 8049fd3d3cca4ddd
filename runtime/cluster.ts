import type { SiteId } from '../machines/actor.ts';
import { defaultDriftShare, defaultLimits, defaultTiming } from './defaults.ts';
import { systemChance, systemClock } from './doors.ts';
import { OperatingError } from './errors.ts';
import { Events, throwUncaught } from './events.ts';
import type { Codec } from './frame/codec.ts';
import { frameSchema, namePattern, siteIdPattern } from './frame/frames.ts';
import { epoch } from './host/epoch.ts';
import { Mesh } from './host/mesh.ts';
import type { Protocol } from './host/protocol.ts';
import { rootOf } from './host/root.ts';
import { transportOf } from './mailbox/tcp/transport.ts';
import { TcpMailbox } from './mailbox/tcp.ts';
import type {
  AcquireOptions,
  Cluster,
  ClusterOptions,
  Held,
  Lock,
  LockStatus,
  Notice,
  Strict,
  Timing,
} from './options.ts';
import { memoryStore, openStore } from './store/store.ts';
import { FileRecorder } from './trace/file.ts';
import { noRecorder } from './trace/recorder.ts';

/**
 * Makes this process a site of the cluster: resolves when it listens; its peers need not be there yet.
 *
 * Rejects with `OPTIONS_INVALID`, `INSECURE_LISTEN`, `LISTEN_FAILED`, `TRACE_FAILED`; with a `dataDir` also `DISK_MISSING`, `DISK_CORRUPT`,
 * `DISK_FOREIGN`, `DISK_FAILED`, `STORE_IN_USE`.
 */
export async function joinCluster(options: ClusterOptions): Promise<Cluster> {
  checkOptions(options);
  const timing = { ...defaultTiming, ...options.timing };
  checkTiming(timing);
  const transport = transportOf(options);
  const { site: self, cluster, protocol = epoch } = options;
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
  const voters = options.voters ?? [self, ...peers];
  const codec: Codec = {
    schema: frameSchema([self, ...peers], null, protocol.schema([self, ...peers])),
    maxFrameBytes: limits.maxFrameBytes,
  };

  const unmet = new Set(peers);
  const met = deferred();
  if (unmet.size === 0) met.resolve();
  const events = new Events();
  const notice = (happened: Notice) => {
    if (happened.type === 'up' && unmet.delete(happened.peer) && unmet.size === 0) met.resolve();
    events.tell(happened);
  };
  const operatingError = (error: OperatingError) =>
    notice({ type: 'error', error, peer: null, remote: null });

  const store = dataDir === undefined ? memoryStore() : openStore({ dataDir, site: self, cluster, newcomer });
  let recorder = noRecorder;
  const ended = () => {
    recorder.close();
    store.close();
  };
  let mailbox: TcpMailbox;
  let mesh: Mesh;
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
      incarnation: chance.incarnation(),
      memoryOnly: dataDir === undefined,
      transport,
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
      self,
      peers,
      root: (lock) => options.root ?? rootOf(lock, voters),
      voters,
      protocol,
      mailbox,
      store,
      recorder,
      timing,
      limits,
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
    await mesh.open();
  } catch (error) {
    ended();
    throw error;
  }
  clock.nextTurn(() => events.begin());

  let closing: Promise<void> | null = null;
  const close = async (graceful: boolean) => {
    if (graceful) await mesh.leave(limits.closeTimeoutMs);
    const closed = new OperatingError('SITE_CLOSED', `${self} is closed`);
    closing ??= mesh.close(graceful ? 'left' : 'closed', closed).finally(ended);
    met.reject(closed);
    await closing;
  };

  const joined: Cluster = {
    name: cluster,
    site: self,
    address: mailbox.address,
    lock: (name) => {
      if (!namePattern.test(name))
        throw invalid(`a lock has a name of 1 to 128 printable characters, not ${JSON.stringify(name)}`);
      return new NamedLock(name, mesh, protocol);
    },
    status: () => ({ connected: mailbox.connected(), majority: mesh.majority, locks: mesh.locks }),
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
    ready: () => met.promise,
    on: (event, listener) => {
      events.on(event, listener);
      return joined;
    },
    off: (event, listener) => {
      events.off(event, listener);
      return joined;
    },
    close: ({ graceful = true } = {}) => close(graceful),
    [Symbol.asyncDispose]: () => close(true),
  };
  return joined;
}

/** What a caller has of a lock, until it is used nothing but its name. */
class NamedLock implements Lock {
  readonly name: string;
  readonly #mesh: Mesh;
  readonly #protocol: Protocol;

  constructor(name: string, mesh: Mesh, protocol: Protocol) {
    this.name = name;
    this.#mesh = mesh;
    this.#protocol = protocol;
  }

  async acquire(options?: AcquireOptions): Promise<Held> {
    return this.#mesh.place(this.name).lock.acquire(options);
  }

  async run<T>(work: (held: Held) => T | Promise<T>, options?: AcquireOptions): Promise<T> {
    const held = await this.acquire(options);
    try {
      return await work(held);
    } finally {
      held.release();
    }
  }

  status(): LockStatus {
    const { host, lock } = this.#mesh.place(this.name);
    return { ...this.#protocol.status(host.snapshot), waiting: lock.waiting };
  }
}

function checkOptions(options: ClusterOptions): void {
  const { site, peers, root = site, cluster, voters = [site], newcomer, dataDir, protocol = epoch } = options;
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
