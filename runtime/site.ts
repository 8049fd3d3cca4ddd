import type { SiteId } from '../machines/actor.ts';
import { systemChance, systemClock } from './doors.ts';
import { type InvariantError, OperatingError } from './errors.ts';
import type { Codec } from './frame/codec.ts';
import { frameSchema, namePattern, siteIdPattern } from './frame/frames.ts';
import { Host } from './host/host.ts';
import { naimiTrehel } from './host/naimi-trehel.ts';
import { Lock } from './lock/lock.ts';
import { TcpMailbox } from './mailbox/tcp.ts';
import type { Held, Limits, Notice, Site, SiteOptions } from './options.ts';
import { FileRecorder } from './trace/file.ts';
import { noRecorder } from './trace/recorder.ts';

export const defaultLimits: Limits = {
  maxFrameBytes: 64 * 1024,
  maxOutboxBytes: 4 * 1024 * 1024,
  maxHandshakes: 64,
  handshakeTimeoutMs: 5_000,
  dialMinMs: 20,
  dialMaxMs: 1_000,
  closeTimeoutMs: 2_000,
};

/**
 * Opens a site: resolves when it listens; its peers need not be there yet.
 *
 * Rejects with `OPTIONS_INVALID`, `LISTEN_FAILED`, `TRACE_FAILED`.
 */
export async function openSite(options: SiteOptions): Promise<Site> {
  checkOptions(options);
  const { site: id, cluster, root, lock: lockName = 'main', protocol = naimiTrehel } = options;
  const { clock = systemClock, chance = systemChance, inspect, traceDir } = options;
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
    if (happened.type === 'connected' && unmet.delete(happened.peer) && unmet.size === 0) met.resolve();
    options.onNotice?.(happened);
  };
  const operatingError = (error: OperatingError) =>
    notice({ type: 'error', error, peer: null, remote: null });

  const mailbox = new TcpMailbox({
    self: id,
    cluster,
    incarnation: chance.incarnation(),
    listen: options.listen,
    peers: options.peers,
    codec,
    limits,
    clock,
    chance,
    notice,
  });
  const recorder =
    traceDir === undefined
      ? noRecorder
      : new FileRecorder({ dir: traceDir, site: id, clock, failed: operatingError });
  const lock: Lock = new Lock({ clock, tell: (event) => host.tell(event) });
  const crashed = (error: InvariantError) => {
    end(error);
    mailbox.abort();
    notice({ type: 'crash', error });
    (options.onCrash ?? throwUncaught)(error);
  };
  const host = new Host({
    site: id,
    root,
    peers,
    lock: lockName,
    protocol,
    recorder,
    ...(inspect && { inspect }),
    post: (envelope) => mailbox.post(envelope),
    grant: () => lock.grant(),
    left: () => lock.left(),
    crashed,
  });
  let ended = false;
  const end = (reason: Error) => {
    if (ended) return;
    ended = true;
    host.stop();
    lock.end(reason);
    met.reject(reason);
    recorder.close();
  };

  let closing: Promise<void> | null = null;
  const close = (reason: 'left' | 'closed') => {
    closing ??= mailbox.close(reason);
    end(new OperatingError('SITE_CLOSED', `${id} is closed`));
    return closing;
  };

  try {
    await mailbox.open({
      receive: (envelope) => host.deliver(envelope),
      peer: () => undefined,
      beforeWrite: () => undefined,
    });
  } catch (error) {
    end(error as OperatingError);
    throw error;
  }

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
      refused: Object.fromEntries(mailbox.refused),
      ...mailbox.traffic,
    }),
    ready: () => met.promise,
    leave: async () => {
      await lock.leave();
      await close('left');
    },
    close: () => close('closed'),
  };
}

function checkOptions({ site, peers, root, cluster }: SiteOptions): void {
  const sites: SiteId[] = [site, ...Object.keys(peers)];
  const bad = sites.find((id) => !siteIdPattern.test(id));
  if (bad !== undefined) throw invalid(`site ids match ${siteIdPattern.source}, "${bad}" does not`);
  if (Object.hasOwn(peers, site)) throw invalid(`peers are the other sites, ${site} is this one`);
  if (!sites.includes(root)) throw invalid(`the root is a site, ${root} is none of ${sites.join(', ')}`);
  if (!namePattern.test(cluster)) throw invalid('a cluster has a name of 1 to 128 printable characters');
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
