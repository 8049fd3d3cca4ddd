import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Plugin, rolldown } from 'rolldown';
import type { AnyStateMachine } from 'xstate';
import * as xstate from './xstate.ts';
import { cases, ended, globalsOfTests, made } from './xstate.ts';

/** Makes a module of another application give its machines. */
export interface Loading {
  /** Modules that it imports and that are left out: no machine uses their exports. */
  readonly without?: readonly string[];
  /** It is a test of XState: each of its cases is run as far as to where it creates an actor, and nothing is expected. */
  readonly isTest?: boolean;
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
    if (loading.isTest) Object.assign(globalThis, globalsOfTests, { xstateOfCorpus: xstate });
    try {
      await import(pathToFileURL(output).href);
    } catch (error) {
      if (error !== ended) throw error;
    }
    for (const run of cases.splice(0)) await runAsFar(run);
    return [...made];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const nothing = '\0nothing';
const insides = '\0insides';
const scripts = ['.ts', '.tsx', '.js', '.jsx', '.mjs', '.cjs', '.mts', '.cts', '.json'];

/** Runs a case for its machines alone: a case that fails, or does not end, has created them all the same. */
async function runAsFar(run: () => unknown): Promise<void> {
  const pause = new Promise((resolve) => setTimeout(resolve, 20));
  const outcome = new Promise((resolve) => resolve(run())).catch(() => 'failed');
  await Promise.race([outcome, pause]);
}

function standIns({ without = [], isTest = false }: Loading): Plugin {
  return {
    name: 'stand-ins',
    resolveId(source, importer) {
      if (importer === undefined) return null;
      if (isTest && (source === 'vitest' || /^\.\.\/src\b/.test(source))) return insides;
      if (source === 'xstate') return { id: join(import.meta.dirname, 'xstate.ts'), external: true };
      if (without.includes(source)) return nothing;
      if (source.startsWith('node:')) return { id: source, external: true };
      if (!source.startsWith('.')) return nothing;
      return moduleAt(resolve(dirname(importer), source)) ?? nothing;
    },
    load: (id) => {
      if (id === nothing) return { code: anything, moduleType: 'js' };
      return id === insides ? { code: insidesOf, moduleType: 'js' } : null;
    },
  };
}

/** The script that a relative import names, or `null`. */
function moduleAt(path: string): string | null {
  const candidates = [
    path,
    ...scripts.flatMap((ending) => [`${path}${ending}`, join(path, `index${ending}`)]),
  ];
  // TypeScript lets an import name the compiled file.
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

/** XState as its own tests import it, by part; a missing export is replaced by a stand-in. */
const insidesOf = `
${anything}
const xstate = globalThis.xstateOfCorpus;
const target2 = new Proxy({}, { get: (_, key) => (key === '__esModule' ? true : key in xstate ? xstate[key] : self), getPrototypeOf: () => target2 });
module.exports = target2;
`;
