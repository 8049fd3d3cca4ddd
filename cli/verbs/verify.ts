import { type Command, Option } from 'commander';
import type { Report } from '../../verification/check.ts';
import { type ExitStatus, exitStatus } from '../exit.ts';
import { interruptible } from '../interrupt.ts';
import { positiveNumber, wholeNumber } from '../options.ts';
import { liveView, proseStream, writeJson } from '../output.ts';
import type { VerifyOptions } from '../verify/options.ts';

export function addVerify(program: Command): void {
  program
    .command('verify')
    .summary('check every reachable state of a system')
    .description(
      'Explores every state that a system of XState machines can reach, and judges its properties. SYSTEM is a ' +
        'name (naimi-trehel, naimi-trehel-leaving, sketch) or the path of a module whose default export is a ' +
        'System, or a function of { sites, network } that gives one.',
    )
    .argument('<system>', 'a name or a path')
    .option('--sites <n>', 'how many sites (default: 3)', wholeNumber(1))
    .addOption(
      new Option('--network <order>', 'how messages travel (default: fifo)').choices([
        'fifo',
        'unordered',
        'unordered-by-target',
      ]),
    )
    .option('--max-states <n>', 'stop after so many states', wholeNumber(1))
    .option('--timeout <seconds>', 'stop after so long', positiveNumber)
    .option('--json <file>', 'write the report as JSON; - for standard output, and nothing else there')
    .addHelpText(
      'after',
      '\nExit status: 0 all hold, 1 violated, 2 wrong usage, 3 incomplete (a limit was reached, or Ctrl-C).',
    )
    .action(async (system: string, options: VerifyOptions) => {
      process.exitCode = await runVerify(system, options);
    });
}

async function runVerify(name: string, options: VerifyOptions): Promise<ExitStatus> {
  const [{ findSystem, refusedAsUsage }, { progressLine, reportText }, { check }] = await Promise.all([
    import('../verify/find-system.ts'),
    import('../verify/text.ts'),
    import('../../verification/check.ts'),
  ]);
  const system = await findSystem(name, options);
  const progress = await liveView(process.stderr, 2_000);
  const report: Report = await interruptible((signal) =>
    refusedAsUsage(() =>
      check(system, {
        signal,
        ...(options.maxStates !== undefined && { maxStates: options.maxStates }),
        ...(options.timeout !== undefined && { maxSeconds: options.timeout }),
        onProgress: (now) =>
          progress.update(
            () => progressLine(now),
            () => progressLine(now),
          ),
      }),
    ),
  );
  progress.clear();
  await writeJson(options.json, report);
  if (options.json !== '-') proseStream(options.json).write(`${reportText(report)}\n`);
  return statusOf(report);
}

function statusOf({ properties }: Report): ExitStatus {
  const some = (verdict: string) => properties.some((property) => property.verdict === verdict);
  if (some('violated')) return exitStatus.violated;
  return some('incomplete') ? exitStatus.incomplete : exitStatus.held;
}
