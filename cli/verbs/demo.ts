import { existsSync, readdirSync } from 'node:fs';
import type { Command } from 'commander';
import { UsageError } from '../../verification/check/errors.ts';
import { type ExitStatus, exitStatus } from '../exit.ts';
import { interruptible } from '../interrupt.ts';
import { positiveNumber, wholeNumber } from '../options.ts';
import { liveView, proseStream, remark, writeJson } from '../output.ts';

interface DemoVerbOptions {
  readonly sites: number;
  readonly seconds: number;
  readonly json?: string;
  readonly trace?: string;
  /** The port of the page, or `true` for a free one. */
  readonly inspect?: number | true;
}

export function addDemo(program: Command): void {
  program
    .command('demo')
    .summary('processes take turns over TCP, and are judged')
    .description(
      'Starts sites as processes on loopback TCP. Each takes the lock again and again and uses two shared ' +
        'files that nothing else protects. Then judges what they left: overlaps, messages for each critical ' +
        'section beside those of the published algorithm, the record of every site held against the model (baton replay), and the ' +
        'model of the very statechart that ran (baton verify).',
    )
    .option('--sites <n>', 'how many sites, 2 to 26', wholeNumber(2, 26), 5)
    .option('--seconds <s>', 'how long they take turns', positiveNumber, 10)
    .option('--json <file>', 'write the verdict as JSON; - for standard output, and nothing else there')
    .option(
      '--inspect [port]',
      'show it live in the browser, on this port of loopback (default: a free one)',
      wholeNumber(1, 65_535),
    )
    .option('--trace <dir>', 'keep the record of every site in <dir>')
    .addHelpText(
      'after',
      '\nExit status: 0 all of it held, 1 some of it did not, 2 wrong usage, 3 interrupted.',
    )
    .action(async (options: DemoVerbOptions) => {
      process.exitCode = await demo(options);
    });
}

/** The command that `demo` starts for each site; not for use by hand. */
export function addDemoSite(program: Command): void {
  program.command('demo-site', { hidden: true }).action(async () => {
    if (process.send === undefined) throw new UsageError('demo-site is started by baton demo');
    const { runSiteProcess } = await import('../../harness/demo/site-process.ts');
    runSiteProcess();
  });
}

async function watched(urls: readonly string[], port: number, say: (text: string) => void) {
  const { openAttached } = await import('../../inspector/server/live-page.ts');
  const { url, close } = await openAttached(urls, undefined, port);
  say(`see it live: ${url}`);
  return close;
}

async function demo({ sites, seconds, json, trace, inspect }: DemoVerbOptions): Promise<ExitStatus> {
  if (
    trace !== undefined &&
    existsSync(trace) &&
    readdirSync(trace).some((name) => name.endsWith('.ndjson'))
  ) {
    throw new UsageError(`${trace} holds the record of another run: give each a directory of its own`);
  }
  const [{ runDemo }, { ClusterError }, { verdictText }] = await Promise.all([
    import('../../harness/demo/run-demo.ts'),
    import('../../harness/demo/cluster.ts'),
    import('../../harness/demo/text.ts'),
  ]);
  const prose = proseStream(json);
  const live = await liveView(prose, 1_000);
  const say = (text: string) => prose.write(`${text}\n`);
  return interruptible(async (signal) => {
    try {
      const verdict = await runDemo({
        sites,
        seconds,
        signal,
        say,
        live,
        ...(trace !== undefined && { trace }),
        ...(inspect !== undefined && {
          watched: (urls) => watched(urls, inspect === true ? 0 : inspect, say),
        }),
      });
      await writeJson(json, verdict);
      say(`\n${verdictText(verdict)}`);
      say(`to look at it: npx baton ${trace === undefined ? 'demo --inspect' : `inspect ${trace}`}`);
      return verdict.held ? exitStatus.held : exitStatus.violated;
    } catch (error) {
      if (error instanceof ClusterError) {
        remark(error.message);
        return exitStatus.violated;
      }
      if (!signal.aborted) throw error;
      remark('interrupted; every site process has been ended');
      return exitStatus.incomplete;
    }
  });
}
