import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { ForgottenNames } from './testing/forgotten-names.ts';

const program = join(import.meta.dirname, 'testing/forgotten-names.ts');

/** Uses each of so many names once. */
async function use(names: number, forgetAfterMs: number): Promise<ForgottenNames> {
  const words = ['--expose-gc', '--import', import.meta.resolve('tsx'), program, '3'];
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...words,
    String(names),
    String(forgetAfterMs),
  ]);
  return JSON.parse(stdout) as ForgottenNames;
}

test('of 40,000 names that are used once each, the heap keeps none', { timeout: 300_000 }, async () => {
  const names = 40_000;
  const { kept, mostKept, bytes, back, risen } = await use(names, 200);
  const [first, , last] = bytes;
  expect({ kept, risen }).toEqual({ kept: 0, risen: back });
  expect(mostKept).toBeLessThan(names);
  // Some 800 bytes for each at each of three sites, if they were kept.
  expect(last! - first!).toBeLessThan(16 * 2 ** 20);
});

// `NAMES=10000000 npx vitest run -c vitest.slow.config.ts runtime/forgotten-names` uses ten million.
const many = Number(process.env['NAMES'] ?? 400_000);

test(`${many} names pass while others are forgotten, and no peer is given up`, {
  timeout: 600_000 + many,
}, async () => {
  const { kept, mostKept, bytes, back, risen, troubles } = await use(many, 10_000);
  const [first, , last] = bytes;
  expect({ kept, risen, troubles }).toEqual({ kept: 0, risen: back, troubles: 0 });
  expect(mostKept).toBeLessThan(many);
  expect(last! - first!).toBeLessThan(32 * 2 ** 20);
});
