import { existsSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { reasonOf } from '../../machines/errors.ts';
import { CheckError, type SystemSource, systemFrom } from '../check/check.ts';
import { UsageError } from '../check/errors.ts';
import { undeclaredEvents } from '../check/machine.ts';
import { exportsOf } from '../check/source.ts';
import { LivenessError } from '../checker/liveness/index.ts';
import { SearchError } from '../checker/packed/index.ts';
import { SymmetryError } from '../checker/symmetry/index.ts';
import { SystemError } from '../system/index.ts';
import { hint } from '../system/shape.ts';
import type { Network, System } from '../system/system.ts';
import { defaultSites, type Options, OptionsError, sourceOf, systems } from './systems.ts';

/** A system, and where another thread finds it again. */
export interface FoundSystem {
  readonly system: System;
  readonly source: SystemSource;
  /** It is a mutant: its states may have no end, so a check stops at the first violation. */
  readonly isMutant?: true;
  /** The types of the events that come with nothing but a type, since the module of a machine declares none. */
  readonly undeclared?: readonly string[];
}

/** The size and the network that a registered system is asked for; absent: 3 sites (a link has 2), fifo. */
export interface SizeOptions {
  readonly sites: number;
  readonly network: Network['order'];
  readonly liveness: boolean;
}

/**
 * The system that `name` stands for: one of the registry, a mutant (`PROTOCOL/NAME`, in the smallest system that refutes it), or the
 * default export of a module. `recorded`: the size of the system that a file was written for; it is used where nothing else is asked for, and a module that exports a
 * system as it is has that size already.
 *
 * @throws `UsageError`
 */
export async function findSystem(
  name: string,
  { sites, network, liveness }: Partial<SizeOptions>,
  recorded: Partial<Pick<SizeOptions, 'sites' | 'network'>> = {},
): Promise<FoundSystem> {
  const options: Options = {
    sites: sites ?? recorded.sites ?? defaultSites[name] ?? 3,
    network: { order: network ?? recorded.network ?? 'fifo' },
    ...(liveness !== undefined && { liveness }),
  };
  if (Object.hasOwn(systems, name)) return found(sourceOf(name, options));
  const path = resolve(name);
  if (!existsSync(path)) {
    const mutant = await findMutant(name, sites !== undefined || network !== undefined);
    if (mutant !== null) return mutant;
    const known = Object.keys(systems).join(', ');
    throw new UsageError(`no system ${name}: it is neither one of ${known} nor the path of a module`);
  }
  const source = { module: pathToFileURL(path).href, options };
  const loaded = await found(source).catch(refuseToLoad(path));
  const exports = await exportsOf(source.module);
  const { default: exported } = exports;
  if (typeof exported !== 'function' && (sites !== undefined || network !== undefined)) {
    throw new UsageError(
      `${name} exports a system as it is: --sites and --network have no say in it; export a function of { sites, network } instead`,
    );
  }
  return { ...loaded, undeclared: undeclaredEvents(exports) };
}

/** The exports of a user's module. Throws `UsageError` when it cannot be loaded. */
export async function loadExports(path: string): Promise<Readonly<Record<string, unknown>>> {
  if (!existsSync(path)) throw new UsageError(`there is no file ${path}`);
  return refusedAsUsage(() => exportsOf(pathToFileURL(path).href)).catch(refuseToLoad(path));
}

const refuseToLoad = (path: string) => (error: unknown) => {
  if (error instanceof UsageError) throw error;
  const { code } = error as NodeJS.ErrnoException;
  const hint = code === 'ERR_UNKNOWN_FILE_EXTENSION' ? '; install tsx beside Baton, or use Node 22.18' : '';
  throw new UsageError(`cannot load ${path}: ${reasonOf(error)}${hint}`);
};

/** `null` where `name` does not begin with a protocol that has mutants. */
async function findMutant(name: string, isSized: boolean): Promise<FoundSystem | null> {
  const protocol = name.slice(0, name.indexOf('/') + 1);
  if (protocol === '') return null;
  // In the package its neighbour ends in `.js`.
  const module = new URL(`./mutant-systems${extname(import.meta.url)}`, import.meta.url).href;
  const { mutantSystems } = (await import(module)) as typeof import('./mutant-systems.ts');
  const ofProtocol = Object.keys(mutantSystems).filter((known) => known.startsWith(protocol));
  if (ofProtocol.length === 0) return null;
  if (name === protocol) {
    const listed = ofProtocol.map((known) => `\n  '${known}'`).join('');
    throw new UsageError(`${name} stands before the name of a mutant. Give one of them:${listed}`);
  }
  if (!ofProtocol.includes(name)) {
    const begun = ofProtocol.filter((known) => known.startsWith(name));
    throw new UsageError(`no mutant ${name}: ${hint(name, begun.length === 0 ? ofProtocol : begun)}`);
  }
  if (isSized) {
    throw new UsageError(
      `the mutant ${name} has the sites and the network that show it: leave out --sites and --network`,
    );
  }
  return { ...(await found({ module, export: 'mutantSystemOf', options: name })), isMutant: true };
}

async function found(source: SystemSource): Promise<FoundSystem> {
  return { source, system: await refusedAsUsage(() => systemFrom(source)) };
}

const refusals = [SystemError, OptionsError, CheckError, SearchError, LivenessError, SymmetryError] as const;

/** An error with a code of the rooms is, for the user of a command, a wrong use. */
export async function refusedAsUsage<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // The error of another thread has the name of its class, and not the class.
    if (error instanceof Error && refusals.some(({ name }) => error.name === name)) {
      throw new UsageError(reasonOf(error));
    }
    throw error;
  }
}
