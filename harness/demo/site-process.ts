import { reasonOf } from '../../machines/errors.ts';
import { type Cluster, joinCluster, type Lock, serveWatch, type WatchServer } from '../../runtime/index.ts';
import type { Figures, FromSite, OpenSite, ToSite } from './messages.ts';
import { useResource } from './resource.ts';

const progressEveryMs = 200;

/** One site of the demo, in a process of its own; the demo speaks to it over Node's channel. */
export function runSiteProcess(): void {
  // Ctrl-C reaches the whole group; the demo decides. Without the demo there is nothing to stay for.
  process.on('SIGINT', () => undefined);
  process.once('disconnect', () => process.exit(1));
  let worker: Worker | null = null;
  process.on('message', async (message: ToSite) => {
    try {
      if (message.type === 'open') worker = await Worker.open(message);
      else if (message.type === 'start') await worker!.work();
      else if (message.type === 'stop') worker!.stop();
      else await worker!.leave();
    } catch (error) {
      say({ type: 'failed', reason: reasonOf(error) });
    }
  });
  say({ type: 'loaded' });
}

function say(message: FromSite): void {
  process.send!(message);
}

class Worker {
  readonly #cluster: Cluster;
  readonly #watched: WatchServer | null;
  readonly #lock: Lock;
  readonly #resource: string;
  #sections = 0;
  #stopping = false;

  private constructor(cluster: Cluster, watched: WatchServer | null, resource: string) {
    this.#cluster = cluster;
    this.#watched = watched;
    this.#lock = cluster.lock('main');
    this.#resource = resource;
  }

  static async open({
    site,
    cluster: name,
    root,
    peers,
    resource,
    dataDir,
    trace,
    isWatched,
  }: OpenSite): Promise<Worker> {
    const cluster = await joinCluster({
      site,
      cluster: name,
      root,
      peers,
      listen: { host: '127.0.0.1', port: 0 },
      dataDir,
      traceDir: trace,
      onCrash: (error) => say({ type: 'failed', reason: error.message }),
    });
    cluster.on('notice', (notice) => {
      // An error of a stranger at the port is ignored.
      if (notice.type === 'error' && notice.peer !== null)
        say({ type: 'fault', reason: notice.error.message });
    });
    const watched = isWatched ? await serveWatch(cluster) : null;
    say({ type: 'opened', address: cluster.address, watch: watched?.url ?? null });
    cluster.ready().then(
      () => say({ type: 'ready' }),
      (error: unknown) => say({ type: 'failed', reason: reasonOf(error) }),
    );
    return new Worker(cluster, watched, resource);
  }

  /** Takes the lock until it is told to stop. */
  async work(): Promise<void> {
    const progress = setInterval(() => say({ type: 'progress', ...this.#figures() }), progressEveryMs);
    while (!this.#stopping) {
      await this.#lock.run(async () => {
        const section = this.#sections + 1;
        await useResource(this.#resource, this.#cluster.site, section);
        this.#sections = section;
      });
    }
    clearInterval(progress);
    say({ type: 'rests' });
  }

  async leave(): Promise<void> {
    await this.#cluster.close();
    await this.#watched?.close();
    say({ type: 'left', criticalSections: this.#sections });
    process.disconnect();
  }

  /** The figures count up to now: from here on fewer and fewer sites ask. */
  stop(): void {
    this.#stopping = true;
    say({ type: 'stopped', ...this.#figures() });
  }

  #figures(): Figures {
    return { criticalSections: this.#sections, sent: this.#cluster.counters().sent };
  }
}
