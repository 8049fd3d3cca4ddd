import { joinCluster } from '../../../dist/runtime/index.js';
import type { Open } from '../client.ts';

/** A site in each process, from the built package, so that the overhead of a loader is not measured. */
export const open: Open = async ({ index, ports }) => {
  const nameOf = (at: number) => `site-${at}`;
  const peers = ports.flatMap((port, at) =>
    at === index ? [] : [[nameOf(at), { host: '127.0.0.1', port }] as const],
  );
  const cluster = await joinCluster({
    cluster: 'bench',
    site: nameOf(index),
    listen: { host: '127.0.0.1', port: ports[index]! },
    peers: Object.fromEntries(peers),
  });
  await cluster.ready();
  return {
    acquire: async (lock) => (await cluster.lock(lock).acquire()).release,
  };
};
