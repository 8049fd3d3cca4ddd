import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, onTestFinished } from 'vitest';
import type { Ended } from './baton.ts';

const program = fileURLToPath(new URL('./command-lines.mjs', import.meta.url));
const checkout = fileURLToPath(new URL('../..', import.meta.url));

let child: ChildProcess | null = null;
/** Resolves when the process has answered the latest command line. */
let last: Promise<unknown> = Promise.resolve();

afterAll(() => end());

function end(): void {
  child?.kill('SIGKILL');
  child = null;
}

/**
 * Runs `baton` to its end, in a process that all tests of a file share: most of the time of a short command is the loading
 * of its modules. For commands without input, signals or children. A module of a system is loaded once.
 */
export function sharedBaton(...args: string[]): Promise<Ended> {
  const ended = last.then(() => run(args));
  last = ended.catch(() => undefined);
  return ended;
}

async function run(args: readonly string[]): Promise<Ended> {
  child ??= fork(program, {
    cwd: checkout,
    // Without colours, as in a pipe, whatever the test runner has set.
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, GITHUB_ACTIONS: undefined },
  });
  const asked = child;
  const answered = new AbortController();
  onTestFinished(() => {
    if (!answered.signal.aborted) end();
  });
  asked.send(args);
  const { signal } = answered;
  const [ended] = (await Promise.race([
    once(asked, 'message', { signal }),
    once(asked, 'exit', { signal }),
  ])) as [Ended | number | null];
  answered.abort();
  if (ended !== null && typeof ended === 'object') return ended;
  child = null;
  throw new Error(`baton ${args.join(' ')} ended the process, with status ${ended ?? asked.signalCode}`);
}
