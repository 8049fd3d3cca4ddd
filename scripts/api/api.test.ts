import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

function write(out: string): Promise<{ readonly status: unknown; readonly said: string }> {
  const args = ['scripts/api/write.mjs', out];
  const options = { cwd: root, env: { ...process.env, NO_COLOR: '1' } };
  return new Promise((resolve) => {
    execFile(process.execPath, args, options, (error, stdout, stderr) =>
      resolve({ status: error?.code ?? 0, said: stdout + stderr }),
    );
  });
}

function pages(dir: string): Readonly<Record<string, string>> {
  const files = readdirSync(dir).filter((file) => file.endsWith('.md'));
  return Object.fromEntries(files.map((file) => [file, readFileSync(join(dir, file), 'utf8')]));
}

test('docs/api shows the current exports of the package, each with a comment', async () => {
  const out = mkdtempSync(join(tmpdir(), 'baton-api-'));
  onTestFinished(() => rmSync(out, { recursive: true }));
  expect(await write(out)).toEqual({ status: 0, said: expect.not.stringMatching(/warning|error/i) });
  expect(Object.keys(pages(out))).toEqual(['README.md', 'runtime.md', 'verification.md']);
  expect(pages(out)['runtime.md']).toMatch(/^### joinCluster\(\)$/m);
  // If it is stale, `npm run docs:api` rewrites it.
  expect(pages(join(root, 'docs/api'))).toEqual(pages(out));
});
