import { readdirSync } from 'node:fs';
import { Argument, type Command } from 'commander';
import type { Membership } from '../../runtime/index.ts';
import { type ExitStatus, exitStatus } from '../exit.ts';
import { wholeNumber } from '../options.ts';
import { remark } from '../output.ts';
import { tableText } from '../table.ts';

/** How many names each takes behind the site that is asked. */
const names = { list: 0, add: 1, remove: 1, replace: 2, 'found-anew': 0 } as const;
type Action = keyof typeof names;

interface MembersOptions {
  readonly id?: string;
  readonly cluster: string;
  readonly generation?: number;
  readonly yes?: boolean;
  readonly json?: boolean;
  readonly timeout: number;
}

export function addMembers(program: Command): void {
  program
    .command('members')
    .summary('list, add, remove and replace the members of a running cluster; found it anew')
    .description(
      `list URL: the voters, as the site at this watch port knows them (baton site --inspect, or serveWatch).
add URL NAME, remove URL NAME, replace URL OLD NEW: the site makes that change of the voters, one at a time, with a majority of them.
It needs BATON_ADMIN_TOKEN, the same here as in the environment of that site. A change must come over loopback.
found-anew DIR: begins the cluster again with one site that is left, from its data directory, while no process runs the site. For
when a majority of the voters is lost for good: nothing else brings a lock back then. docs/membership.md says when and how.`,
    )
    .addArgument(new Argument('<action>', 'what to do').choices(Object.keys(names)))
    .argument(
      '<where>',
      'ws://127.0.0.1:PORT/ of a running site, with ?token=... where one is needed; for found-anew the data directory',
    )
    .argument('[names...]', 'the ids of the sites')
    .option('--json', 'print the members as JSON')
    .option('--timeout <ms>', 'the longest that each change may take', wholeNumber(1, 3_600_000), 30_000)
    .option('--id <id>', 'found-anew: the site; default: the one that has data there')
    .option('--cluster <name>', 'found-anew: its cluster', 'baton')
    .option(
      '--generation <n>',
      'found-anew: the least generation of the new cluster, where the clock of this machine is behind; default: the clock in ms',
      wholeNumber(1),
    )
    .option('--yes', 'found-anew: do it; without it, this only says what would be done')
    .addHelpText(
      'after',
      '\nExit status: 0 done, 1 refused, or not agreed on in time, 2 wrong usage, or --yes is missing, 3 the site did not answer.',
    )
    .action(async (action: Action, where: string, given: readonly string[], options: MembersOptions) => {
      if (given.length !== names[action]) {
        const { UsageError } = await import('../../verification/check/errors.ts');
        throw new UsageError(`${action} takes ${names[action]} ids of sites, got ${given.length}`);
      }
      process.exitCode =
        action === 'found-anew' ? await found(where, options) : await asked(action, where, given, options);
    });
}

async function asked(
  action: Exclude<Action, 'found-anew'>,
  url: string,
  [first = '', second = '']: readonly string[],
  { json, timeout: timeoutMs }: MembersOptions,
): Promise<ExitStatus> {
  const [{ membersAt }, { OperatingError }, { UsageError }] = await Promise.all([
    import('../../runtime/observe/members-client.ts'),
    import('../../runtime/index.ts'),
    import('../../verification/check/errors.ts'),
  ]);
  const changes = {
    list: undefined,
    add: { add: first },
    remove: { remove: first },
    replace: { replace: first, by: second },
  } as const;
  const change = changes[action];
  const admin = process.env['BATON_ADMIN_TOKEN'];
  if (change !== undefined && admin === undefined)
    throw new UsageError(
      `${action} needs BATON_ADMIN_TOKEN, as it is in the environment of the site at ${url}`,
    );
  try {
    const told = await membersAt(url, change && { change, admin: admin!, timeoutMs });
    if (typeof told !== 'string') {
      process.stdout.write(`${json ? JSON.stringify(told) : tableOf(told)}\n`);
      return exitStatus.held;
    }
    remark(told);
    return /^[A-Z_]+:/.test(told) ? exitStatus.violated : exitStatus.incomplete;
  } catch (error) {
    if (error instanceof OperatingError) throw new UsageError(error.message);
    throw error;
  }
}

function tableOf({ generation, term, version, voters, guests }: Membership): string {
  if (generation === null) return 'the site is no member of a cluster yet';
  const rows = voters.map(({ site, id, up, address, wireVersion }) => [
    site,
    up ? 'up' : 'down',
    `${wireVersion ?? ''}`,
    address === null ? '' : `${address.host}:${address.port}`,
    id,
  ]);
  const attached = guests.length === 0 ? '' : `\nguests here: ${guests.join(', ')}`;
  return `${tableText(['voter', 'is', 'wire', 'listens at', 'id'], rows)}\nconfiguration (${term}, ${version}) of generation ${generation}${attached}`;
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

The promises of the old cluster are given up: each lock that was held counts as free. Fences rise: the new generation is above the old one.
${site} gets a new identity in ${dataDir}. The other members are refused (FOUNDED_ANEW) until their data directories are emptied.`;
}
