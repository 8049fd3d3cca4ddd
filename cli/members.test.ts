import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { type Address, FenceGate, joinCluster, serveWatch } from '../runtime/index.ts';
import { freePorts } from '../runtime/testing/free-ports.ts';
import { BatonProcess, baton } from './testing/baton.ts';
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

it('lists the members of a running cluster, and changes them where the site has the same token of an administrator', async () => {
  const adminToken = 'sixteen characters';
  const [portA, portB] = await freePorts(2);
  const listen = (port: number) => ({ host: '127.0.0.1', port });
  const start = async (site: string, port: number, peers: Record<string, Address>) => {
    const cluster = await joinCluster({ cluster: 'orders', site, listen: listen(port), peers });
    onTestFinished(() => cluster.close({ graceful: false }));
    return cluster;
  };
  const [a] = await Promise.all([
    start('a', portA!, { b: listen(portB!) }),
    start('b', portB!, { a: listen(portA!) }),
  ]);
  await a.ready();
  const open = await serveWatch(a, { adminToken });
  onTestFinished(() => open.close());
  const shut = await serveWatch(a);
  onTestFinished(() => shut.close());
  const members = async (args: readonly string[], token?: string) => {
    const env = token === undefined ? {} : { BATON_ADMIN_TOKEN: token };
    return new BatonProcess(['members', ...args], env).end();
  };
  const listed = await members(['list', shut.url]);
  expect([listed.status, listed.stderr]).toEqual([0, '']);
  expect(listed.stdout).toMatch(
    /^voter +is +wire +listens at +id\na +up +\d+ +127\.0\.0\.1:\d+ +\S+\nb +up .*\nconfiguration \(0, 1\) of generation \d+\n$/,
  );

  const removed = await members(['remove', open.url, 'b'], adminToken);
  expect([removed.status, removed.stderr]).toEqual([0, '']);
  expect(removed.stdout).not.toContain('\nb ');
  expect(a.members().voters.map(({ site }) => site)).toEqual(['a']);
  const added = await members(['add', open.url, 'a', '--json'], adminToken);
  expect(JSON.parse(added.stdout)).toMatchObject({ voters: [{ site: 'a', up: true }] });

  for (const [args, token, status, reason] of [
    [['remove', open.url, 'a'], adminToken, 1, /TOO_FEW_VOTERS/],
    [
      ['replace', open.url, 'a', 'c', '--timeout', '300'],
      adminToken,
      1,
      /CHANGE_TIMEOUT: not done within 300 ms: a does not reach c/,
    ],
    [
      ['remove', open.url, 'a'],
      'another token of it',
      1,
      /NOT_ALLOWED: expected the site's BATON_ADMIN_TOKEN/,
    ],
    [['remove', shut.url, 'a'], adminToken, 1, /NOT_ALLOWED: this site takes no change/],
    [['remove', open.url, 'a'], undefined, 2, /remove needs BATON_ADMIN_TOKEN/],
    [['remove', open.url], adminToken, 2, /remove takes 1 ids of sites, got 0/],
    [['list', 'http://127.0.0.1:1/'], undefined, 2, /the addresses are a list of ws:/],
    [['list', 'ws://127.0.0.1:1/'], undefined, 3, /ECONNREFUSED/],
  ] as const) {
    const refused = await members(args, token);
    expect(refused.stderr).toMatch(reason);
    expect([refused.status, refused.stdout]).toEqual([status, '']);
  }
  const insecure = serveWatch(a, { listen: { host: '0.0.0.0' }, token: 't', adminToken });
  await expect(insecure).rejects.toThrow('INSECURE_LISTEN');
}, 60_000);
