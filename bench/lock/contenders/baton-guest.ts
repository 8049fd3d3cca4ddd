import { joinCluster } from '../../../dist/runtime/index.js';
import type { Open } from '../client.ts';

/** A guest, from the built package. */
export const open: Open = async ({ ports }) => {
  const cluster = await joinCluster({
    cluster: 'bench',
    site: 'web',
    guest: true,
    discovery: ports.map((port) => ({ host: '127.0.0.1', port })),
  });
  await cluster.ready();
  return {
    acquire: async (lock) => (await cluster.lock(lock).acquire()).release,
  };
};
