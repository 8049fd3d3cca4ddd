import { setTimeout as pause } from 'node:timers/promises';
import { joinCluster } from 'batonlock';
import { memberOptions, whenAskedToEnd } from '../members.ts';

/* One process that may run the jobs. Only one of all processes runs them. */

const cluster = await joinCluster(memberOptions());
await cluster.ready();
process.send!({ type: 'ready' });

const leadership = cluster.lead('cron', async ({ fence, signal }) => {
  while (!signal.aborted) {
    process.send!({ type: 'job', fence });
    await pause(100);
  }
});

whenAskedToEnd(async () => {
  await leadership.close();
  await cluster.close();
});
