import type { Command } from 'commander';
import type { Address } from '../../runtime/options/cluster.ts';
import { address, addressOrPort, names, peers, wholeNumber } from '../options.ts';

/** The options that are no setting of the cluster; `configure` reads all others. */
export interface SiteVerbOptions extends Readonly<Record<string, unknown>> {
  /** Where metrics and health are served. */
  readonly metrics?: Address;
  /** Where others may watch it. */
  readonly inspect?: Address;
}

export function withSiteOptions(command: Command): Command {
  return command
    .option(
      '--config <file>',
      'a file with what no flag and no variable says, in YAML or JSON (docs/configuration.md)',
    )
    .option('--id <id>', 'the name of this site')
    .option('--listen <host:port>', 'where it listens', address)
    .option('--peers <id=host:port,...>', 'all other sites', peers)
    .option(
      '--root <id>',
      'who starts with the token, the same at every site (default: the first of all ids in code-unit order)',
    )
    .option('--cluster <name>', 'sites of another cluster are refused (default: baton)')
    .option('--trace <dir>', 'record what this site does into <dir>/<id>.ndjson, for baton replay')
    .option(
      '--data-dir <dir>',
      'keep there what must outlive the process; without it, a site cannot come back',
    )
    .option('--newcomer', 'this id never ran before, so there may be no file of it in the data directory')
    .option('--voters <id,...>', 'who votes, the same at every site; 3 to 7 are well (default: all)', names)
    .option(
      '--strict <ms>',
      'hold the lock by leases of so long, the same at every site (default: no leases)',
      wholeNumber(50, 3_600_000),
    )
    .option('--tls-cert <file>', 'the certificate of this site in PEM; it names baton://<cluster>/<id>')
    .option('--tls-key <file>', 'the key to it')
    .option('--tls-ca <file>', 'the certificate of whoever has signed those of the others')
    .option(
      '--secret-file <file>',
      'what all sites know and nobody else, at least 32 bytes, in place of TLS files',
    )
    .option(
      '--insecure',
      'listen for more than this machine with neither: whoever reaches it can take the lock',
    );
}

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
Commands: request, release, status, quit, help. From a pipe, release waits for what was requested.
quit, the end of the pipe, Ctrl-C: hands the token on, says goodbye to the others, ends. A second Ctrl-C ends at
once: the others then find out by themselves.

Nothing is granted without a majority of the voters. A site with a data directory may be killed and started again;
the first time it is a --newcomer.

SECURITY.md says how certificates and secrets are made.

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
