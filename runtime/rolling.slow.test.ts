import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type Address, type Cluster, FenceGate, joinCluster } from './index.ts';
import { freePort } from './testing/free-ports.ts';

/*
 * Deploys of three sites without disks, one at a time: each is replaced by one of a new name, while all that run use one lock.
 */

const replacements = 50;

const percentile = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;

test('fifty rolling replacements under load: nothing overlaps, fences rise, and nobody waits for long', async () => {
  const running = new Map<string, { readonly cluster: Cluster; readonly address: Address }>();
  const gate = new FenceGate();
  const waits = { outside: [] as number[], within: [] as number[] };
  let [inside, overlaps, refused, failed, grants] = [0, 0, 0, 0, 0];
  let isReplacing = false;
  let working = true;
  const use = async (name: string) => {
    while (working && running.has(name)) {
      const [asked, replacing] = [performance.now(), isReplacing];
      try {
        await running
          .get(name)!
          .cluster.lock('x')
          .run(
            async ({ fence, signal }) => {
              waits[replacing || isReplacing ? 'within' : 'outside'].push(performance.now() - asked);
              grants += 1;
              if (!gate.accept('x', fence)) refused += 1;
              if (++inside > 1) overlaps += 1;
              await sleep(1);
              inside -= 1;
              signal.throwIfAborted();
            },
            { timeoutMs: 15_000 },
          );
      } catch (error) {
        const { code } = error as { code?: string };
        if (!['SITE_LEAVING', 'SITE_CLOSED', 'LOCK_LOST'].includes(code ?? '')) failed += 1;
      }
      await sleep(2);
    }
  };
  const start = async (name: string) => {
    const listen = { host: '127.0.0.1', port: await freePort() };
    const peers = Object.fromEntries([...running].map(([id, { address }]) => [id, address]));
    const cluster = await joinCluster({ cluster: 'rolling', site: name, listen, peers });
    await cluster.ready({ timeoutMs: 20_000 });
    running.set(name, { cluster, address: cluster.address });
    void use(name);
  };
  for (const name of ['web-1', 'web-2', 'web-3']) await start(name);
  await sleep(500);
  for (let number = 4; number < 4 + replacements; number++) {
    isReplacing = true;
    await start(`web-${number}`);
    const [old, { cluster }] = [...running][0]!;
    running.delete(old);
    await cluster.close();
    isReplacing = false;
    await sleep(200);
  }
  working = false;
  const { voters } = [...running.values()][0]!.cluster.members();
  await Promise.all([...running.values()].map(({ cluster }) => cluster.close({ graceful: false })));
  for (const list of Object.values(waits)) list.sort((one, other) => one - other);
  console.log(
    `${grants} grants; p99 of waiting ${percentile(waits.outside, 0.99).toFixed(0)} ms outside the replacements and ` +
      `${percentile(waits.within, 0.99).toFixed(0)} ms in them; at most ${percentile(waits.within, 1).toFixed(0)} ms`,
  );
  expect({ overlaps, refused, failed, voters: voters.length }).toEqual({
    overlaps: 0,
    refused: 0,
    failed: 0,
    voters: 3,
  });
  expect(grants).toBeGreaterThan(1_000);
}, 180_000);
