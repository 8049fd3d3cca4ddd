import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { reasonOf } from '../../machines/errors.ts';
import { UsageError } from '../../verification/check/errors.ts';
import type { PageFile } from './server.ts';

const inspector = fileURLToPath(new URL('..', import.meta.url));
const dist = join(inspector, 'dist');
const server = join(inspector, 'server');

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * The files of the built page, by path. Builds it first where it is not there or older than its source.
 *
 * @throws `UsageError` when it must be built and cannot.
 */
export async function builtPage(say: (text: string) => void): Promise<ReadonlyMap<string, PageFile>> {
  if (isStale()) await build(say);
  const files = new Map<string, PageFile>();
  for (const path of filesBelow(dist)) {
    const type = types[extname(path)];
    if (type !== undefined) files.set(path.slice(dist.length), { type, body: readFileSync(path) });
  }
  return files;
}

async function build(say: (text: string) => void): Promise<void> {
  say('building the page (once) ...');
  let vite: string;
  try {
    vite = join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin/vite.js');
  } catch {
    throw new UsageError('the page is not built, and Vite is not there to build it: npm install, then again');
  }
  // Another process may build the page at the same time: the last one puts the same page there.
  const outDir = `${dist}.${process.pid}`;
  const args = [vite, 'build', inspector, '--outDir', outDir, '--logLevel', 'error'];
  // A process of its own: Vite and React look at NODE_ENV, which may say that this one is a test.
  const options = { cwd: inspector, env: { ...process.env, NODE_ENV: 'production' } };
  try {
    await promisify(execFile)(process.execPath, args, options);
  } catch (error) {
    throw new UsageError(`the page cannot be built: ${reasonOf(error)}`);
  }
  rmSync(dist, { recursive: true, force: true });
  renameSync(outDir, dist);
}

/** Whether there is no page, or one that is older than its sources. */
function isStale(): boolean {
  const built = join(dist, 'index.html');
  if (!existsSync(built)) return true;
  // In a package there is the page alone, as it was built.
  if (!existsSync(join(inspector, 'vite.config.ts'))) return false;
  const since = statSync(built).mtimeMs;
  return filesBelow(inspector).some((path) => isSource(path) && statSync(path).mtimeMs > since);
}

function isSource(path: string): boolean {
  return !path.startsWith(dist) && !path.startsWith(server) && !/\.test\.ts$|\/testing\//.test(path);
}

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
