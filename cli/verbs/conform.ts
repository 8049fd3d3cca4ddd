import { type Command, Option } from 'commander';
import type { Conformed, Environment } from '../../harness/conform/conform.ts';
import { type ExitStatus, exitStatus } from '../exit.ts';
import { interruptible } from '../interrupt.ts';
import { names, wholeNumber } from '../options.ts';
import { liveView, proseStream, writeJson } from '../output.ts';

interface Options extends Environment {
  readonly sites: 2 | 3;
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
    .option('--changes <n>', 'how many epochs may be begun after the first (default: 1)', wholeNumber(0, 2))
    .option('--asking <ids>', 'the sites that ask, such as a,c (default: all)', names)
    .option('--standing <ids>', 'the sites that stand for election (default: all)', names)
    .addOption(
      new Option(
        '--founder <fate>',
        'what the first site does: it crashes once, or crashes and returns with its disk (default: stays)',
      ).choices(['stays', 'crashes', 'returns']),
    )
    .option('--json <file>', 'write the figures as JSON; - for standard output, and nothing else there')
    .addHelpText(
      'after',
      `
Without --changes, --asking, --standing and --founder two graphs are driven. Of two sites: an election; and no epoch changes,
while the first site crashes and returns. Three sites with an election have too many states for seconds: all ask, and no
epoch changes; and b asks, while b and c stand for election.
`,
    )
    .addHelpText('after', '\nExit status: 0 all conforms, 1 a site differs from the model, 2 wrong usage.')
    .action(async (options: Options) => {
      process.exitCode = await runConform(options);
    });
}

async function runConform({ sites, json, ...asked }: Options): Promise<ExitStatus> {
  const { conform, ConformError, environments } = await import('../../harness/conform/conform.ts');
  const progress = await liveView(process.stderr, 2_000);
  const onProgress = (taken: number, of: number) => {
    const line = () => `${taken} of ${of} transitions`;
    progress.update(line, line);
  };
  const graphs: (Environment & Conformed)[] = [];
  try {
    for (const environment of Object.keys(asked).length === 0 ? environments[sites] : [asked]) {
      const how = { sites, ...environment, onProgress };
      const done = await interruptible((signal) => conform({ ...how, signal }));
      progress.clear();
      graphs.push({ ...environment, ...done });
      if (json === '-') continue;
      const { states, transitions, runs, steps } = done;
      proseStream(json).write(
        `${sites} sites over TCP, ${environmentText(environment)}: all ${transitions} transitions of ${states} states, in ${steps} steps of ${runs} runs\n`,
      );
    }
    if (json !== '-') proseStream(json).write('every site was as in the model after each step\n');
    await writeJson(json, { sites, graphs });
    return exitStatus.held;
  } catch (error) {
    progress.clear();
    if (!(error instanceof ConformError)) throw error;
    process.stderr.write(`baton: ${error.message}\n`);
    return exitStatus.violated;
  }
}

function environmentText({ changes = 1, asking, standing, founder = 'stays' }: Environment): string {
  const verb = (ids: readonly string[] | undefined, one: string, many: string) =>
    ids === undefined ? `all ${many}` : `${ids.join(' and ')} ${ids.length === 1 ? one : many}`;
  const election = changes === 0 ? 'no epoch changes' : verb(standing, 'stands', 'stand');
  const fate = {
    stays: '',
    crashes: ', the first site crashes',
    returns: ', the first site crashes and returns',
  };
  return `${verb(asking, 'asks', 'ask')}, ${election}${fate[founder]}`;
}
