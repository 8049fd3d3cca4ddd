import { setTimeout as sleep } from 'node:timers/promises';
import { fromFile, joinCluster } from '../index.ts';

/*
 * A process of a Deployment, with an IPC channel to its parent: `<port> <file of addresses>`. It has no name and no disk, uses one lock again
 * and again, and ends by SIGTERM. It tells each critical section, by the monotonic clock that all processes of a machine share.
 */

export type Told =
  | { readonly type: 'ready' }
  | { readonly type: 'member' }
  /** Times in ms. */
  | {
      readonly type: 'inside';
      readonly asked: number;
      readonly at: number;
      readonly fence: readonly number[];
    }
  | { readonly type: 'outside'; readonly at: number }
  | { readonly type: 'failed'; readonly code: string };

const [port, file] = process.argv.slice(2) as [string, string];
const tell = (told: Told) => process.send!(told);
const now = () => Number(process.hrtime.bigint()) / 1e6;

const cluster = await joinCluster({
  cluster: 'deploys',
  size: 3,
  listen: { host: '127.0.0.1', port: Number(port) },
  discovery: fromFile(file, { everyMs: 100 }),
  members: { foundAfterMs: 500 },
});
let isEnding = false;
process.once('SIGTERM', async () => {
  isEnding = true;
  await cluster.close();
  process.exit(0);
});
process.once('disconnect', () => process.exit(1));
await cluster.ready();
tell({ type: 'ready' });
let wasMember = false;
while (!isEnding) {
  const asked = now();
  try {
    await cluster.lock('x').run(async ({ fence: { generation, epoch, k }, signal }) => {
      tell({ type: 'inside', asked, at: now(), fence: [generation, epoch, k] });
      await sleep(2);
      // A section that is lost is over when the signal says so.
      if (!signal.aborted) tell({ type: 'outside', at: now() });
    });
  } catch (error) {
    const { code = String(error) } = error as { code?: string };
    if (!isEnding) tell({ type: 'failed', code });
  }
  if (cluster.status().founded !== wasMember) {
    wasMember = cluster.status().founded;
    if (wasMember) tell({ type: 'member' });
  }
  await sleep(5);
}
