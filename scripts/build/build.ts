import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { emitCommonJs } from './commonjs.ts';
import { emitModules } from './modules.ts';
import { notices } from './notices.ts';
import { emitPage } from './page.ts';
import { emitTypes } from './types.ts';

/** The files by which processes and threads begin. In the checkout these load TypeScript first. */
export function emitEntries(dir: string): void {
  writeFileSync(join(dir, 'cli/baton.mjs'), "#!/usr/bin/env node\nimport './main.js';\n");
  writeFileSync(join(dir, 'verification/checker/packed/worker.mjs'), "import './worker.js';\n");
  writeFileSync(join(dir, 'verification/check/walker.mjs'), "import './walker.js';\n");
}

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Builds the package into `out`, atomically: readers see the previous build or this one. */
export async function build(out: string): Promise<void> {
  const target = resolve(root, out);
  const dir = `${target}.${process.pid}`;
  try {
    const vendored = [
      ...(await emitModules(root, dir)),
      ...(await emitPage(root, join(dir, 'inspector/dist'))),
    ];
    emitTypes(root, dir);
    // leven has no CommonJS.
    await emitCommonJs(root, dir, ['@opentelemetry/api', 'ws', 'xstate', 'zod']);
    emitEntries(dir);
    writeFileSync(join(dir, 'THIRD-PARTY-LICENSES.txt'), notices(vendored));
    rmSync(target, { recursive: true, force: true });
    renameSync(dir, target);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
