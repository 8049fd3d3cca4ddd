import type { Command } from 'commander';
import { UsageError } from '../../verification/check/errors.ts';
import type { ReplayReport } from '../../verification/runs/replay.ts';
import { type ExitStatus, exitStatus } from '../exit.ts';
import { liveView, progressText, proseStream, writeJson } from '../output.ts';

export function addReplay(program: Command): void {
  program
    .command('replay')
    .summary('hold a recorded run against the model')
    .description(
      'Takes the records of all lives of all sites (--trace DIR of baton site and baton demo; docs/trace.md), orders ' +
        'them by causality, holds each step against the very statechart that baton verify checks, and all of them ' +
        'together against what its protocol promises.',
    )
    .argument('<dir>', 'where the *.ndjson of all sites are')
    .option('--json <file>', 'write the report as JSON; - for standard output, and nothing else there')
    .addHelpText(
      'after',
      '\nExit status: 0 accepted, 1 refused (with the first line that is wrong), 2 wrong usage.',
    )
    .action(async (directory: string, options: { json?: string }) => {
      process.exitCode = await runReplay(directory, options.json);
    });
}

async function runReplay(directory: string, json: string | undefined): Promise<ExitStatus> {
  const { ReplayInputError, replay } = await import('../../verification/runs/replay.ts');
  const progress = await liveView(process.stderr, 2_000);
  const began = performance.now();
  let report: ReplayReport;
  try {
    report = replay(directory, (lines, of) => {
      const line = () => progressText(lines, of, 'lines', performance.now() - began);
      progress.update(line, line);
    });
  } catch (error) {
    if (error instanceof ReplayInputError) throw new UsageError(error.message);
    throw error;
  } finally {
    progress.clear();
  }
  await writeJson(json, report);
  if (json !== '-') proseStream(json).write(`${await replayText(report)}\n`);
  return report.accepted ? exitStatus.held : exitStatus.violated;
}

async function replayText({ accepted, locks, refusal }: ReplayReport): Promise<string> {
  const [{ lockText, refusalText }, { default: colors }] = await Promise.all([
    import('../../verification/runs/text.ts'),
    import('picocolors'),
  ]);
  const verdict = accepted
    ? colors.green('accepted: the model takes every step')
    : `${colors.red('refused at')} ${refusalText(refusal!)}`;
  return [...locks.map(lockText), verdict].join('\n');
}
