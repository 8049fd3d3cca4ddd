import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/*
 * Runs the guide: writes its files, compiles them, types its commands and compares what they print. With UPDATE_GUIDE=1
 * the outputs in the guide are replaced by the real ones, to be read in the diff.
 */

const root = fileURLToPath(new URL('..', import.meta.url));
const guide = join(root, 'docs/model-your-machines.md');
const text = readFileSync(guide, 'utf8');
const update = process.env['UPDATE_GUIDE'] === '1';

/** As deep below the root as the guide says, so that its imports lead where they should. */
let folder = '';

beforeAll(() => {
  mkdirSync(join(root, '.reports'), { recursive: true });
  folder = mkdtempSync(join(root, '.reports/guide-'));
  for (const [, name, code] of text.matchAll(/^```ts\n\/\/ examples\/shop\/(\S+)\n(.*?)^```$/gms)) {
    writeFileSync(join(folder, name!), code!);
  }
  // As it is installed, but for the build.
  const installed = join(folder, 'node_modules/batonlock');
  mkdirSync(installed, { recursive: true });
  const exported = `export * from ${JSON.stringify(join(root, 'verification/index.ts'))};\n`;
  for (const file of ['verification.js', 'verification.d.ts']) writeFileSync(join(installed, file), exported);
  const exports = { './verification': { types: './verification.d.ts', default: './verification.js' } };
  writeFileSync(
    join(installed, 'package.json'),
    JSON.stringify({ name: 'batonlock', type: 'module', exports }),
  );
});

afterAll(() => rmSync(folder, { recursive: true }));

describe('docs/model-your-machines.md', () => {
  test('has only files that the compiler takes', async () => {
    const config = { extends: '../../tsconfig.json', compilerOptions: { types: ['node'] }, include: ['.'] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const { output } = await run('npx', ['tsc', '-p', folder]);
    expect(output).toBe('');
  });

  const commands = [...text.matchAll(/^```text\n\$ npx baton ([^\n]*)\n(.*?)^```$/gms)];
  test('shows commands', () => expect(commands.length).toBeGreaterThan(0));

  test.each(commands.map(([, line, expected]) => ({ line: line!, expected: expected! })))(
    'npx baton $line',
    async ({ line, expected }) => {
      const args = line.split(' ').map((word) => word.replace('examples/shop', folder));
      const { output } = await run(process.execPath, [join(root, 'cli/baton.mjs'), ...args]);
      const shown = steady(output.replaceAll(folder, 'examples/shop'));
      if (update) replaceOutput(line, shown);
      else expect(steady(expected)).toBe(shown);
    },
  );
});

/** Times differ from run to run. */
function steady(output: string): string {
  return `${output.trim().replace(/[0-9.]+ s$/gm, '0.03 s')}\n`;
}

function replaceOutput(line: string, output: string): void {
  const now = readFileSync(guide, 'utf8');
  const start = now.indexOf(`$ npx baton ${line}\n`);
  const end = now.indexOf('\n```', start);
  writeFileSync(guide, `${now.slice(0, start)}$ npx baton ${line}\n${output.trimEnd()}${now.slice(end)}`);
}

function run(file: string, args: readonly string[]): Promise<{ readonly output: string }> {
  const env = { ...process.env, NO_COLOR: '1', npm_config_loglevel: 'silent' };
  return new Promise((resolve, reject) => {
    execFile(file, args, { cwd: root, env }, (error, stdout, stderr) => {
      // A number is the exit status; a command with no output on stdout has failed.
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ output: stdout === '' ? stderr : stdout });
    });
  });
}
