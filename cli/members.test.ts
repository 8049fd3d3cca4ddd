import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FenceGate, joinCluster } from '../runtime/index.ts';
import { baton } from './testing/baton.ts';
import { directory } from './testing/directory.ts';

it('founds anew from one data directory, when --yes says so, and says first what that may break', async () => {
  const dataDir = directory();
  const start = () =>
    joinCluster({ cluster: 'orders', site: 'a', listen: { host: '127.0.0.1', port: 0 }, peers: {}, dataDir });
  const gate = new FenceGate();
  const granted = async () => {
    const cluster = await start();
    const fence = await cluster.lock('x').run((held) => held.fence, { timeoutMs: 5_000 });
    const { generation } = cluster.members();
    await cluster.close();
    return { isAccepted: gate.accept('x', fence), generation: generation! };
  };
  const before = await granted();
  const command = ['members', 'found-anew', dataDir, '--cluster', 'orders'] as const;
  const asked = await baton(...command);
  expect([asked.status, asked.stdout]).toEqual([2, '']);
  expect(asked.stderr).toContain(
    'makes a the only voter of a new cluster, and drops all others. Before you give --yes',
  );
  expect((await granted()).generation).toBe(before.generation);

  const done = await baton(...command, '--yes');
  expect([done.status, done.stderr]).toEqual([0, '']);
  const after = await granted();
  expect(done.stdout).toContain(`generation ${after.generation}, before it ${before.generation}`);
  expect(after.generation).toBeGreaterThan(before.generation);
  expect(after.isAccepted).toBe(true);

  const foreign = await baton('members', 'found-anew', dataDir, '--yes');
  expect([foreign.status, foreign.stderr]).toEqual([1, expect.stringContaining('DISK_FOREIGN')]);
  rmSync(join(dataDir, 'a.json'));
  const empty = await baton('members', 'found-anew', dataDir, '--yes');
  expect([empty.status, empty.stderr]).toEqual([2, expect.stringContaining('expected the data of a site')]);
});
