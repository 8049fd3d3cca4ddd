import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { type Fence, joinCluster } from './index.ts';
import { freePorts } from './testing/free-ports.ts';

/** The output of each of three workers of `node:cluster` that join as sites of their own, at these ports. */
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

test('run rejects with the loss when its process was stopped and another site was granted the lock meanwhile', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'baton-stopped-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const ids = ['a', 'b', 'c'];
  const ports = await freePorts(ids.length);
  const optionsOf = (site: string) => {
    const at = (id: string) => ({ host: '127.0.0.1', port: ports[ids.indexOf(id)]! });
    const peers = Object.fromEntries(ids.filter((id) => id !== site).map((id) => [id, at(id)]));
    const timing = { heartbeatMs: 100, failureTimeoutMs: 500 };
    return { cluster: 'test', site, listen: at(site), peers, timing };
  };
  const goOn = join(dir, 'go-on');
  writeFileSync(
    join(dir, 'a.mts'),
    `import { once } from 'node:events';
     import { existsSync } from 'node:fs';
     import { joinCluster } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
     const cluster = await joinCluster(${JSON.stringify(optionsOf('a'))});
     await cluster.ready();
     const work = async ({ fence, signal }) => {
       console.log(JSON.stringify(fence));
       const pause = new Int32Array(new SharedArrayBuffer(4));
       while (!existsSync(${JSON.stringify(goOn)})) Atomics.wait(pause, 0, 0, 10);
       await new Promise((over) => signal.addEventListener('abort', over));
       return 'done';
     };
     await once(process.stdin, 'data');
     console.log(await cluster.lock('x').run(work).catch((error) => error.code));
     process.exit();`,
  );
  const a = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), join(dir, 'a.mts')]);
  onTestFinished(() => void a.kill('SIGKILL'));
  const lines = createInterface(a.stdout)[Symbol.asyncIterator]();
  const others = await Promise.all(['b', 'c'].map((site) => joinCluster(optionsOf(site))));
  for (const site of others) onTestFinished(() => site.close({ graceful: false }));
  // A site that has not heard that the cluster is founded grants nothing.
  await Promise.all(others.map((site) => site.ready()));
  a.stdin.write('go');
  const first = JSON.parse((await lines.next()).value!) as Fence;
  const held = await others[0]!.lock('x').acquire();
  expect(held.fence.epoch).toBeGreaterThan(first.epoch);
  writeFileSync(goOn, '');
  expect((await lines.next()).value).toBe('LOCK_LOST');
  held.check();
}, 40_000);

test('a site that is unreferenced does not keep its process alive, whether its peers are there or not', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'baton-unref-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const [port] = await freePorts(1);
  const at = { host: '127.0.0.1', port: port! };
  const c = await joinCluster({
    ...{ cluster: 'test', site: 'c', listen: { host: '127.0.0.1', port: 0 } },
    peers: { a: at, b: { host: '127.0.0.1', port: 1 } },
  });
  onTestFinished(() => c.close({ graceful: false }));
  const options = {
    ...{ cluster: 'test', site: 'a', listen: at },
    peers: { b: { host: '127.0.0.1', port: 1 }, c: c.address },
  };
  writeFileSync(
    join(dir, 'unref.mts'),
    `import { joinCluster } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
     const cluster = (await joinCluster(${JSON.stringify(options)})).unref();
     while (!cluster.status().connected.includes('c')) await new Promise((turn) => setTimeout(turn, 10));
     console.log('connected');`,
  );
  const args = ['--import', import.meta.resolve('tsx'), join(dir, 'unref.mts')];
  // Without unref the process is killed, and that is an error.
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
  expect(stdout).toBe('connected\n');
}, 40_000);
