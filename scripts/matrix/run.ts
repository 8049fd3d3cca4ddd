/**
 * `npm run test:matrix`: packs this checkout, installs it as a service does, and uses it by each runtime and each tool.
 * Runtimes and tools come from the registry of npm. Prints a table in which each cell is a run; ends with 1 when one of them
 * is not as it should be. Some minutes; `npm run test:matrix -- typescript` runs the rows whose names contain that.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commands, run as runShell } from '../../runtime/testing/credentials.ts';
import { pack, removeProject } from '../build/testing/project.ts';

const versions = {
  node: ['20', '22', '24', '26'],
  typescript: ['5.2', '5.5', '5.9', '6', '7'],
};
/** These run no TLS with a pre-shared key: `joinCluster` refuses a secret there. */
const withoutSecret = new Set(['bun', 'deno']);

const only = process.argv[2] ?? '';

const place = `${process.platform}-${process.arch}`;
const dir = mkdtempSync(join(tmpdir(), 'baton-matrix-'));
const rows: { readonly runtime: string; readonly use: string; readonly result: string; isRight: boolean }[] =
  [];

function npm(cwd: string, ...args: readonly string[]): void {
  mkdirSync(cwd, { recursive: true });
  writeFileSync(join(cwd, 'package.json'), '{ "name": "matrix", "private": true }\n');
  const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--silent', '--prefer-offline'];
  execFileSync('npm', ['install', ...options, ...args], { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Runs `command` in `cwd`; `expected`: what its output must have. */
function check(
  runtime: string,
  use: string,
  cwd: string,
  command: readonly string[],
  expected: RegExp,
): void {
  if (!`${runtime} ${use}`.includes(only)) return;
  const [file = '', ...args] = command;
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    cwd,
    encoding: 'utf8',
    // Only a command that hangs takes so long, however busy the machine is.
    timeout: 900_000,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, CI: 'true', NODE_OPTIONS: undefined },
  });
  const said = `${stdout}\n${stderr}`;
  const isRight = error === undefined && status === 0 && expected.test(said);
  const last = stdout.trim().split('\n').at(-1) ?? '';
  const result = isRight ? (last.startsWith('refused') ? last : 'works') : `FAILED (${error ?? status})`;
  rows.push({ runtime, use, result, isRight });
  process.stdout.write(`${runtime.padEnd(14)} ${use.padEnd(34)} ${result}\n`);
  if (!isRight) process.stdout.write(`${said.trim().replaceAll(/^/gm, '    ')}\n`);
}

try {
  const tarball = await pack();
  const project = join(dir, 'project');
  npm(
    project,
    ...[tarball, 'jest@30', 'vitest@3', 'esbuild', 'webpack@5', 'webpack-cli@6', '@types/node@20'],
    ...versions.typescript.map((version) => `typescript-${version}@npm:typescript@${version}`),
  );
  cpSync(join(import.meta.dirname, 'consumers'), project, { recursive: true });
  // The certificates of SECURITY.md, of the sites a, b and c of the cluster `orders`.
  for (const block of commands().slice(0, 2)) runShell(block, project);

  const runtimes: (readonly [name: string, command: readonly string[]])[] = [];
  for (const version of versions.node) {
    const at = join(dir, `node-${version}`);
    npm(at, `node-${place}@${version}`);
    runtimes.push([`node ${version}`, [join(at, `node_modules/node-${place}/bin/node`)]]);
  }
  const others = join(dir, 'others');
  const libc = process.platform === 'linux' ? '-glibc' : '';
  npm(others, `@oven/bun-${place}`, `@deno/${place}${libc}`);
  for (const file of [`@oven/bun-${place}/bin/bun`, `@deno/${place}${libc}/deno`])
    execFileSync('chmod', ['+x', join(others, 'node_modules', file)]);
  runtimes.push(['bun', [join(others, `node_modules/@oven/bun-${place}/bin/bun`)]]);
  runtimes.push([
    'deno',
    [join(others, `node_modules/@deno/${place}${libc}/deno`), 'run', '-A', '--no-remote'],
  ]);

  const binaries = join(project, 'node_modules');
  execFileSync(
    process.execPath,
    [
      join(binaries, 'esbuild/bin/esbuild'),
      ...['service.mjs', '--bundle', '--platform=node', '--format=esm', '--outfile=by-esbuild.mjs'],
      "--banner:js=import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
      '--log-level=warning',
    ],
    { cwd: project, stdio: 'inherit' },
  );
  const webpack = `module.exports = { mode: 'production', target: 'node', entry: './service.cjs',
    output: { path: __dirname, filename: 'by-webpack.cjs' } };`;
  writeFileSync(join(project, 'webpack.config.cjs'), webpack);
  execFileSync(process.execPath, [join(binaries, 'webpack/bin/webpack.js')], {
    cwd: project,
    stdio: 'ignore',
  });

  for (const [name, command] of runtimes) {
    const works = /^works$/m;
    for (const mode of ['plain', 'disk', 'tls', 'secret']) {
      const isRefused = mode === 'secret' && withoutSecret.has(name);
      const scratch = mkdtempSync(join(dir, 'run-'));
      const expected = isRefused ? /^refused: .*pre-shared key/m : works;
      check(name, `ES modules, ${mode}`, project, [...command, 'service.mjs', mode, scratch], expected);
    }
    check(name, 'CommonJS', project, [...command, 'service.cjs'], works);
    check(name, 'bundled by esbuild', project, [...command, 'by-esbuild.mjs'], works);
    check(name, 'bundled by webpack', project, [...command, 'by-webpack.cjs'], works);
    if (withoutSecret.has(name)) continue;
    const jest = join(binaries, 'jest/bin/jest.js');
    check(name, 'a test of Jest', project, [...command, jest, '--rootDir', '.'], /1 passed/);
    const vitest = join(binaries, 'vitest/vitest.mjs');
    check(name, 'a test of vitest', project, [...command, vitest, 'run', '--globals'], /1 passed/);
  }

  // The types of xstate itself are refused under exactOptionalPropertyTypes, so there libraries are not checked.
  const strictness = {
    'checks libraries': { skipLibCheck: false },
    exactOptionalPropertyTypes: { skipLibCheck: true, exactOptionalPropertyTypes: true },
  };
  for (const version of versions.typescript)
    for (const [module, moduleResolution] of [
      ['node16', 'node16'],
      ['nodenext', 'nodenext'],
      ['esnext', 'bundler'],
    ] as const)
      for (const [how, options] of Object.entries(strictness)) {
        // The types of zod need TypeScript 5.4.
        if (version === '5.2' && !options.skipLibCheck) continue;
        const lib = ['es2022', 'esnext.disposable'];
        const base = { module, moduleResolution, target: 'es2022', lib, types: ['node'] };
        const compilerOptions = { ...base, strict: true, noEmit: true, ...options };
        const config = `tsconfig.${version}.${moduleResolution}.${how.replaceAll(' ', '-')}.json`;
        writeFileSync(join(project, config), JSON.stringify({ compilerOptions, files: ['types.ts'] }));
        const tsc = join(binaries, `typescript-${version}/bin/tsc`);
        const command = [process.execPath, tsc, '-p', config];
        check(`typescript ${version}`, `${moduleResolution}, ${how}`, project, command, /^/);
      }
} finally {
  rmSync(dir, { recursive: true, force: true });
  removeProject();
}
const wrong = rows.filter(({ isRight }) => !isRight);
process.stdout.write(`\n${rows.length - wrong.length} of ${rows.length} are as they should be\n`);
process.exitCode = wrong.length === 0 ? 0 : 1;
