import { cpSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';

/** Rooms whose declarations the lock's own need. */
const rooms = ['machines', 'statechart', 'runtime'];

/**
 * Emits the lock, without the checker, as CommonJS: one module, and those that it loads when they are needed. Modules
 * that are no dependency of the package, or have no CommonJS, become a part of it. The declarations are those of the
 * ES modules, in a directory that says which kind of module it holds. Called when those are there.
 */
export async function emitCommonJs(root: string, dir: string, outside: readonly string[]): Promise<void> {
  const bundle = await rolldown({
    cwd: root,
    input: { index: join(root, 'runtime/index.ts') },
    external: (id) => outside.some((name) => id === name || id.startsWith(`${name}/`)),
    platform: 'node',
  });
  const out = join(dir, 'cjs');
  await bundle.write({
    dir: join(out, 'runtime'),
    format: 'cjs',
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
  });
  await bundle.close();
  for (const room of rooms)
    for (const file of readdirSync(join(dir, room), { recursive: true, encoding: 'utf8' }))
      if (file.endsWith('.d.ts')) cpSync(join(dir, room, file), join(out, room, file));
  writeFileSync(join(out, 'package.json'), '{ "type": "commonjs" }\n');
}
