import type { ModelSource, Sourced } from '../checker/packed/index.ts';
import { compile } from '../system/index.ts';
import type { System } from '../system/system.ts';
import { isMachine } from '../system/tree/places.ts';
import { CheckError } from './errors.ts';
import { machineIn, systemOf } from './machine.ts';
import { type Asking, onlyAsked, questions } from './questions.ts';

/** The module in which a thread finds a system: it exports a `System`, or a function that returns one. */
export interface SystemSource {
  /** The URL of the module. */
  readonly module: string;
  /** The name of the export. Default: `default`. */
  readonly export?: string;
  /** The argument of the function, as plain data. */
  readonly options?: unknown;
}

/**
 * Throws `CheckError` with code `SOURCE_INVALID`, and any error of loading the module or calling the
 * function.
 */
export async function systemFrom({
  module,
  export: name = 'default',
  options,
}: SystemSource): Promise<System> {
  return systemIn(await exportsOf(module), name, options, module);
}

/**
 * The system that a module exports under `name`: a `System`, the result of a function that gives one, or the system of
 * its only machine. Throws `CheckError` with code `SOURCE_INVALID`. `module` names it in the error.
 */
export function systemIn(
  exports: Readonly<Record<string, unknown>>,
  name = 'default',
  options?: unknown,
  module = 'the module',
): System {
  const exported = exports[name];
  const system: unknown = typeof exported === 'function' ? exported(options) : exported;
  const keys = ['name', 'actors', 'network', 'properties'];
  // A system that lacks a key gets an exact error later, in the check.
  if (typeof system === 'object' && system !== null && keys.filter((key) => key in system).length >= 3) {
    return system as System;
  }
  // Machines beside a system are parts of it. A module without a system has one machine, which is checked.
  const machine = name === 'default' && typeof exported !== 'function' ? machineIn(exports) : null;
  if (machine !== null) return systemOf(machine, exports);
  throw new CheckError(
    'SOURCE_INVALID',
    `Expected \`${name}\` of ${module} to be a System, { ${keys.join(', ')} }, a function that gives one, or a machine of XState.`,
  );
}

/** Returns the exports of a module, TypeScript included. */
export async function exportsOf(module: string): Promise<Readonly<Record<string, unknown>>> {
  loaded ??= loadTypeScript();
  await loaded;
  const exports: Readonly<Record<string, unknown>> = await import(module);
  const { default: whole, ...named } = exports;
  // A CommonJS module has all of its exports in its default, and only some of them by name.
  const isCommonJs = typeof whole === 'object' && whole !== null && Object.values(whole).some(isMachine);
  return isCommonJs ? { ...whole, ...named } : exports;
}

let loaded: Promise<void> | undefined;

/** Loads TypeScript with tsx if it is installed. Without tsx, Node takes TypeScript from 22.18 on. */
async function loadTypeScript(): Promise<void> {
  try {
    // In a checkout tsx is active already.
    if (import.meta.url.endsWith('.js')) (await import('tsx/esm/api')).register();
    // For TypeScript outside a package of type "module", which Node treats as CommonJS.
    (await import('tsx/cjs/api')).register();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
  }
}

/** Returns the source for the engine's threads: the model and predicates to explore and judge. */
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
