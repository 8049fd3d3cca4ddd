import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import type { ForgottenNames } from './testing/forgotten-names.ts';

const program = join(import.meta.dirname, 'testing/forgotten-names.ts');

test('a lock for each order number is no leak, and a name that comes back has higher fences', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'names-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true }));
  const names = 600;
  const words = ['--expose-gc', '--import', import.meta.resolve('tsx'), program, '3', String(names), dataDir];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  const found = JSON.parse(stdout) as ForgottenNames;
  expect(found.kept).toBe(0);
  expect(found.diskBytes).toBeLessThan(3 * 64 * 1024);
  expect(found.risen).toBe(found.back);
});
