import { type Cluster, joinCluster } from 'batonlock';

let joined: Promise<Cluster> | undefined;

/** This process as a site: `SITE=a`, `PEERS=b=10.0.0.2:4001,c=10.0.0.3:4001`, and the secret that all sites share. */
export function cluster(): Promise<Cluster> {
  joined ??= join();
  return joined;
}

async function join(): Promise<Cluster> {
  const { SITE: site, PEERS: others = '', BATON_SECRET: secret } = process.env;
  if (site === undefined || secret === undefined) throw new Error('expected SITE and BATON_SECRET');
  const peers = Object.fromEntries(
    others.split(',').map((entry) => {
      const [, id = '', host = '', port] = /^(.+)=(.+):(\d+)$/.exec(entry) ?? [];
      return [id, { host, port: Number(port) }];
    }),
  );
  const dataDir = `/var/lib/orders/${site}`;
  return joinCluster({
    cluster: 'orders',
    site,
    listen: { host: '0.0.0.0', port: 4001 },
    peers,
    dataDir,
    secret,
  });
}
