import { Command, CommanderError } from 'commander';
import { UsageError } from '../verification/check/errors.ts';
import { exitStatus } from './exit.ts';
import { remark } from './output.ts';
import { version } from './version.ts';

/** Adds a verb to the program, by its name, in the order of the help. */
const verbs: Readonly<Record<string, (program: Command) => Promise<void>>> = {
  demo: async (program) => (await import('./verbs/demo.ts')).addDemo(program),
  site: async (program) => (await import('./verbs/site.ts')).addSite(program),
  locks: async (program) => (await import('./verbs/locks.ts')).addLocks(program),
  members: async (program) => (await import('./verbs/members.ts')).addMembers(program),
  config: async (program) => (await import('./verbs/config.ts')).addConfig(program),
  verify: async (program) => (await import('./verbs/verify.ts')).addVerify(program),
  outline: async (program) => (await import('./verbs/outline.ts')).addOutline(program),
  paths: async (program) => (await import('./verbs/paths.ts')).addPaths(program),
  prove: async (program) => (await import('./verbs/prove.ts')).addProve(program),
  conform: async (program) => (await import('./verbs/conform.ts')).addConform(program),
  export: async (program) => (await import('./verbs/export.ts')).addExport(program),
  replay: async (program) => (await import('./verbs/replay.ts')).addReplay(program),
  inspect: async (program) => (await import('./verbs/inspect.ts')).addInspect(program),
  explore: async (program) => (await import('./verbs/explore.ts')).addExplore(program),
  chaos: async (program) => (await import('./verbs/chaos.ts')).addChaos(program),
  completion: async (program) => (await import('./verbs/completion.ts')).addCompletion(program),
  'demo-site': async (program) => (await import('./verbs/demo.ts')).addDemoSite(program),
  'chaos-site': async (program) => (await import('./verbs/chaos.ts')).addChaosSite(program),
};

// A reader such as `head` may stop in the middle. There is no reader left to report that to.
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
  .showHelpAfterError('(see --help)');
// A verb is loaded only when it is used. Help, completion and a misspelt verb need all names.
const asked = process.argv[2] ?? '';
const alone = Object.hasOwn(verbs, asked) && asked !== 'completion';
for (const [verb, add] of Object.entries(verbs)) if (verb === asked || !alone) await add(program);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof UsageError) {
    remark(error.message);
    process.exitCode = exitStatus.usage;
  } else if (error instanceof CommanderError) {
    // Commander has printed the error already. A request for help is no error.
    process.exitCode = error.exitCode === 0 ? exitStatus.held : exitStatus.usage;
  } else {
    throw error;
  }
}
