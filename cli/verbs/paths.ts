import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import { wholeNumber } from '../options.ts';

interface PathsOptions {
  readonly pairs?: boolean;
  readonly maxStates?: number;
}

export function addPaths(program: Command): void {
  program
    .command('paths')
    .summary('write tests that take every transition of a machine')
    .description(
      'Prints a Vitest file for a module that exports a machine of XState: a shortest path to each transition, taken with ' +
        'the actor that XState makes of it, and the state and context that the model expects after each step.',
    )
    .argument('<file>', 'a module that exports one machine')
    .option('--pairs', 'a path to each two transitions that can follow one another')
    .option('--max-states <n>', 'how many states to look at; default: 100,000', wholeNumber(1, 1e9))
    .addHelpText('after', '\nExit status: 0 it was printed, 2 wrong usage.')
    .action(async (file: string, options: PathsOptions) => {
      const [{ machineIn }, { pathsOf, testsOf }, { UsageError }, { loadExports, refusedAsUsage }] =
        await Promise.all([
          import('../../verification/check/machine.ts'),
          import('../../verification/check/paths.ts'),
          import('../../verification/check/errors.ts'),
          import('../../verification/protocols/find-system.ts'),
        ]);
      const exports = await loadExports(resolve(file));
      const paths = await refusedAsUsage(async () => {
        const machine = machineIn(exports);
        if (machine === null) throw new UsageError(`${file} exports no machine of XState`);
        return pathsOf(machine, exports, options);
      });
      process.stdout.write(testsOf(paths, `./${basename(file)}`, 'batonlock/verification'));
    });
}
