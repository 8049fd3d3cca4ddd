import { resolve } from 'node:path';
import type { Command } from 'commander';

export function addOutline(program: Command): void {
  program
    .command('outline')
    .summary('write down what baton verify must know of a machine')
    .description(
      'Prints what a module that exports a machine of XState must export beside it, so that baton verify can check it ' +
        'alone: what may come of each promise, callback and observable, and the events from outside. To be filled in.',
    )
    .argument('<file>', 'a module that exports one machine')
    .addHelpText('after', '\nExit status: 0 it was printed, 2 wrong usage.')
    .action(async (file: string) => {
      const [{ machineIn, outlineOf }, { UsageError }, { loadExports, refusedAsUsage }] = await Promise.all([
        import('../../verification/check/machine.ts'),
        import('../../verification/check/errors.ts'),
        import('../../verification/protocols/find-system.ts'),
      ]);
      const exports = await loadExports(resolve(file));
      const machine = await refusedAsUsage(async () => machineIn(exports));
      if (machine === null) throw new UsageError(`${file} exports no machine of XState`);
      process.stdout.write(outlineOf(machine));
    });
}
