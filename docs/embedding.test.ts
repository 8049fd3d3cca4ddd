import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { joinCluster } from '../runtime/index.ts';
import { freePorts } from '../runtime/testing/free-ports.ts';

/* The blocks of docs/embedding.md are one program: it is type-checked, and runs among two other sites. */

const root = join(import.meta.dirname, '..');
const run = promisify(execFile);

test('docs/embedding.md shows a program that runs', { timeout: 60_000 }, async () => {
  const guide = readFileSync(join(root, 'docs/embedding.md'), 'utf8');
  const blocks = [...guide.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, block]) => block!);
  expect(blocks.length).toBeGreaterThan(4);
  const ports = await freePorts(3);
  const program = blocks
    .join('\n')
    .replace("'batonlock'", JSON.stringify(join(root, 'runtime/index.ts')))
    .replaceAll(/400([123])/g, (_, n) => String(ports[Number(n) - 1]));
  const address = (id: string) => ({ host: '127.0.0.1', port: ports['abc'.indexOf(id)]! });
  const peersOf = (id: string) =>
    Object.fromEntries([...'abc'].filter((peer) => peer !== id).map((peer) => [peer, address(peer)]));
  // Below the root, where the types of Node.js are found.
  const cwd = mkdtempSync(join(root, 'node_modules/.embedding-'));
  const others = await Promise.all(
    ['b', 'c'].map((site) =>
      joinCluster({ cluster: 'billing', site, listen: address(site), peers: peersOf(site) }),
    ),
  );
  try {
    writeFileSync(join(cwd, 'guide.mts'), program);
    writeFileSync(
      join(cwd, 'tsconfig.json'),
      JSON.stringify({ extends: join(root, 'tsconfig.json'), files: ['guide.mts'], include: [] }),
    );
    const tsc = [join(root, 'node_modules/typescript/bin/tsc'), '--noEmit', '-p', cwd];
    const { stdout: wrong } = await run(process.execPath, tsc).catch((error: { stdout: string }) => error);
    expect(wrong).toBe('');
    const tsx = ['--import', import.meta.resolve('tsx')];
    const { stdout } = await run(process.execPath, [...tsx, 'guide.mts'], { cwd });
    expect(stdout.trim().split('\n')).toEqual([
      'run 1 false',
      'acquire 2',
      'tryAcquire 3 null',
      'REENTRY',
      "[ 'invoices', 'stock' ]",
      'leads false',
      'idle true',
    ]);
  } finally {
    for (const site of others) await site.close({ graceful: false });
    rmSync(cwd, { recursive: true });
  }
});
