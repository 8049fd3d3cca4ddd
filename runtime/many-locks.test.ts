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

describe('100,000 locks', () => {
  test.each([1, 3])('used once and idle then cost next to nothing, at %i sites', async (sites) => {
    const { places, bytes, timers, idleMessages, entered } = await run(sites, 100_000);
    expect(entered).toBe(102_000);
    // Where its token begins, and where it was used.
    expect(places).toBeGreaterThanOrEqual(100_000);
    expect(places).toBeLessThanOrEqual(2 * 100_000);
    expect(bytes / places).toBeLessThan(1_024);
    expect(timers).toBeLessThan(10);
    expect(idleMessages).toBe(0);
  });
});
