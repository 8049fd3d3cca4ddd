import { joinCluster, OperatingError } from 'batonlock';
import { memberOptions, whenAskedToEnd } from '../members.ts';
import type { Answer } from './main.ts';

/*
 * One worker. It takes an account at random, reads its balance, and writes it back increased by one, eight
 * accounts at a time.
 */

const { accounts, ...options } = memberOptions<{ accounts: number }>();
const cluster = await joinCluster(options);

const waiting = new Map<number, (answer: Answer) => void>();
let asked = 0;

/** Sends a request to the process that keeps the accounts. */
function ask(what: object): Promise<Answer> {
  const id = asked++;
  process.send!({ ...what, id });
  return new Promise((resolve) => waiting.set(id, resolve));
}

async function work(): Promise<void> {
  for (;;) {
    const account = `account ${Math.floor(Math.random() * accounts)}`;
    await cluster.lock(account).run(async ({ fence }) => {
      const { balance } = await ask({ account, fence });
      await ask({ account, fence, balance: balance + 1 });
    });
  }
}

await cluster.ready();
process.send!({ type: 'ready' });
process.on('message', (message: Answer | 'end') => {
  if (message === 'end') return;
  waiting.get(message.id)!(message);
  waiting.delete(message.id);
});
const done = Promise.all(
  Array.from({ length: 8 }, () => work().catch((error: unknown) => unlessClosed(error))),
);
whenAskedToEnd(async () => {
  // Holders may finish and waiting callers are rejected: when all other processes are gone, a lock may never
  // arrive.
  await cluster.close();
  await done;
});

function unlessClosed(error: unknown): void {
  const closed = error instanceof OperatingError && /^SITE_(LEAVING|CLOSED)$/.test(error.code);
  if (!closed) throw error;
}
