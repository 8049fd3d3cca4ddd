import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { freePorts } from '../cli/testing/baton.ts';

/** What each of three workers of `node:cluster` says that joins as a site of its own, at these ports. */
async function workersAt(ports: readonly number[]): Promise<string[]> {
  const dir = mkdtempSync(join(tmpdir(), 'baton-workers-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  writeFileSync(
    join(dir, 'workers.mts'),
    `import cluster from 'node:cluster';
     import { joinCluster } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
     const ids = ['a', 'b', 'c'], ports = ${JSON.stringify(ports)};
     if (cluster.isPrimary) {
       const said = [];
       for (const id of ids)
         cluster.fork({ SITE: id }).on('message', (text) => {
           if (said.push(text) < 3) return;
           console.log(JSON.stringify(said.sort()));
           process.exit();
         });
     } else {
       const site = process.env.SITE;
       const at = (id) => ({ host: '127.0.0.1', port: ports[ids.indexOf(id)] || 1 });
       const peers = Object.fromEntries(ids.filter((id) => id !== site).map((id) => [id, at(id)]));
       const listen = { host: '127.0.0.1', port: ports[ids.indexOf(site)] };
       joinCluster({ cluster: 'test', site, listen, peers }).then(
         async (joined) => {
           const granted = ports[0] === 0 ? null : await joined.lock('x').run(() => 'granted');
           process.send(site + ' ' + (granted ?? joined.address.port));
         },
         (error) => process.send(site + ' ' + error.code),
       );
     }`,
  );
  const args = ['--import', import.meta.resolve('tsx'), join(dir, 'workers.mts')];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 30_000 });
  return JSON.parse(stdout);
}

test('each worker of node:cluster that asks for any port has one of its own', async () => {
  const said = (await workersAt([0, 0, 0])).map((text) => text.split(' ') as [string, string]);
  expect(said.map(([site]) => site)).toEqual(['a', 'b', 'c']);
  expect(new Set(said.map(([, port]) => Number(port))).size).toBe(3);
}, 40_000);

test('workers with ports of their own are sites like others', async () => {
  expect(await workersAt(await freePorts(3))).toEqual(['a granted', 'b granted', 'c granted']);
}, 40_000);
