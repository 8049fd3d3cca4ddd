import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Plugin, rolldown } from 'rolldown';
import type { AnyStateMachine } from 'xstate';
import { ended, made } from './xstate.ts';

/** How a module of somebody else's application is made to give its machines. */
export interface Loading {
  /** Modules that it imports and that are left out: what they export is never used by a machine. */
  readonly without?: readonly string[];
}

/**
 * The machines that a module makes, in order, also those that it does not export. The module is run as far as to where it
 * creates an actor; packages that are not installed, styles and pictures are left out.
 */
export async function machinesMadeIn(
  file: string,
  loading: Loading = {},
): Promise<readonly AnyStateMachine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'baton-corpus-'));
  try {
    const bundle = await rolldown({
      input: resolve(file),
      tsconfig: false,
      plugins: [standIns(loading)],
      platform: 'node',
      logLevel: 'silent',
    });
    const output = join(folder, 'module.mjs');
    await bundle.write({ file: output, format: 'esm', codeSplitting: false });
    made.length = 0;
    try {
      await import(pathToFileURL(output).href);
    } catch (error) {
      if (error !== ended) throw error;
    }
    return [...made];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const nothing = '\0nothing';
const scripts = ['.ts', '.tsx', '.js', '.jsx', '.mjs', '.cjs', '.mts', '.cts', '.json'];

function standIns({ without = [] }: Loading): Plugin {
  return {
    name: 'stand-ins',
    resolveId(source, importer) {
      if (importer === undefined) return null;
      if (source === 'xstate') return { id: join(import.meta.dirname, 'xstate.ts'), external: true };
      if (without.includes(source)) return nothing;
      if (source.startsWith('node:')) return { id: source, external: true };
      if (!source.startsWith('.')) return nothing;
      return moduleAt(resolve(dirname(importer), source)) ?? nothing;
    },
    load: (id) => (id === nothing ? { code: anything, moduleType: 'js' } : null),
  };
}

/** The script that a relative import names, or `null`. */
function moduleAt(path: string): string | null {
  const candidates = [
    path,
    ...scripts.flatMap((ending) => [`${path}${ending}`, join(path, `index${ending}`)]),
  ];
  // TypeScript lets a module be imported under the name of what it is compiled to.
  if (extname(path) === '.js') candidates.push(`${path.slice(0, -3)}.ts`, `${path.slice(0, -3)}.tsx`);
  const found = candidates.find((candidate) => existsSync(candidate) && statSync(candidate).isFile());
  return found !== undefined && scripts.includes(extname(found)) ? found : null;
}

/** Can be called, constructed, read and extended; gives itself. As CommonJS it has every name. */
const anything = `
const target = function () {};
const self = new Proxy(target, {
  get: (_, key) => (key === '__esModule' ? true : key === Symbol.toPrimitive ? () => '' : key === 'prototype' ? target.prototype : self),
  getPrototypeOf: () => self,
  apply: () => self,
  construct: () => self,
});
module.exports = self;
`;
