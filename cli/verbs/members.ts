import { readdirSync } from 'node:fs';
import { Argument, type Command } from 'commander';
import { type ExitStatus, exitStatus } from '../exit.ts';
import { wholeNumber } from '../options.ts';
import { remark } from '../output.ts';

const actions = ['found-anew'] as const;

interface MembersOptions {
  readonly id?: string;
  readonly cluster: string;
  readonly generation?: number;
  readonly yes?: boolean;
}

export function addMembers(program: Command): void {
  program
    .command('members')
    .summary('found a cluster anew when a majority of its voters is lost')
    .description(
      'found-anew DIR: begins the cluster again with one site that is left, from its data directory, while no process runs the site. ' +
        'For when a majority of the voters is lost for good: nothing else brings a lock back then. docs/membership.md says when and how.',
    )
    .addArgument(new Argument('<action>', 'what to do').choices(actions))
    .argument('<dir>', 'the data directory of the site')
    .option('--id <id>', 'the site; default: the one that has data there')
    .option('--cluster <name>', 'its cluster', 'baton')
    .option(
      '--generation <n>',
      'the least generation of the new cluster, where the clock of this machine is behind; default: the clock in ms',
      wholeNumber(1),
    )
    .option('--yes', 'do it: without it, this only says what would be done')
    .addHelpText('after', '\nExit status: 0 done, 1 refused, 2 wrong usage, or --yes is missing.')
    .action(async (_action: (typeof actions)[number], dir: string, options: MembersOptions) => {
      process.exitCode = await found(dir, options);
    });
}

async function found(dataDir: string, { id, cluster, generation, yes }: MembersOptions): Promise<ExitStatus> {
  const { foundAnew, OperatingError } = await import('../../runtime/index.ts');
  const site = id ?? (await siteIn(dataDir));
  if (!yes) {
    remark(warningOf(site, dataDir));
    return exitStatus.usage;
  }
  try {
    const options = { dataDir, site, cluster, ...(generation !== undefined && { generation }) };
    const { generation: now, before, dropped } = await foundAnew(options);
    const others = dropped.length === 0 ? 'no other voter' : dropped.join(', ');
    process.stdout.write(
      `${site} has founded cluster ${cluster} anew: generation ${now}, before it ${before}; dropped: ${others}\n` +
        `start ${site}, then the others with empty data directories: they ask to be added\n`,
    );
    return exitStatus.held;
  } catch (error) {
    if (!(error instanceof OperatingError)) throw error;
    remark(error.message);
    return exitStatus.violated;
  }
}

async function siteIn(dataDir: string): Promise<string> {
  const { UsageError } = await import('../../verification/check/errors.ts');
  let files: readonly string[];
  try {
    files = readdirSync(dataDir).filter((file) => file.endsWith('.json'));
  } catch (error) {
    throw new UsageError(`cannot read ${dataDir}: ${(error as Error).message}`);
  }
  const [file, ...others] = files;
  if (file === undefined)
    throw new UsageError(`expected the data of a site in ${dataDir}, and there are none`);
  if (others.length > 0)
    throw new UsageError(`${files.length} sites have data in ${dataDir}: --id says which one is to go on`);
  return file.slice(0, -'.json'.length);
}

function warningOf(site: string, dataDir: string): string {
  return `this makes ${site} the only voter of a new cluster, and drops all others. Before you give --yes, make sure that

- a majority of the voters is lost for good. If they can be started again with their data, start them, and do nothing else.
- no process of the old cluster runs. One that does may hold a lock at the same time as a site of the new cluster, until the two meet.
  A resource that checks fences accepts the new cluster's writes, and refuses those of the old one after the first of them.
  In strict mode, without fences, nothing keeps the two apart.
- this is done at one site only. A second one would begin a cluster of its own.

What the old cluster promised is given up: each lock that was held counts as free. Fences rise: the new generation is above the old one.
${site} gets a new identity in ${dataDir}. The other members are refused (FOUNDED_ANEW) until their data directories are emptied.`;
}
