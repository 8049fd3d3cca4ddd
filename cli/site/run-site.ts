import {
  type Address,
  type Cluster,
  type ClusterOptions,
  joinCluster,
  OperatingError,
  serveWatch,
  type WatchServer,
} from '../../runtime/index.ts';
import { Notices } from '../../runtime/observe/notices.ts';
import { UsageError } from '../../verification/check/errors.ts';
import { configure } from '../config/settings.ts';
import { type ExitStatus, exitStatus } from '../exit.ts';
import type { SiteMetrics } from '../metrics/site-metrics.ts';
import { remark } from '../output.ts';
import type { SiteVerbOptions } from '../verbs/site.ts';
import { Console } from './console.ts';
import { Session } from './session.ts';

/** Runs `baton site`. */
export async function runSite(options: SiteVerbOptions): Promise<ExitStatus> {
  const { given, options: settings, doubts } = configure(options, process.env);
  for (const doubt of doubts) remark(doubt);
  const { site: id, peers = {} } = settings;
  const root = settings.root ?? [id, ...Object.keys(peers)].sort()[0]!;
  const console = new Console(`${id ?? 'guest'}> `);
  const notices = new Notices();
  const metrics = options.metrics && new (await import('../metrics/site-metrics.ts')).SiteMetrics();
  let cluster: Cluster;
  try {
    cluster = await join(settings.guest ? settings : { ...settings, root }, metrics);
  } catch (error) {
    console.close();
    if (error instanceof OperatingError) throw new UsageError(error.message);
    throw error;
  }
  cluster.on('notice', (notice) => {
    const { level, text } = notices.entry(notice);
    if (level !== 'debug') console.say(text);
  });
  const { host, port } = cluster.address;
  const chosen = given.get('root')?.from ?? 'the first of the ids; --root would say otherwise';
  console.say(
    settings.guest
      ? `${cluster.site} is a guest: it looks for a member`
      : `${id} listens on ${host}:${port}; root is ${root} (${chosen})`,
  );
  const watched = options.inspect && (await letWatch(cluster, options.inspect));
  if (watched) console.say(`baton inspect --attach ${watched.url}`);
  if (options.metrics && metrics) {
    try {
      const url = await metrics.serve(cluster, Object.keys(peers), options.metrics);
      console.say(`metrics and health at ${url}`);
    } catch (error) {
      await cluster.close();
      console.close();
      throw error;
    }
  }
  const leaving = () => metrics?.leaving();
  const session = new Session(cluster, leaving, (text) => console.say(text));
  console.onInterrupt(() => session.interrupt());
  await session.run(() => console.next());
  await watched?.close();
  await metrics?.close();
  console.close();
  return exitStatus.held;
}

async function letWatch(cluster: Cluster, listen: Address): Promise<WatchServer> {
  const token = process.env['BATON_INSPECT_TOKEN'];
  const adminToken = process.env['BATON_ADMIN_TOKEN'];
  const tokens = { ...(token !== undefined && { token }), ...(adminToken !== undefined && { adminToken }) };
  try {
    return await serveWatch(cluster, { listen, ...tokens });
  } catch (error) {
    await cluster.close({ graceful: false });
    if (error instanceof OperatingError) throw new UsageError(error.message);
    throw error;
  }
}

function join(settings: ClusterOptions, metrics: SiteMetrics | undefined): Promise<Cluster> {
  return joinCluster({
    ...settings,
    ...(metrics && { telemetry: metrics.telemetry }),
    // The notice has given the reason. The process ends at once, because its state cannot be trusted.
    onCrash: () => process.exit(exitStatus.violated),
  });
}
