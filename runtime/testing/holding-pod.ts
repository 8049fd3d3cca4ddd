import { setTimeout as sleep } from 'node:timers/promises';
import { fromFile, joinCluster } from '../index.ts';

/*
 * A pod that holds a lock when it is asked to end, with an IPC channel to its parent: `<port> <file of addresses> <lock> <ms>`. It ends as
 * docs/deploy.md has it: SIGTERM closes the cluster, and then nothing keeps the process. Its critical section ends `ms` after the signal, or
 * never where that is `never`.
 */

/** Times in ms, by the monotonic clock that all processes of a machine share. */
export type Told =
  | { readonly type: 'holds'; readonly fence: readonly [generation: number, epoch: number, k: number] }
  | { readonly type: 'released' | 'lost'; readonly at: number };

export const now = () => Number(process.hrtime.bigint()) / 1e6;

/** All but the place of a process. */
export const optionsOf = (file: string) => ({
  ...{ cluster: 'pods', size: 3, discovery: fromFile(file, { everyMs: 20 }) },
  members: { foundAfterMs: 300 },
  timing: { heartbeatMs: 250, failureTimeoutMs: 5_000 },
});

async function run(port: string, file: string, lock: string, releaseMs: string): Promise<void> {
  const tell = (told: Told) => process.send!(told);
  process.once('disconnect', () => process.exit(1));
  process.channel!.unref();
  const cluster = await joinCluster({
    ...optionsOf(file),
    listen: { host: '127.0.0.1', port: Number(port) },
  });
  process.once('SIGTERM', () => cluster.close());
  while (!cluster.status().founded) await sleep(10);
  const held = await cluster.lock(lock).acquire();
  held.signal.addEventListener('abort', () => tell({ type: 'lost', at: now() }));
  if (releaseMs !== 'never') {
    process.once('SIGTERM', async () => {
      await sleep(Number(releaseMs));
      tell({ type: 'released', at: now() });
      held.release();
    });
  }
  const { generation, epoch, k } = held.fence;
  tell({ type: 'holds', fence: [generation, epoch, k] });
}

if (process.send && process.argv[1] === import.meta.filename)
  await run(...(process.argv.slice(2) as [string, string, string, string]));
