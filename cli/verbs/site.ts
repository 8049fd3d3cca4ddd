import { type Command, Option } from 'commander';
import { address, type HostAndPort, peers } from '../options.ts';

export interface SiteVerbOptions {
  readonly id: string;
  readonly listen: HostAndPort;
  readonly peers: Readonly<Record<string, HostAndPort>>;
  readonly root?: string;
  readonly cluster: string;
  readonly trace?: string;
}

export function addSite(program: Command): void {
  program
    .command('site')
    .summary('take part by hand: ask for the lock, hold it, release it')
    .description(
      'One site of a cluster, for a person at a terminal or a pipe (one command a line). Every site is started ' +
        'like this, each with its own --id and --listen, and with the others as its --peers.',
    )
    .requiredOption('--id <id>', 'the name of this site')
    .requiredOption('--listen <host:port>', 'where it listens', address)
    .addOption(
      new Option('--peers <id=host:port,...>', 'all other sites').argParser(peers).makeOptionMandatory(),
    )
    .option(
      '--root <id>',
      'who starts with the token, the same at every site (default: the first of all ids in code-unit order)',
    )
    .option('--cluster <name>', 'sites of another cluster, or with another root, are refused', 'baton')
    .option('--trace <dir>', 'record what this site does into <dir>/<id>.ndjson, for baton replay')
    .addHelpText(
      'after',
      `
Commands: request, release, status, quit, help. From a pipe, release waits for what was requested.
quit, the end of the pipe, Ctrl-C: hands the token and the queue behind it on, then ends; for that it takes its
turn, and needs every other site's answer. A second Ctrl-C ends at once: a token that is here is then lost.

Example:
  baton site --id a --listen 127.0.0.1:4001 --peers b=127.0.0.1:4002,c=127.0.0.1:4003
  baton site --id b --listen 127.0.0.1:4002 --peers a=127.0.0.1:4001,c=127.0.0.1:4003
  baton site --id c --listen 127.0.0.1:4003 --peers a=127.0.0.1:4001,b=127.0.0.1:4002

Exit status: 0 left properly, 1 ended otherwise, 2 wrong usage.`,
    )
    .action(async (options: SiteVerbOptions) => {
      const { runSite } = await import('../site/run-site.ts');
      process.exitCode = await runSite(options);
    });
}
