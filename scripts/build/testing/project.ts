import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const checkout = fileURLToPath(new URL('../../..', import.meta.url));

const scratch = mkdtempSync(join(tmpdir(), 'baton-package-'));
export const project = join(scratch, 'project');

export function removeProject(): void {
  rmSync(scratch, { recursive: true, force: true });
}

/** Packs the current checkout as `npm publish` would. Returns the path of the tarball. */
export async function pack(): Promise<string> {
  const staged = join(scratch, 'staged');
  for (const file of [
    'package.json',
    'README.md',
    'LICENSE',
    'CHANGELOG.md',
    '.gitignore',
    'cli/baton.mjs',
  ]) {
    mkdirSync(dirname(join(staged, file)), { recursive: true });
    cpSync(join(checkout, file), join(staged, file));
  }
  // Builds beside the build of this checkout, which other processes may be reading.
  await inCheckout('node', '--import', 'tsx', 'scripts/build/run.ts', join(staged, 'dist'));
  const { stdout } = await run(
    staged,
    'npm',
    'pack',
    '--ignore-scripts',
    '--silent',
    '--pack-destination',
    scratch,
  );
  return join(scratch, stdout.trim());
}

/** Creates an empty project with `tarball` installed and, for its compiler, the checkout's packages. */
export async function install(tarball: string): Promise<void> {
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "name": "project", "private": true, "type": "module" }\n');
  await run(project, 'npm', 'install', tarball, '--prefer-offline', '--no-audit', '--no-fund', '--silent');
  mkdirSync(join(project, 'node_modules/@types'));
  for (const name of ['typescript', '@types/node', 'undici-types', 'tsx', 'esbuild', 'get-tsconfig'])
    symlinkSync(join(checkout, 'node_modules', name), join(project, 'node_modules', name));
}

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function inProject(file: string, ...args: readonly string[]): Promise<Ran> {
  return run(project, file, ...args);
}

/** Rejects when the program ends with a status other than 0. */
async function inCheckout(file: string, ...args: readonly string[]): Promise<void> {
  const { status, stderr } = await run(checkout, file, ...args);
  if (status !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${status}: ${stderr}`);
}

async function run(cwd: string, file: string, ...args: readonly string[]): Promise<Ran> {
  const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, GITHUB_ACTIONS: undefined };
  try {
    return { status: 0, ...(await promisify(execFile)(file, args, { cwd, env })) };
  } catch (error) {
    const { code, stdout, stderr } = error as Ran & { code?: unknown };
    if (typeof code !== 'number') throw error;
    return { status: code, stdout, stderr };
  }
}

/**
 * The JavaScript modules reachable from a module of the project, including itself, and the packages they
 * name.
 */
export function reachableFrom(module: string): {
  readonly files: ReadonlySet<string>;
  readonly packages: ReadonlySet<string>;
} {
  const files = new Set([join(project, 'node_modules/batonlock', module)]);
  const packages = new Set<string>();
  for (const file of files) {
    const imports = readFileSync(file, 'utf8').matchAll(
      /(?:^|\n)(?:import|export)[^;]*?["']([^"'\n]+)["'];|\bimport\(["']([^"']+)["']\)/g,
    );
    for (const [, fixed, dynamic] of imports) {
      const name = (fixed ?? dynamic)!;
      if (name.startsWith('.')) files.add(join(dirname(file), name));
      else if (!name.startsWith('node:'))
        packages.add(
          name
            .split('/')
            .slice(0, name.startsWith('@') ? 2 : 1)
            .join('/'),
        );
    }
  }
  return { files, packages };
}
