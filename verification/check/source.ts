import type { ModelSource, Sourced } from '../checker/packed/index.ts';
import { compile } from '../system/index.ts';
import type { System } from '../system/system.ts';
import { isMachine } from '../system/tree/places.ts';
import { CheckError } from './errors.ts';
import { machineIn, systemOf } from './machine.ts';
import { type Asking, onlyAsked, questions } from './questions.ts';

/** Where a thread finds a system again: a `System` that a module exports, or a function that gives one. */
export interface SystemSource {
  /** Its URL. */
  readonly module: string;
  /** Default: `default`. */
  readonly export?: string;
  /** The argument of the function: plain data. */
  readonly options?: unknown;
}

/** Throws `CheckError` with code `SOURCE_INVALID`, and whatever loading the module or calling the function throws. */
export async function systemFrom({
  module,
  export: name = 'default',
  options,
}: SystemSource): Promise<System> {
  const exports = await exportsOf(module);
  const exported = exports[name];
  const system: unknown = typeof exported === 'function' ? exported(options) : exported;
  const keys = ['name', 'actors', 'network', 'properties'];
  // One that lacks a key is told what is wrong with it when it is checked.
  if (typeof system === 'object' && system !== null && keys.filter((key) => key in system).length >= 3) {
    return system as System;
  }
  // The machines beside a system are parts of it; without a system, the one machine is checked.
  const machine = name === 'default' && typeof exported !== 'function' ? machineIn(exports) : null;
  if (machine !== null) return systemOf(machine, exports);
  throw new CheckError(
    'SOURCE_INVALID',
    `Expected \`${name}\` of ${module} to be a System, { ${keys.join(', ')} }, a function that gives one, or a machine of XState.`,
  );
}

/** The exports of a module, also of one in TypeScript. */
export async function exportsOf(module: string): Promise<Readonly<Record<string, unknown>>> {
  loaded ??= loadTypeScript();
  await loaded;
  const exports: Readonly<Record<string, unknown>> = await import(module);
  const { default: whole, ...named } = exports;
  // A CommonJS module has all of it as its default, and only some by name.
  const isCommonJs = typeof whole === 'object' && whole !== null && Object.values(whole).some(isMachine);
  return isCommonJs ? { ...whole, ...named } : exports;
}

let loaded: Promise<void> | undefined;

/**
 * Loads TypeScript by tsx, where it is installed. Otherwise Node takes TypeScript from 22.18 on, and refuses it
 * before.
 */
async function loadTypeScript(): Promise<void> {
  try {
    // In a checkout it is at work already.
    if (import.meta.url.endsWith('.js')) (await import('tsx/esm/api')).register();
    // For TypeScript outside of a package of type "module", which Node takes for CommonJS.
    (await import('tsx/cjs/api')).register();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
  }
}

/** The same for the engine: what its threads explore and judge. */
export function modelSource(source: SystemSource, asking: Asking): ModelSource {
  return { module: import.meta.url, export: 'sourced', args: { source, asking } };
}

export async function sourced({
  source,
  asking,
}: {
  source: SystemSource;
  asking: Asking;
}): Promise<Sourced> {
  return questions(compile(onlyAsked(await systemFrom(source), asking.only), asking), asking);
}
