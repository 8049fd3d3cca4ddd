import { Command, CommanderError } from 'commander';
import { UsageError } from '../verification/check/errors.ts';
import { exitStatus } from './exit.ts';
import { remark } from './output.ts';
import { addChaos, addChaosSite } from './verbs/chaos.ts';
import { addCompletion } from './verbs/completion.ts';
import { addConfig } from './verbs/config.ts';
import { addConform } from './verbs/conform.ts';
import { addDemo, addDemoSite } from './verbs/demo.ts';
import { addExplore } from './verbs/explore.ts';
import { addExport } from './verbs/export.ts';
import { addInspect } from './verbs/inspect.ts';
import { addLocks } from './verbs/locks.ts';
import { addOutline } from './verbs/outline.ts';
import { addPaths } from './verbs/paths.ts';
import { addProve } from './verbs/prove.ts';
import { addReplay } from './verbs/replay.ts';
import { addSite } from './verbs/site.ts';
import { addVerify } from './verbs/verify.ts';
import { version } from './version.ts';

// A reader such as `head` may stop in the middle. No reader is left to report it to.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitStatus.brokenPipe);
  throw error;
});

const program = new Command('baton')
  .description(
    'A distributed lock with no server to run. The statechart that is checked is the one that runs.',
  )
  .version(version)
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'baton: ')) })
  .showHelpAfterError('(--help says what there is)');
for (const add of [
  addDemo,
  addSite,
  addLocks,
  addConfig,
  addVerify,
  addOutline,
  addPaths,
  addProve,
  addConform,
  addExport,
  addReplay,
  addInspect,
  addExplore,
  addChaos,
  addCompletion,
  addDemoSite,
  addChaosSite,
])
  add(program);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof UsageError) {
    remark(error.message);
    process.exitCode = exitStatus.usage;
  } else if (error instanceof CommanderError) {
    // Commander has said it already; help that was asked for is no error.
    process.exitCode = error.exitCode === 0 ? exitStatus.held : exitStatus.usage;
  } else {
    throw error;
  }
}
