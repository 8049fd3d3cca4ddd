import { type Cluster, joinCluster } from '../../dist/runtime/index.js';
import { freePort } from '../../runtime/testing/free-ports.ts';

/** Opens `count` sites of the built package in this process, and waits until each reaches a majority. */
export async function openSites(count: number): Promise<readonly Cluster[]> {
  const listeners = await Promise.all(
    Array.from(
      { length: count },
      async (_, index) => [`site-${index}`, { host: '127.0.0.1', port: await freePort() }] as const,
    ),
  );
  const sites = await Promise.all(
    listeners.map(([site, listen]) => {
      const peers = Object.fromEntries(listeners.filter(([name]) => name !== site));
      return joinCluster({ cluster: 'bench', site, listen, peers });
    }),
  );
  await Promise.all(sites.map((site) => site.ready()));
  return sites;
}
