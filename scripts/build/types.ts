import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The declarations of what `exports` names, by the compiler. Throws with what it says. */
export function emitTypes(root: string, dir: string): void {
  const compiler = join(
    dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
    'bin/tsc',
  );
  execFileSync(
    process.execPath,
    [compiler, '-p', join(root, 'scripts/build/tsconfig.json'), '--outDir', dir],
    {
      stdio: ['ignore', process.stderr.fd, 'inherit'],
    },
  );
  for (const file of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.d.ts')) continue;
    const path = join(dir, file);
    // The compiler rewrites the endings of imports in modules, and leaves them in declarations.
    const text = readFileSync(path, 'utf8').replaceAll(
      /((?:from |import\()["']\.[^"']*)\.ts(["'])/g,
      '$1.js$2',
    );
    writeFileSync(path, text);
  }
}
