import type { Command } from 'commander';
import type { PrintOptions } from '../config/print.ts';
import { withSiteOptions } from './site.ts';

export function addConfig(program: Command): void {
  withSiteOptions(program.command('config'))
    .summary('print the settings that a site would start with, and the source of each')
    .description(
      'Takes what baton site takes: flags before variables (BATON_...) before the file of --config, in YAML or JSON. ' +
        'Prints every key that was given, its value and where it is from; a secret is not shown. ' +
        'docs/configuration.md has all keys.',
    )
    .option('--json', 'print it as JSON')
    .addHelpText('after', '\nExit status: 0 a site would take it, 2 it is wrong.')
    .action(async (options: PrintOptions) => {
      const { printConfiguration } = await import('../config/print.ts');
      process.exitCode = printConfiguration(options);
    });
}
