import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Emits the declarations of all `exports` with the compiler. Throws with the compiler's messages. */
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
    // The compiler rewrites the extensions of imports in modules, but not in declarations.
    const text = readFileSync(path, 'utf8').replaceAll(
      /((?:from |import\()["']\.[^"']*)\.ts(["'])/g,
      '$1.js$2',
    );
    writeFileSync(path, text);
  }
}
