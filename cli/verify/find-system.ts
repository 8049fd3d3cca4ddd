import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SystemError } from '../../verification/system/index.ts';
import type { System } from '../../verification/system/system.ts';
import { type Options, OptionsError, systems } from '../../verification/systems.ts';
import { reasonOf, UsageError } from '../exit.ts';
import type { VerifyOptions } from './options.ts';

/** The system that `name` stands for: of the registry, or the default export of a module. Throws `UsageError`. */
export async function findSystem(name: string, { sites, network }: VerifyOptions): Promise<System> {
  const options: Options = { sites: sites ?? 3, network: { order: network ?? 'fifo' } };
  if (Object.hasOwn(systems, name)) return refusedAsUsage(async () => systems[name]!(options));
  const path = resolve(name);
  if (!existsSync(path)) {
    const known = Object.keys(systems).join(', ');
    throw new UsageError(`no system ${name}: it is neither one of ${known} nor the path of a module`);
  }
  const exported = await importDefault(path);
  if (typeof exported === 'function') {
    return systemOrRefuse(
      name,
      await refusedAsUsage(async () => (exported as (given: Options) => unknown)(options)),
    );
  }
  const system = systemOrRefuse(name, exported);
  if (sites !== undefined || network !== undefined) {
    throw new UsageError(
      `${name} exports a system as it is: --sites and --network have no say in it; export a function of { sites, network } instead`,
    );
  }
  return system;
}

/** What the rooms refuse by code is, for whoever typed it, a wrong use. */
export async function refusedAsUsage<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SystemError || error instanceof OptionsError) {
      throw new UsageError(`${error.code}: ${error.message}`);
    }
    throw error;
  }
}

async function importDefault(path: string): Promise<unknown> {
  // For TypeScript outside of a package of type "module", which Node takes for CommonJS.
  const { register } = await import('tsx/cjs/api');
  register();
  try {
    return ((await import(pathToFileURL(path).href)) as { default?: unknown }).default;
  } catch (error) {
    throw new UsageError(`cannot load ${path}: ${reasonOf(error)}`);
  }
}

function systemOrRefuse(name: string, value: unknown): System {
  const keys = ['name', 'actors', 'network', 'properties'];
  if (typeof value === 'object' && value !== null && keys.every((key) => key in value))
    return value as System;
  throw new UsageError(
    `the default export of ${name} is no System: expected { ${keys.join(', ')} } or a function that gives one`,
  );
}
