import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Cluster, compareFences, joinCluster } from './index.ts';
import { clusterSchema } from './options/schema.ts';
import { freePorts } from './testing/free-ports.ts';
import { now, optionsOf, type Told } from './testing/holding-pod.ts';

const program = join(import.meta.dirname, 'testing/holding-pod.ts');

/** A member in a process of its own, which holds `lock`. */
async function startHolder(port: number, file: string, lock: string, releaseMs: string) {
  const args = [String(port), file, lock, releaseMs];
  const child = fork(program, args, { execArgv: ['--import', import.meta.resolve('tsx')] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const told: Told[] = [];
  child.on('message', (message) => told.push(message as Told));
  await expect.poll(() => told, { timeout: 30_000, interval: 10 }).toMatchObject([{ type: 'holds' }]);
  const [{ fence }] = told as [Extract<Told, { type: 'holds' }>];
  const [generation, epoch, k] = fence;
  return { child, told, fence: { generation, epoch, k } };
}

test('SIGTERM ends a member that holds a lock within its bounds, and the next caller is granted the lock', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'pods-'));
  const ports = await freePorts(5);
  const file = join(dir, 'addresses');
  writeFileSync(file, ports.map((port) => `127.0.0.1:${port}\n`).join(''));
  const others: Cluster[] = [];
  onTestFinished(async () => {
    await Promise.all(others.map((one) => one.close({ graceful: false })));
    rmSync(dir, { recursive: true });
  });
  const [first, second, ...rest] = ports as [number, number, ...number[]];
  const holders = [
    await startHolder(first, file, 'released', '300'),
    await startHolder(second, file, 'kept', 'never'),
  ] as const;
  for (const port of rest)
    others.push(await joinCluster({ ...optionsOf(file), listen: { host: '127.0.0.1', port } }));
  await Promise.all(others.map((one) => one.ready({ timeoutMs: 20_000 })));
  const { closeTimeoutMs } = clusterSchema.parse({ cluster: 'pods' }).limits;
  for (const [at, lock] of ['released', 'kept'].entries()) {
    const { child, told, fence } = holders[at]!;
    const granted = others[0]!.lock(lock).run((held) => ({ fence: held.fence, at: now() }));
    const begunAt = now();
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    // As docs/deploy.md has it.
    expect(now() - begunAt).toBeLessThan(10_000 + 4 * closeTimeoutMs);
    const next = await granted;
    const [, end, ...further] = told as [Told, Exclude<Told, { type: 'holds' }>];
    expect({ type: end.type, further }).toEqual({ type: at === 0 ? 'released' : 'lost', further: [] });
    expect(next.at).toBeGreaterThan(end.at);
    expect(compareFences(next.fence, fence)).toBeGreaterThan(0);
  }
  // Guests have taken the places.
  await expect
    .poll(() => others.map((one) => one.members().voters.length), { timeout: 30_000, interval: 50 })
    .toEqual([3, 3, 3]);
}, 90_000);
