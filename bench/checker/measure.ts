import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { reasonOf } from '../../machines/errors.ts';
import { type Answer, parseAnswer } from './answer.ts';

/** A program and its arguments. There is no shell between. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

export type Run = Done | { readonly failure: string };
export type Done = Answer & { readonly peakBytes: number | null };

/**
 * Runs `command` to its end, or kills it after `boundSeconds`. Peak memory is the value that Linux reported
 * when it was last read, some milliseconds before the end. `null` on other systems.
 */
export async function measure(
  command: Command,
  boundSeconds: number,
  parse: (output: string) => Answer = parseAnswer,
): Promise<Run> {
  const child = spawn(command.file, command.args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.on('data', (data) => (output += data));
  child.stderr.on('data', (data) => (errors += data));
  let peakBytes: number | null = null;
  const watch = setInterval(async () => {
    const now = child.pid === undefined ? null : await peakOf(child.pid);
    if (now !== null) peakBytes = Math.max(peakBytes ?? 0, now);
  }, 20);
  let isLate = false;
  const bound = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, boundSeconds * 1000);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (isLate) return { failure: `not done in ${boundSeconds} s` };
    if (code !== 0) return { failure: `exit status ${code}: ${complaint(errors || output)}` };
    return { ...parse(output), peakBytes };
  } catch (error) {
    return { failure: reasonOf(error) };
  } finally {
    clearInterval(watch);
    clearTimeout(bound);
  }
}

/** The line that reports the error, or the last line. */
function complaint(text: string): string {
  const lines = text.trim().split('\n');
  return lines.find((line) => /^\w*Error: /.test(line)) ?? lines.at(-1) ?? '';
}

async function peakOf(pid: number): Promise<number | null> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) * 1024;
  } catch (error) {
    // The process is gone, or this is not Linux.
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
      return null;
    throw error;
  }
}
