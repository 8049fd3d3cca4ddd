import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { ChaosRun } from '../chaos/run.ts';
import { type ExitStatus, exitStatus, reasonOf, UsageError } from '../exit.ts';
import { interruptible } from '../interrupt.ts';
import { positiveNumber, wholeNumber } from '../options.ts';
import { proseStream, writeJson } from '../output.ts';

interface ChaosVerbOptions {
  readonly seed?: number;
  readonly seconds: number;
  readonly sites: number;
  readonly runs: number;
  readonly parallel: number;
  readonly json?: string;
  readonly record?: string;
}

const maxSeed = 2 ** 31 - 1;

export function addChaos(program: Command): void {
  program
    .command('chaos')
    .summary('break links, processes and disks, and judge what the sites did')
    .description(
      'Runs sites as processes on loopback behind a proxy of faults, with clients that ask for the lock and write ' +
        'under its fence to a resource with a gate. A seed decides which connections are reset, stalled, delayed or ' +
        'refused and when, who is cut off, stopped, killed or started again, and whose disk is full. Then all is ' +
        'mended, and the record is judged. docs/chaos.md has the faults and the rules.',
    )
    .option(
      '--seed <n>',
      'decides all that chance does (default: drawn, and printed)',
      wholeNumber(0, maxSeed),
    )
    .option('--seconds <s>', 'how long there are faults', positiveNumber, 10)
    .option('--sites <n>', 'how many sites, 2 to 7', wholeNumber(2, 7), 3)
    .option('--runs <n>', 'how many runs, each with the next seed', wholeNumber(1), 1)
    .option('--parallel <n>', 'how many of them at the same time', wholeNumber(1, 16), 1)
    .option('--record <dir>', 'keep the schedule and the history of every run in <dir>')
    .option('--json <file>', 'write the verdicts as JSON; - for standard output, and nothing else there')
    .addHelpText(
      'after',
      '\nExit status: 0 all of it held, 1 some of it did not, 2 wrong usage, 3 interrupted.',
    )
    .action(async (options: ChaosVerbOptions) => {
      process.exitCode = await chaos(options);
    });
}

/** What `chaos` starts; of no use by hand. */
export function addChaosSite(program: Command): void {
  program.command('chaos-site', { hidden: true }).action(async () => {
    if (process.send === undefined) throw new UsageError('chaos-site is started by baton chaos');
    const { runChaosSite } = await import('../chaos/site-process.ts');
    runChaosSite();
  });
}

async function chaos(options: ChaosVerbOptions): Promise<ExitStatus> {
  const {
    seed = Math.floor(Math.random() * maxSeed),
    seconds,
    sites,
    runs,
    parallel,
    json,
    record,
  } = options;
  const [{ runCampaign }, { ChaosError }, { runText, summaryLine, violationLines }] = await Promise.all([
    import('../chaos/campaign.ts'),
    import('../chaos/processes.ts'),
    import('../chaos/text.ts'),
  ]);
  const prose = proseStream(json);
  const say = (text: string) => prose.write(`${text}\n`);
  const done: ChaosRun[] = [];
  say(`seed ${seed}${runs > 1 ? ` to ${seed + runs - 1}` : ''}: ${sites} sites, ${seconds} s of faults each`);
  const onRun = (run: ChaosRun) => {
    done.push(run);
    if (record !== undefined) keep(record, run);
    if (runs === 1) say(runText(run));
    else say([summaryLine(run), ...violationLines(run)].join('\n'));
  };
  return interruptible(async (signal) => {
    const started = performance.now();
    try {
      await runCampaign({ seed, runs, sites, seconds, parallel, signal, onRun });
    } catch (error) {
      if (!(error instanceof ChaosError) && !signal.aborted) throw error;
      process.stderr.write(
        `baton: ${signal.aborted ? 'interrupted' : reasonOf(error)}; no process is left\n`,
      );
      return signal.aborted ? exitStatus.incomplete : exitStatus.violated;
    }
    const violated = done.filter(({ judgement }) => !judgement.held);
    if (runs > 1) {
      const grants = done.reduce((sum, { judgement }) => sum + judgement.figures.grants, 0);
      const faults = done.reduce((sum, { schedule }) => sum + schedule.faults.length, 0);
      say(
        `${runs} seeds, ${faults} faults, ${grants} grants in ${((performance.now() - started) / 1000).toFixed(0)} s: ` +
          `${violated.length === 0 ? 'all hold' : `${violated.length} violated: seed ${violated.map(({ schedule }) => schedule.seed).join(', ')}`}`,
      );
    }
    await writeJson(json, done.map(summary));
    return violated.length === 0 ? exitStatus.held : exitStatus.violated;
  });
}

function summary({ schedule, judgement, sent, suspicions, seconds, evidence }: ChaosRun) {
  const { held, figures, findings } = judgement;
  return { schedule, held, figures, findings, sent, suspicions, seconds, entries: evidence.history.length };
}

function keep(directory: string, { schedule, evidence }: ChaosRun): void {
  mkdirSync(directory, { recursive: true });
  const path = (what: string) => join(directory, `${schedule.seed}.${what}`);
  writeFileSync(path('schedule.json'), `${JSON.stringify(schedule, null, 2)}\n`);
  writeFileSync(
    path('history.ndjson'),
    evidence.history.map((entry) => `${JSON.stringify(entry)}\n`).join(''),
  );
}
