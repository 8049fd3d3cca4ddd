import type { Command } from 'commander';
import type { Address } from '../../runtime/api/peer.ts';
import { flagName, keys } from '../config/keys.ts';

import { address, addressOrPort, names, peers, wholeNumber } from '../options.ts';

/** Options that are no setting of the cluster. `configure` reads all others. */
export interface SiteVerbOptions extends Readonly<Record<string, unknown>> {
  /** Address of metrics and health. */
  readonly metrics?: Address;
  /** Address at which viewers may watch the site. */
  readonly inspect?: Address;
}

export function withSiteOptions(command: Command): Command {
  command.option(
    '--config <file>',
    'YAML or JSON file for what no flag and no variable gives (docs/configuration.md).',
  );
  for (const { path, flag, placeholder, does, otherwise } of keys) {
    if (flag === undefined) continue;
    const flags = `${flagName(flag)}${placeholder}`;
    const shown = otherwise === '' || otherwise === 'false' ? does : `${does} (default: ${otherwise})`;
    const read = readers[path];
    if (read) command.option(flags, shown, read);
    else command.option(flags, shown);
  }
  return command;
}

/** Flags whose text is checked as it is read. */
const readers: Readonly<Record<string, (text: string) => unknown>> = {
  listen: address,
  peers,
  voters: names,
  founders: names,
  discovery: names,
  'strict.leaseMs': wholeNumber(50, 3_600_000),
};

export function addSite(program: Command): void {
  withSiteOptions(program.command('site'))
    .summary('take part by hand: ask for the lock, hold it, release it')
    .description(
      'One site of a cluster, for a person at a terminal or a pipe (one command a line). Every site is started ' +
        'like this, each with its own --id and --listen, and with the others as its --peers.',
    )
    .option(
      '--inspect <[host:]port>',
      'let others watch it, for baton inspect --attach (beyond loopback with a token in BATON_INSPECT_TOKEN)',
      addressOrPort,
    )
    .option(
      '--metrics <[host:]port>',
      'serve /metrics for Prometheus, and /health, /ready and /live; host is 127.0.0.1 unless given',
      addressOrPort,
    )
    .addHelpText(
      'after',
      `
Commands: request, release, status, members, add, remove, replace, quit, help. From a pipe, release waits for what was requested.
quit, the end of the pipe, Ctrl-C: hands the token on, says goodbye to the others, ends. A second Ctrl-C ends at
once: the others then find out by themselves.

Nothing is granted before each founder was started once, nor without a majority of the voters. A site with --join asks to be
added to the cluster that it finds at its peers, and any site can be told to add, remove or replace one. A site with a data
directory may be killed and started again. A guest (--guest) has no vote and is in no list: it finds a member by --discovery.

SECURITY.md says how certificates and secrets are made.

Example:
  baton site --id a --listen 127.0.0.1:4001 --peers b=127.0.0.1:4002,c=127.0.0.1:4003
  baton site --id b --listen 127.0.0.1:4002 --peers a=127.0.0.1:4001,c=127.0.0.1:4003
  baton site --id c --listen 127.0.0.1:4003 --peers a=127.0.0.1:4001,b=127.0.0.1:4002
  baton site --guest --discovery 127.0.0.1:4001,127.0.0.1:4002,127.0.0.1:4003

Exit status: 0 left properly, 1 ended otherwise, 2 wrong usage.`,
    )
    .action(async (options: SiteVerbOptions) => {
      const { runSite } = await import('../site/run-site.ts');
      process.exitCode = await runSite(options);
    });
}
