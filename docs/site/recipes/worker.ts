import { Worker } from 'bullmq';
import { cluster } from './cluster.js';

const locks = await cluster();
const worker = new Worker<{ account: string }>(
  'invoices',
  (job) =>
    locks.lock(`account:${job.data.account}`).run(
      async ({ fence, signal }) => {
        signal.throwIfAborted();
        return { invoiced: job.data.account, under: fence };
      },
      { timeoutMs: 30_000 },
    ),
  { connection: { host: '127.0.0.1', port: 6379 } },
);

process.once('SIGTERM', async () => {
  await worker.close();
  await locks.close();
});
