import { type Command, Option } from 'commander';
import { type ExitStatus, exitStatus } from '../exit.ts';
import { interruptible } from '../interrupt.ts';
import { wholeNumber } from '../options.ts';
import type { VerifyOptions } from '../verify/options.ts';

interface ExploreOptions extends Pick<VerifyOptions, 'sites' | 'network' | 'liveness'> {
  readonly port: number;
}

export function addExplore(program: Command): void {
  program
    .command('explore')
    .summary('walk through a model in the browser')
    .description(
      'Serves the page of baton inspect on loopback, over a model: pick any step that may happen, go back, jump ' +
        'to where a property is violated, or to a state by its description. The address is the path.',
    )
    .argument('<system>', 'a system of baton verify, or the path of a module that exports one')
    .option('--sites <n>', 'how many sites; default: 3', wholeNumber(2, 15))
    .addOption(
      new Option('--network <order>', 'how messages travel; default: fifo').choices([
        'fifo',
        'unordered',
        'unordered-by-target',
      ]),
    )
    .option('--liveness', 'with the properties of what must happen in the end')
    .option('--port <n>', 'where it is served; 0 takes a free one', wholeNumber(0, 65_535), 4700)
    .addHelpText('after', '\nExit status: 0 it was served until Ctrl-C, 2 wrong usage.')
    .action(async (system: string, options: ExploreOptions) => {
      process.exitCode = await explore(system, options);
    });
}

async function explore(name: string, { port, ...options }: ExploreOptions): Promise<ExitStatus> {
  const [{ findSystem, refusedAsUsage }, { answerExploring }, { showPage }] = await Promise.all([
    import('../../verification/protocols/find-system.ts'),
    import('../../inspector/server/explore.ts'),
    import('../../inspector/server/show-page.ts'),
  ]);
  const { system } = await findSystem(name, options);
  const answer = await refusedAsUsage(async () => answerExploring(system));
  await interruptible((signal) => showPage(answer, port, signal));
  return exitStatus.held;
}
