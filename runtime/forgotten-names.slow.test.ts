import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { ForgottenNames } from './testing/forgotten-names.ts';

test('of 40,000 names that are used once each, the heap keeps none', { timeout: 300_000 }, async () => {
  const program = join(import.meta.dirname, 'testing/forgotten-names.ts');
  const names = 40_000;
  const words = ['--expose-gc', '--import', import.meta.resolve('tsx'), program, '3', String(names)];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  const { kept, mostKept, bytes, back, risen } = JSON.parse(stdout) as ForgottenNames;
  const [first, , last] = bytes;
  expect({ kept, risen }).toEqual({ kept: 0, risen: back });
  expect(mostKept).toBeLessThan(names);
  // Some 800 bytes for each at each of three sites, if they were kept.
  expect(last! - first!).toBeLessThan(16 * 2 ** 20);
});
