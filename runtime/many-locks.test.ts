import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { ManyLocks } from './testing/many-locks.ts';

const program = join(import.meta.dirname, 'testing/many-locks.ts');

async function run(sites: number, locks: number): Promise<ManyLocks> {
  const words = [
    '--expose-gc',
    '--import',
    import.meta.resolve('tsx'),
    program,
    String(sites),
    String(locks),
  ];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  return JSON.parse(stdout) as ManyLocks;
}

describe('many locks', () => {
  test.each([
    { sites: 1, locks: 100_000 },
    { sites: 3, locks: 20_000 },
  ])('used once and idle then cost next to nothing: $locks at $sites sites', async ({ sites, locks }) => {
    const { places, bytes, timers, idleMessages, entered } = await run(sites, locks);
    expect(entered).toBe(locks + 2_000);
    // Where its token begins, and where it was used.
    expect(places).toBeGreaterThanOrEqual(locks);
    expect(places).toBeLessThanOrEqual(2 * locks);
    // 1,013 of them at three sites, and up to 20 more on a busy machine, where code is compiled meanwhile.
    expect(bytes / places).toBeLessThan(1_100);
    expect(timers).toBeLessThan(10);
    expect(idleMessages).toBe(0);
  });
});
