import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AnyStateMachine } from 'xstate';
import type { SiteId } from '../../machines/actor.ts';
import { siteMachine } from '../../machines/epoch/site.ts';
import { ownClock, systemRandom } from '../../runtime/api/clock.ts';
import type { InvariantError } from '../../runtime/api/errors.ts';
import type { Address } from '../../runtime/api/peer.ts';
import { TcpMailbox } from '../../runtime/mailbox/tcp/mailbox.ts';
import { transportOf } from '../../runtime/mailbox/tcp/transport.ts';
import { noRecorder } from '../../runtime/observe/recorder.ts';
import { parseOptions } from '../../runtime/options/parse.ts';
import { configurationOf } from '../../runtime/site/configuration.ts';
import { siteCodec, urgentMessage } from '../../runtime/site/protocol.ts';
import { Site } from '../../runtime/site/site.ts';
import { type FileSystem, systemFiles } from '../../runtime/store/files.ts';
import { memoryStore, readStore, type Store } from '../../runtime/store/store.ts';
import { HeldMailbox } from './held-mailbox.ts';

/** The end of a process is no loss of power: the kernel keeps what was written. */
const files: FileSystem = { ...systemFiles, sync: () => undefined };

/** The options of a site that are not its own. */
interface Common {
  /** Unlike that of all others: a site that dials again must not take one of another cluster for its peer. */
  readonly cluster: string;
  readonly ids: readonly SiteId[];
  readonly addresses: Readonly<Record<SiteId, Address>>;
  readonly statechart: AnyStateMachine;
  /** `null`: no site comes back after a crash. */
  readonly dataDir: string | null;
  readonly crashed: (error: InvariantError) => void;
}

/** A site whose messages are held back, and which can crash and start again on its disk. */
export class RealSite {
  readonly id: SiteId;
  readonly #common: Common;
  #running: { site: Site; mailbox: HeldMailbox; store: Store; incarnation: string } | null = null;

  constructor(id: SiteId, common: Common) {
    this.id = id;
    this.#common = common;
  }

  get isUp(): boolean {
    return this.#running !== null;
  }

  get site(): Site {
    return this.#running!.site;
  }

  get mailbox(): HeldMailbox {
    return this.#running!.mailbox;
  }

  async start(): Promise<void> {
    const { cluster, ids, addresses, statechart, dataDir, crashed } = this.#common;
    const self = this.id;
    const peers = ids.filter((id) => id !== self);
    const options = parseOptions({
      site: self,
      cluster,
      listen: addresses[self]!,
      peers: Object.fromEntries(peers.map((id) => [id, addresses[id]!])),
      // A busy machine must not seem a dead peer, and one that comes back is met at once.
      timing: { failureTimeoutMs: 600_000 },
      limits: { dialMinMs: 2, dialMaxMs: 5 },
    });
    const { timing, limits } = options;
    const newId = systemRandom.incarnation();
    const store =
      dataDir === null ? memoryStore(newId) : readStore({ dataDir, site: self, cluster, newId, files });
    const incarnation = systemRandom.incarnation();
    const common = { self, timing, limits, random: systemRandom, notice: () => undefined };
    const mailbox = new HeldMailbox(
      new TcpMailbox({
        ...common,
        clock: ownClock(),
        cluster,
        configuration: configurationOf({ strict: null }),
        incarnation,
        dataId: store.id,
        run: store.life,
        transport: transportOf(options),
        listen: options.listen,
        peers: options.peers,
        codec: siteCodec(),
        urgent: urgentMessage,
      }),
    );
    const site = new Site({
      ...{ ...common, peers, voters: ids, statechart, mailbox, store, recorder: noRecorder, crashed },
      strict: null,
      root: ids[0]!,
      clock: { ...ownClock(), after: () => () => undefined },
    });
    this.#running = { site, mailbox, store, incarnation };
    await site.open();
  }

  /** Ends the site abruptly. What its disk has not been told is lost, and so are the messages that it holds. */
  crash(): void {
    if (this.#running === null) return;
    const { site, mailbox, store } = this.#running;
    this.#running = null;
    site.end(new Error('it was ended'));
    mailbox.abort();
    store.close();
  }

  /** Whether this site and another one, as they are now, have met. */
  hasMet(other: RealSite): boolean {
    const [here, there] = [this.#running!, other.#running!];
    return (
      here.mailbox.hasMet(other.id, there.incarnation) && there.mailbox.hasMet(this.id, here.incarnation)
    );
  }
}

export interface SitesOptions {
  /** The statechart that they run. Default: the real one. */
  readonly statechart?: AnyStateMachine;
  /** Whether the sites have disks. Default: no. */
  readonly restart?: boolean;
  /** Called with the error of a site that ends by one. */
  readonly crashed: (error: InvariantError) => void;
}

/** Sites of a founded cluster, in this process, that speak to each other over TCP on the loopback interface. */
export class RealSites {
  readonly all: readonly RealSite[];
  readonly #dataDir: string | null;

  private constructor(all: readonly RealSite[], dataDir: string | null) {
    this.all = all;
    this.#dataDir = dataDir;
  }

  /** No timer of a lock ever fires: what happens to a lock is the caller's doing alone. */
  static async open(ids: readonly SiteId[], options: SitesOptions): Promise<RealSites> {
    const { statechart = siteMachine, restart = false, crashed } = options;
    const ports = await ownPorts(ids.length);
    const addresses = Object.fromEntries(
      ids.map((id, index) => [id, { host: '127.0.0.1', port: ports[index]! }]),
    );
    const dataDir = restart ? await mkdtemp(join(tmpdir(), 'baton-conform-')) : null;
    const cluster = `conform-${systemRandom.incarnation()}`;
    const common = { cluster, ids, addresses, statechart, dataDir, crashed };
    const sites = new RealSites(
      ids.map((id) => new RealSite(id, common)),
      dataDir,
    );
    await Promise.all(sites.all.map((one) => one.start()));
    await Promise.all(sites.all.map(({ site }) => site.ready));
    return sites;
  }

  of(id: SiteId): RealSite {
    return this.all.find((one) => one.id === id)!;
  }

  /** Whether all that are up have met. */
  haveMet(): boolean {
    const up = this.all.filter(({ isUp }) => isUp);
    return up.every((one) => up.every((other) => one === other || one.hasMet(other)));
  }

  /** Ends all sites abruptly, like a crash, and removes their disks. */
  async close(): Promise<void> {
    for (const one of this.all) one.crash();
    if (this.#dataDir !== null) await rm(this.#dataDir, { recursive: true, force: true });
  }
}

/** Below the ports that Linux gives to clients. */
const firstPort = 20_000;
const portsInAll = 12_000;
let lastPort = firstPort + randomInt(portsInAll);

/** Ports that are free. Each is given once in a round: that of a site which is down must stay its own. */
async function ownPorts(count: number): Promise<readonly number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = firstPort + ((lastPort + 1 - firstPort) % portsInAll);
    lastPort = port;
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
