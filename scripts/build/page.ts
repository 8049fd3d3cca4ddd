import { join } from 'node:path';
import { build } from 'vite';
import { isForeign } from './modules.ts';

/** Builds the inspector's page. Returns the files of other packages that it contains. */
export async function emitPage(root: string, outDir: string): Promise<string[]> {
  // React reads this variable, and it decides which React is built in.
  process.env['NODE_ENV'] = 'production';
  const result = await build({ root: join(root, 'inspector'), build: { outDir }, logLevel: 'error' });
  const outputs = [result].flat().flatMap((built) => ('output' in built ? built.output : []));
  return outputs.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : [])).filter(isForeign);
}
