import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import type { Security } from '../../harness/chaos/credentials.ts';
import type { Row } from '../../harness/chaos/directed.ts';
import type { ChaosRun } from '../../harness/chaos/run.ts';
import type { Summary } from '../../harness/chaos/text.ts';
import { reasonOf } from '../../machines/errors.ts';
import { UsageError } from '../../verification/check/errors.ts';
import { type ExitStatus, exitStatus } from '../exit.ts';
import { interruptible } from '../interrupt.ts';
import { positiveNumber, wholeNumber } from '../options.ts';
import { progressText, proseStream, remark, writeJson } from '../output.ts';

interface ChaosVerbOptions {
  readonly seed?: number;
  readonly seconds: number;
  readonly sites: number;
  readonly runs: number;
  readonly parallel: number;
  readonly json?: string;
  readonly record?: string;
  readonly scenarios?: boolean;
  readonly secured?: Security;
  readonly otherLocks: number;
  readonly hostile?: boolean;
  readonly members?: boolean;
}

const securities: readonly Security[] = ['secret', 'tls'];
const maxSeed = 2 ** 31 - 1;

export function addChaos(program: Command): void {
  program
    .command('chaos')
    .summary('break links, processes and disks, and judge what the sites did')
    .description(
      'Runs sites as processes on loopback behind a proxy of faults, with clients that ask for the lock and write ' +
        'under its fence to a resource with a gate. A seed decides which connections are reset, stalled, delayed or ' +
        'refused and when, and which sites are cut off, stopped, killed, started again, or get a full disk. Then all is ' +
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
    .addOption(
      new Option('--secured [how]', 'links are secured by a secret that all sites share, or by certificates')
        .choices(securities)
        .preset('secret'),
    )
    .option(
      '--other-locks <n>',
      'how many locks are used and judged beside the first',
      wholeNumber(0, 100),
      0,
    )
    .option('--hostile', 'while there are faults the first site lies: it says forged messages to all others')
    .addOption(
      new Option(
        '--members',
        'members are added, removed and replaced too, disks are lost for good, old copies put back, and founders start late',
      ).conflicts('hostile'),
    )
    .option(
      '--scenarios',
      'instead of chance: each fault whose outcome is known beforehand, with the default settings (about four minutes)',
    )
    .option('--record <dir>', 'keep the schedule and the history of every run in <dir>')
    .option('--json <file>', 'write the verdicts as JSON; - for standard output, and nothing else there')
    .addHelpText(
      'after',
      '\nExit status: 0 all of it held, 1 some of it did not, 2 wrong usage, 3 interrupted.',
    )
    .action(async (options: ChaosVerbOptions) => {
      process.exitCode = await (options.scenarios === true ? scenarios(options) : chaos(options));
    });
}

/** The command that `chaos` starts for each site; not for use by hand. */
export function addChaosSite(program: Command): void {
  program.command('chaos-site', { hidden: true }).action(async () => {
    if (process.send === undefined) throw new UsageError('chaos-site is started by baton chaos');
    const { runChaosSite } = await import('../../harness/chaos/site-process.ts');
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
    secured,
    otherLocks,
    hostile = false,
    members = false,
  } = options;
  const [{ runCampaign }, { campaignText, runText, summaryLine, summaryOf, violationLines }] =
    await Promise.all([import('../../harness/chaos/campaign.ts'), import('../../harness/chaos/text.ts')]);
  const prose = proseStream(json);
  const say = (text: string) => prose.write(`${text}\n`);
  // The histories are dropped: those of a thousand runs would fill the memory.
  const done: Summary[] = [];
  const started = performance.now();
  say(`seed ${seed}${runs > 1 ? ` to ${seed + runs - 1}` : ''}: ${sites} sites, ${seconds} s of faults each`);
  const onRun = (run: ChaosRun) => {
    done.push(summaryOf(run));
    if (record !== undefined) keep(record, run);
    if (runs === 1) say(runText(run));
    else {
      const progress = `  [${progressText(done.length, runs, 'runs', performance.now() - started)}]`;
      say([summaryLine(run) + progress, ...violationLines(run)].join('\n'));
    }
  };
  return guarded(async (signal) => {
    await runCampaign({
      seed,
      runs,
      sites,
      seconds,
      members,
      parallel,
      ...(secured && { secured }),
      otherLocks,
      hostile,
      signal,
      onRun,
    });
    if (runs > 1) say(campaignText(done, (performance.now() - started) / 1000));
    await writeJson(json, done);
    return done.every(({ held }) => held) ? exitStatus.held : exitStatus.violated;
  });
}

async function scenarios({ json }: ChaosVerbOptions): Promise<ExitStatus> {
  const [{ fullLengths, runDirected }, { rowText }] = await Promise.all([
    import('../../harness/chaos/directed.ts'),
    import('../../harness/chaos/text.ts'),
  ]);
  const rows: Row[] = [];
  return guarded(async (signal) => {
    const started = performance.now();
    await runDirected(fullLengths, signal, (row, of) => {
      rows.push(row);
      const progress = progressText(rows.length, of, 'scenarios', performance.now() - started);
      proseStream(json).write(`${rowText(row)}  [${progress}]\n`);
    });
    await writeJson(json, rows);
    return rows.every(({ held }) => held) ? exitStatus.held : exitStatus.violated;
  });
}

/** Runs until the work is done, interrupted, or the harness fails. */
function guarded(work: (signal: AbortSignal) => Promise<ExitStatus>): Promise<ExitStatus> {
  return interruptible(async (signal) => {
    try {
      return await work(signal);
    } catch (error) {
      const { ChaosError } = await import('../../harness/chaos/processes.ts');
      if (!(error instanceof ChaosError) && !signal.aborted) throw error;
      remark(`${signal.aborted ? 'interrupted' : reasonOf(error)}; no process is left`);
      return signal.aborted ? exitStatus.incomplete : exitStatus.violated;
    }
  });
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
