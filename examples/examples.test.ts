import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const readme = readFileSync(join(root, 'examples/README.md'), 'utf8');

/** Runs the same command as `npm run example:<name>`. */
function example(
  name: string,
  ...args: string[]
): Promise<{ status: unknown; stdout: string; stderr: string }> {
  expect(readme).toContain(`\nnpm run example:${name}\n`);
  const [node, ...words] = (scripts[`example:${name}`] as string).split(' ');
  expect(node).toBe('node');
  return new Promise((resolve) => {
    execFile(process.execPath, [...words, ...args], { cwd: root, timeout: 50_000 }, (error, stdout, stderr) =>
      resolve({ status: error?.code ?? 0, stdout, stderr }),
    );
  });
}

/** The value after `title` in the last lines. */
function told(stdout: string, title: string): string {
  return new RegExp(`^${title} +(.*)$`, 'm').exec(stdout)?.[1] ?? `no ${title} in ${stdout}`;
}

test.concurrent('invoices: no number is doubled, and the late write is refused', async () => {
  const { status, stdout, stderr } = await example('invoices', '--seconds', '2');
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^b is stopped .*\n.*b goes on/m);
  expect(stdout).toMatch(/^b answers 409: a critical section after \(0, \d+\) has begun$/m);
  expect(told(stdout, 'doubled')).toBe('0');
  expect(told(stdout, 'late writes')).toBe('1 refused');
  expect(Number(told(stdout, 'invoices'))).toBeGreaterThan(5);
  expect(status).toBe(0);
});

test.concurrent('invoices without the fence: the late write is taken, and a number is doubled', async () => {
  const { status, stdout } = await example('invoices', '--seconds', '2', '--no-fence');
  expect(told(stdout, 'doubled')).toBe('1  (--no-fence)');
  expect(told(stdout, 'late writes')).toBe('0 refused');
  expect(status).toBe(1);
});

test.concurrent('cron: another leads when the leader is killed, and the third when that one ends', async () => {
  const { status, stdout, stderr } = await example('cron', '--seconds', '2');
  expect(stderr).toBe('');
  expect(told(stdout, 'leaders').split(', then ').sort()).toEqual(['a', 'b', 'c']);
  expect(told(stdout, 'out of turn')).toBe('0');
  expect(status).toBe(0);
});

test('fleet: no deposit is lost', async () => {
  const { status, stdout, stderr } = await example('fleet', '--seconds', '1');
  expect(stderr).toBe('');
  expect(told(stdout, 'lost')).toBe('0');
  expect(told(stdout, 'deposits')).toMatch(/^\d+: a \d+, b \d+, c \d+, d \d+$/);
  expect(status).toBe(0);
});
