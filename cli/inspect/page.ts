import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../exit.ts';
import type { PageFile } from './server.ts';

const inspector = fileURLToPath(new URL('../../inspector', import.meta.url));
const dist = join(inspector, 'dist');

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
  let vite: typeof import('vite');
  try {
    vite = await import('vite');
  } catch {
    throw new UsageError('the page is not built, and Vite is not there to build it: npm install, then again');
  }
  await vite.build({ root: inspector, configFile: join(inspector, 'vite.config.ts'), logLevel: 'error' });
}

/** Is there no page, or one that is older than what it is made of? */
function isStale(): boolean {
  const built = join(dist, 'index.html');
  if (!existsSync(built)) return true;
  const since = statSync(built).mtimeMs;
  return filesBelow(inspector).some((path) => !path.startsWith(dist) && statSync(path).mtimeMs > since);
}

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
