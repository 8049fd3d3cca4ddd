import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { sources } from './sources.ts';

/**
 * Emits one JavaScript module for each TypeScript module. So each exists once, whichever way it is imported,
 * and modules that name their neighbours by URL find them. Packages that `dependencies` does not name become
 * a part of the package: the command needs them, and services that embed the lock do not load them. Returns
 * the files of other packages.
 */
export async function emitModules(root: string, dir: string): Promise<string[]> {
  const { dependencies, peerDependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  ) as Record<'dependencies' | 'peerDependencies', Record<string, string>>;
  const outside = Object.keys({ ...dependencies, ...peerDependencies });
  const bundle = await rolldown({
    cwd: root,
    // Every module may be imported by name.
    input: Object.fromEntries(sources(root).map((file) => [file.replace(/\.m?ts$/, ''), join(root, file)])),
    external: (id) => outside.some((name) => id === name || id.startsWith(`${name}/`)),
    platform: 'node',
    // Node 20.11 has the variables that CommonJS modules among them need.
    transform: { define: { __filename: 'import.meta.filename', __dirname: 'import.meta.dirname' } },
  });
  const { output } = await bundle.write({
    dir,
    format: 'esm',
    preserveModules: true,
    preserveModulesRoot: root,
    entryFileNames: ({ name }) => `${vendored(name)}.js`,
    chunkFileNames: ({ name }) => `${vendored(name)}.js`,
  });
  await bundle.close();
  return output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : [])).filter(isForeign);
}

export function isForeign(file: string): boolean {
  return file.includes('/node_modules/');
}

/** No package may contain a folder `node_modules`. */
function vendored(name: string): string {
  return name.replace(/^.*?node_modules\//, 'vendor/').replaceAll('/node_modules/', '/vendor/');
}
