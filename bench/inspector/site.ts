import { setTimeout as sleep } from 'node:timers/promises';
import { joinCluster, serveWatch } from '../../runtime/index.ts';

/** The message from `run.ts` that starts a site process. Each further message asks for its count. */
export interface Site {
  readonly site: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly peers: Readonly<Record<string, Site['listen']>>;
  /** Pause after each critical section. Default: none. */
  readonly restMs?: number;
}

/** Critical sections and processor time so far. */
export interface Counts {
  readonly entered: number;
  readonly cpuMicros: number;
}

/** A site that takes one lock repeatedly, and reports the number of its critical sections on request. */
process.once('message', async ({ site, listen, peers, restMs = 0 }: Site) => {
  const cluster = await joinCluster({ cluster: 'bench-inspector', site, root: 'a', listen, peers });
  const watched = await serveWatch(cluster);
  process.on('message', () =>
    process.send!({ entered: cluster.counters().entered, cpuMicros: cpuMicros() } satisfies Counts),
  );
  await cluster.ready();
  process.send!({ url: watched.url });
  const lock = cluster.lock('main');
  for (;;) {
    await lock.run(() => undefined);
    if (restMs > 0) await sleep(restMs);
  }
});
process.once('disconnect', () => process.exit());

function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
