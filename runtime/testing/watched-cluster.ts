import { onTestFinished } from 'vitest';
import {
  type Cluster,
  joinCluster,
  serveWatch,
  type WatchServer,
  type WatchServerOptions,
} from '../index.ts';
import { freePorts } from './free-ports.ts';

const sites = ['a', 'b', 'c'];

/** Sites `a`, `b` and `c` of one cluster that is founded, each with a watch port; `urls` have the token, if there is one. */
export async function watchedCluster(options: WatchServerOptions = {}) {
  const ports = await freePorts(sites.length);
  const address = (site: string) => ({ host: '127.0.0.1', port: ports[sites.indexOf(site)]! });
  const clusters: Cluster[] = [];
  const urls: string[] = [];
  const servers: WatchServer[] = [];
  for (const site of sites) {
    const peers = Object.fromEntries(sites.filter((one) => one !== site).map((one) => [one, address(one)]));
    const cluster = await joinCluster({ cluster: 'watched', site, root: 'a', listen: address(site), peers });
    onTestFinished(() => cluster.close({ graceful: false }));
    const server = await serveWatch(cluster, options);
    onTestFinished(() => server.close());
    servers.push(server);
    clusters.push(cluster);
    urls.push(options.token === undefined ? server.url : `${server.url}?token=${options.token}`);
  }
  await Promise.all(clusters.map((cluster) => cluster.ready()));
  return { clusters: clusters as [Cluster, Cluster, Cluster], urls, servers };
}
