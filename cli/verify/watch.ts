import { spawn } from 'node:child_process';
import { existsSync, watch } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UsageError } from '../../verification/check/errors.ts';
import { interruptible } from '../interrupt.ts';

/** Editors write a file in several steps. */
const restMs = 100;

/**
 * Runs the command line again, without `--watch`, whenever a file in the module's folder or below changes.
 * Each run has a process of its own, because a process loads a module once. A run that has not ended by then
 * is ended. Ctrl-C ends the watching.
 */
export async function watchAndRun(system: string, argv: readonly string[]): Promise<void> {
  const path = resolve(system);
  if (!existsSync(path)) throw new UsageError(`--watch needs the path of a module, and ${system} is none`);
  const args = argv.slice(1).filter((word) => word !== '--watch');
  let child = run(args);
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(dirname(path), { recursive: true }, (_, name) => {
    if (name === null || /(^|[\\/])(node_modules|\.[^\\/]*)([\\/]|$)/.test(name)) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      child.kill();
      process.stdout.write(`\n${name} has changed\n\n`);
      child = run(args);
    }, restMs);
  });
  await interruptible(
    (signal) => new Promise<void>((stop) => signal.addEventListener('abort', () => stop(), { once: true })),
  );
  watcher.close();
  clearTimeout(timer);
  child.kill();
}

function run(args: readonly string[]) {
  return spawn(process.execPath, [...process.execArgv, ...args], { stdio: 'inherit' });
}
