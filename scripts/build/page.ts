import { join } from 'node:path';
import { build } from 'vite';
import { isForeign } from './modules.ts';

/** The inspector's page, built. Gives the files of others that it consists of. */
export async function emitPage(root: string, outDir: string): Promise<string[]> {
  // React looks at it, and so which React is built in.
  process.env['NODE_ENV'] = 'production';
  const result = await build({ root: join(root, 'inspector'), build: { outDir }, logLevel: 'error' });
  const outputs = [result].flat().flatMap((built) => ('output' in built ? built.output : []));
  return outputs.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : [])).filter(isForeign);
}
