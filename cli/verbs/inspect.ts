import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import type { FileOptions } from '../../inspector/server/from-file.ts';
import { UsageError } from '../../verification/check/errors.ts';
import { type ExitStatus, exitStatus } from '../exit.ts';
import { interruptible } from '../interrupt.ts';
import { names, wholeNumber } from '../options.ts';
import { remark } from '../output.ts';

interface InspectOptions extends Omit<FileOptions, 'system'> {
  readonly port: number;
  readonly follow?: boolean;
  readonly listen?: boolean;
  readonly attach?: readonly string[];
  readonly lock?: string;
  readonly beside?: string;
}

export function addInspect(program: Command): void {
  program
    .command('inspect')
    .summary('see a counterexample or a recorded run in the browser')
    .description(
      'Serves one page, on loopback only: the statechart of each site, the queue, every message, all ' +
        'properties, at every moment of a run. It needs no internet.',
    )
    .argument(
      '[file]',
      'what baton verify --json or --trace json wrote, or a directory of records (--trace DIR)',
    )
    .argument('[system]', 'system of the traces: a name or a module; default: as the file says')
    .option('--sites <n>', 'how many sites it has; default: as the file says', wholeNumber(2, 15))
    .addOption(
      new Option('--network <order>', 'how messages travel; default: as the file says').choices([
        'fifo',
        'unordered',
        'unordered-by-target',
      ]),
    )
    .option('--beside <file>', 'another file or directory: both runs are shown, and the first difference')
    .option('--follow', 'of a directory of records: show the run while sites write it')
    .option(
      '--attach <url,...>',
      'of no file: show a running cluster, of sites that are told to --inspect',
      names,
    )
    .option('--lock <name>', 'which lock of it; default: the first that is in use')
    .option('--listen', 'of no file: show what XState apps tell it through @statelyai/inspect')
    .option('--port <n>', 'where it is served; 0 takes a free one', wholeNumber(0, 65_535), 4700)
    .addHelpText('after', '\nExit status: 0 it was served until Ctrl-C, 2 wrong usage.')
    .action(
      async (
        file: string | undefined,
        system: string | undefined,
        { port, follow, listen, attach, lock, beside, ...options }: InspectOptions,
      ) => {
        const given = [file, attach, listen].filter((one) => one !== undefined);
        if (given.length !== 1)
          throw new UsageError(
            'expected a file or a directory of records, or --attach, or --listen: one of them',
          );
        if (beside !== undefined && (file === undefined || follow))
          throw new UsageError('--beside needs a file or a complete directory of records');
        if (attach !== undefined) process.exitCode = await inspectSites(attach, lock, port);
        else if (file === undefined) process.exitCode = await inspectApps(port);
        else if (follow) process.exitCode = await inspectLive(file, port);
        else
          process.exitCode = await inspect(
            file,
            { ...options, ...(system !== undefined && { system }) },
            port,
            beside,
          );
      },
    );
}

async function inspectApps(port: number): Promise<ExitStatus> {
  const [{ openStately }, { untilAborted }] = await Promise.all([
    import('../../inspector/server/stately/listen.ts'),
    import('../../inspector/server/show-page.ts'),
  ]);
  const page = await openStately(port);
  remark(`apps tell it at ${page.appUrl}`);
  await interruptible((signal) => untilAborted(page, signal));
  return exitStatus.held;
}

async function inspectSites(
  urls: readonly string[],
  lock: string | undefined,
  port: number,
): Promise<ExitStatus> {
  const [{ openAttached }, { untilAborted }] = await Promise.all([
    import('../../inspector/server/live-page.ts'),
    import('../../inspector/server/show-page.ts'),
  ]);
  const page = await openAttached(urls, lock, port);
  await interruptible((signal) => untilAborted(page, signal));
  return exitStatus.held;
}

async function inspectLive(directory: string, port: number): Promise<ExitStatus> {
  const [{ openLive }, { untilAborted }] = await Promise.all([
    import('../../inspector/server/live-page.ts'),
    import('../../inspector/server/show-page.ts'),
  ]);
  const page = await openLive(directory, port);
  await interruptible((signal) => untilAborted(page, signal));
  return exitStatus.held;
}

async function inspect(
  file: string,
  options: FileOptions,
  port: number,
  beside: string | undefined,
): Promise<ExitStatus> {
  const [{ fromFile }, { answerWith, sideBySide }, { showPage }, { refusedAsUsage }] = await Promise.all([
    import('../../inspector/server/from-file.ts'),
    import('../../inspector/server/sources.ts'),
    import('../../inspector/server/show-page.ts'),
    import('../../verification/protocols/find-system.ts'),
  ]);
  const one = await refusedAsUsage(() => fromFile(file, options, remark));
  const other = beside === undefined ? null : await refusedAsUsage(() => fromFile(beside, options, remark));
  const { both, hash } = other === null ? { both: one, hash: '' } : sideBySide(one, other, basename(beside!));
  const answer = await refusedAsUsage(async () => answerWith(both));
  await interruptible((signal) => showPage(answer, port, signal, hash));
  return exitStatus.held;
}
