import { OperatingError } from 'batonlock';
import { Cron } from 'croner';
import { cluster } from './cluster.js';

const locks = await cluster();

new Cron('0 3 * * *', async () => {
  try {
    await locks
      .lock('nightly')
      .run(async () => console.log('this site does it'), { timeoutMs: 0, minHoldMs: 60_000 });
  } catch (error) {
    if (!(error instanceof OperatingError && error.code === 'ACQUIRE_TIMEOUT')) throw error;
  }
});
