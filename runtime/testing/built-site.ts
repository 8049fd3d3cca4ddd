import type { Cluster, ClusterOptions } from '../index.ts';

/*
 * A site of some build, in a process of its own: `<index.ts of the build> <options as JSON>`. It takes the lock `x` again and again, and
 * one other lock of a new name each time, until it is told to end. Each entry of `x` is told to the parent, which says when it may leave.
 */

export type BuiltSiteSays =
  | { readonly type: 'ready' }
  | { readonly type: 'inside'; readonly fence: { readonly epoch: number; readonly k: number } }
  | { readonly type: 'outside' }
  | { readonly type: 'failed'; readonly code: string }
  | {
      readonly type: 'counted';
      readonly forgotten: number;
      readonly locks: number;
      readonly connected: readonly string[];
    }
  | { readonly type: 'error'; readonly code: string };

export type BuiltSiteHears = 'leave' | 'count' | 'pause' | 'go' | 'end';

const [index, options] = process.argv.slice(2) as [string, string];
const { joinCluster } = (await import(index)) as typeof import('../index.ts');
const say = (what: BuiltSiteSays) => void process.send!(what);

const cluster: Cluster = await joinCluster(JSON.parse(options) as ClusterOptions);
cluster.on('notice', (notice) => {
  // A message that comes while it closes is lost, as it may be.
  if (notice.type === 'error' && notice.error.code !== 'UNDELIVERED')
    say({ type: 'error', code: notice.error.code });
});
let working = true;
let ended = false;
let leave = () => {};
process.on('message', async (heard: BuiltSiteHears) => {
  if (heard === 'leave') leave();
  else if (heard === 'pause') working = false;
  else if (heard === 'go') working = true;
  else if (heard === 'count') {
    const { locks, connected } = cluster.status();
    say({ type: 'counted', forgotten: cluster.counters().sent['FORGET'] ?? 0, locks, connected });
  } else {
    ended = true;
    await cluster.close();
    process.disconnect();
  }
});
void cluster.ready().then(() => say({ type: 'ready' }));
const timeoutMs = 20_000;
for (let turn = 0; !ended; turn++) {
  try {
    if (working) {
      await cluster.lock(`order ${cluster.site} ${process.pid} ${turn}`).run(() => undefined, { timeoutMs });
      await cluster.lock('x').run(
        async ({ fence }) => {
          const left = new Promise<void>((resolve) => {
            leave = resolve;
          });
          say({ type: 'inside', fence: { epoch: fence.epoch, k: fence.k } });
          await left;
          say({ type: 'outside' });
        },
        { timeoutMs },
      );
    }
  } catch (error) {
    const { code = 'UNKNOWN' } = error as { code?: string };
    if (!ended) say({ type: 'failed', code });
  }
  await new Promise((resolve) => setTimeout(resolve, 5));
}
