import { expect, it } from 'vitest';
import type { LockReports } from '../runtime/index.ts';
import { freePorts } from '../runtime/testing/free-ports.ts';
import { watchedCluster } from '../runtime/testing/watched-cluster.ts';
import { baton } from './testing/baton.ts';

it('baton locks prints the holder of a lock, for how long it holds it, and the waiting sites, for the whole cluster', async () => {
  const { clusters, urls } = await watchedCluster();
  const [a, b] = clusters;
  const held = await a.lock('main').acquire();
  const waiting = b.lock('main').run(() => undefined);
  await a.lock('other').run(() => undefined);
  const { status, stdout } = await baton('locks', ...urls, '--sort', 'held');
  expect(status).toBe(0);
  expect(stdout).toMatch(
    /^lock +holder +held for +waiting +epoch +last change\nmain +a +\d.*s +b \d.*s +0 +\d.*s ago\n/,
  );
  expect(stdout).toMatch(/\nother +nobody \(token at a\) +0 +\d.*s ago\nanswered: a, b, c\n$/);
  const json = await baton('locks', ...urls, '--json', '--waited');
  expect([json.status, json.stderr]).toEqual([0, '']);
  const [report, ...others] = (JSON.parse(json.stdout) as LockReports).locks;
  expect(others).toEqual([]);
  expect(report).toMatchObject({ lock: 'main', holder: { site: 'a' }, queue: [{ site: 'b', waiting: 1 }] });
  expect(report!.holder!.heldMs).toBeGreaterThan(0);
  expect(report!.queue[0]!.waitedMs).toEqual([expect.any(Number)]);
  held.release();
  await waiting;
});

it('baton locks names a site that does not answer, and ends with status 3', async () => {
  const [port] = await freePorts(1);
  const { status, stdout } = await baton('locks', `ws://127.0.0.1:${port}/?token=secret`);
  expect(status).toBe(3);
  expect(stdout).toContain(`no answer from ws://127.0.0.1:${port}/: `);
  expect(stdout).not.toContain('secret');
});
