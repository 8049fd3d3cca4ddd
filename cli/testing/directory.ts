import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Creates an empty directory that is removed after the test. */
export function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'baton-test-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
