import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sources } from '../../scripts/build/sources.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const reports = join(root, '.reports');
const program = join(root, 'scripts/build/testing/modules.ts');

/** Verbs that load no module of their caller. */
const verbs: ReadonlySet<string> = new Set(['site', 'locks', 'members', 'config', 'demo', 'chaos', 'replay']);

/** Age of what earlier sources became, after which it is removed: another run may still load it. */
const keptMs = 3_600_000;

let built: string | null = null;

/**
 * `baton` as JavaScript, as it is in the package. A process of it starts in a third of the CPU that it takes to load TypeScript.
 * It is emitted again where a source has changed.
 */
export function builtBaton(): string {
  built ??= emitted();
  return built;
}

/** Whether the built command can run this command line: it knows no page, and no sources of this checkout. */
export function runsBuilt([verb, ...rest]: readonly string[]): boolean {
  return verb !== undefined && verbs.has(verb) && !rest.includes('--inspect');
}

function emitted(): string {
  const name = `modules-${fingerprint()}`;
  const dir = join(reports, name);
  const entry = join(dir, 'cli/baton.mjs');
  if (existsSync(entry)) return entry;
  const made = `${dir}.${process.pid}`;
  try {
    execFileSync(process.execPath, ['--import', 'tsx', program, made], { cwd: root });
    // Another process may emit the same at the same time: the first one stays, for processes load from it.
    if (!existsSync(entry)) renameSync(made, dir);
  } catch (error) {
    if (!existsSync(entry)) throw error;
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  for (const other of readdirSync(reports))
    if (/^modules-/.test(other) && statSync(join(reports, other)).mtimeMs < Date.now() - keptMs)
      rmSync(join(reports, other), { recursive: true, force: true });
  return entry;
}

/** Equal as long as no source has changed. */
function fingerprint(): string {
  const hash = createHash('sha1');
  for (const file of [...sources(root), 'package-lock.json', 'scripts/build/modules.ts']) {
    const { mtimeMs, size } = statSync(join(root, file));
    hash.update(`${file} ${mtimeMs} ${size}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}
