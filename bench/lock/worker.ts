import type { LockClient, Open, Place } from './client.ts';
import type { Scenario } from './scenarios.ts';

/** Messages from the measuring process. */
export type ToWorker =
  /** The places of its clients. */
  | {
      readonly type: 'open';
      readonly module: string;
      readonly places: readonly Place[];
      readonly scenario: Scenario;
    }
  | { readonly type: 'work'; readonly forMs: number }
  | { readonly type: 'hold' };

/** Answers of a worker. Times are in milliseconds of the clock that all processes of a machine share. */
export type FromWorker =
  | { readonly type: 'loaded' }
  | { readonly type: 'opened' }
  | { readonly type: 'held'; readonly at: number }
  /** The entries of each client. */
  | { readonly type: 'worked'; readonly entries: readonly (readonly Entry[])[] };

/** One critical section: the times of its request, entry and exit, and the index of the lock. */
export type Entry = readonly [asked: number, entered: number, left: number, lock: number];

const now = () => Number(process.hrtime.bigint()) / 1e6;

let clients: readonly LockClient[] = [];
let scenario: Scenario | null = null;

async function work(client: LockClient, forMs: number): Promise<readonly Entry[]> {
  const { tasks, locks } = scenario!;
  const entries: Entry[] = [];
  const end = now() + forMs;
  const task = async () => {
    while (now() < end) {
      const lock = Math.floor(Math.random() * locks);
      const asked = now();
      const release = await client.acquire(`lock-${lock}`);
      const entered = now();
      entries.push([asked, entered, now(), lock]);
      await release();
    }
  };
  await Promise.all(Array.from({ length: tasks }, task));
  return entries;
}

const say = (message: FromWorker) => process.send!(message);

process.once('disconnect', () => process.exit(1));
process.on('message', async (message: ToWorker) => {
  if (message.type === 'open') {
    const { open } = (await import(message.module)) as { readonly open: Open };
    ({ scenario } = message);
    clients = await Promise.all(message.places.map(open));
    say({ type: 'opened' });
  } else if (message.type === 'work') {
    say({ type: 'worked', entries: await Promise.all(clients.map((one) => work(one, message.forMs))) });
  } else {
    await clients[0]!.acquire('lock-0');
    say({ type: 'held', at: now() });
  }
});
say({ type: 'loaded' });
