import type { Command } from 'commander';
import { type ExitStatus, exitStatus } from '../exit.ts';
import { interruptible } from '../interrupt.ts';
import { wholeNumber } from '../options.ts';
import { liveView, proseStream, writeJson } from '../output.ts';

interface Options {
  readonly sites: number;
  readonly changes?: number;
  readonly json?: string;
}

export function addConform(program: Command): void {
  program
    .command('conform')
    .summary('drive every transition of the model on sites that run')
    .description(
      'Takes every transition of the explored graph of the lock that runs (epoch), in the order of the model, on sites in this ' +
        'process that speak over TCP. Each message is held back until the model delivers it. After each step every site and all ' +
        'that is on its way must be as in the model.',
    )
    .option('--sites <n>', 'how many sites', wholeNumber(2, 3), 2)
    .option(
      '--changes <n>',
      'how many epochs may be begun after the first (default: 1 with two sites, 0 with three)',
      wholeNumber(0, 2),
    )
    .option('--json <file>', 'write the figures as JSON; - for standard output, and nothing else there')
    .addHelpText('after', '\nExit status: 0 all conforms, 1 a site differs from the model, 2 wrong usage.')
    .action(async (options: Options) => {
      process.exitCode = await runConform(options);
    });
}

async function runConform({ sites, changes, json }: Options): Promise<ExitStatus> {
  const { conform, ConformError } = await import('../../harness/conform/conform.ts');
  const progress = await liveView(process.stderr, 2_000);
  const onProgress = (taken: number, of: number) => {
    const line = () => `${taken} of ${of} transitions`;
    progress.update(line, line);
  };
  try {
    const how = { sites, ...(changes !== undefined && { changes }), onProgress };
    const done = await interruptible((signal) => conform({ ...how, signal }));
    progress.clear();
    await writeJson(json, done);
    if (json !== '-') {
      const { states, transitions, runs, steps } = done;
      proseStream(json).write(
        `${sites} sites over TCP: all ${transitions} transitions of ${states} states, in ${steps} steps of ${runs} runs\nevery site was as in the model after each step\n`,
      );
    }
    return exitStatus.held;
  } catch (error) {
    progress.clear();
    if (!(error instanceof ConformError)) throw error;
    process.stderr.write(`baton: ${error.message}\n`);
    return exitStatus.violated;
  }
}
