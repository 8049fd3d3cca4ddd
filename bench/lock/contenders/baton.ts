import { openSite } from '../../../runtime/index.ts';
import type { Open } from '../client.ts';

/** A site in each process; its lock is one, so all names are that one. */
export const open: Open = async ({ index, ports }) => {
  const nameOf = (at: number) => `site-${at}`;
  const peers = ports.flatMap((port, at) =>
    at === index ? [] : [[nameOf(at), { host: '127.0.0.1', port }] as const],
  );
  const site = await openSite({
    cluster: 'bench',
    site: nameOf(index),
    listen: { host: '127.0.0.1', port: ports[index]! },
    peers: Object.fromEntries(peers),
    root: nameOf(0),
  });
  await site.ready();
  return {
    acquire: async () => (await site.acquire()).release,
  };
};
