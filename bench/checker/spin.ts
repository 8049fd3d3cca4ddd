import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Answer } from './answer.ts';
import type { Command } from './measure.ts';

const run = promisify(execFile);
const model = fileURLToPath(new URL('./naimi-trehel.pml', import.meta.url));

/** Tells whether SPIN, and the compiler that it needs, are on the PATH. */
export async function hasSpin(): Promise<boolean> {
  try {
    await run('spin', ['-V']);
    await run('gcc', ['--version']);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

/**
 * Compiles a verifier for `sites` sites below `folder`. The search depth, and with it the stack size, was
 * found by trial. With too short a stack, the search ends with wrong counts.
 */
export async function prepareSpin(sites: number, folder: string): Promise<Command> {
  const cwd = join(folder, `spin-${sites}`);
  await mkdir(cwd);
  await run('spin', [`-DN=${sites}`, '-a', model], { cwd });
  const flags = ['-O2', '-DSAFETY', '-DNOREDUCE', '-DMEMLIM=24000'];
  await run('gcc', [...flags, '-w', '-o', 'pan', 'pan.c'], { cwd });
  const [stack, slots] = sites >= 6 ? [10_000_000, 25] : [200_000, 20];
  return { file: join(cwd, 'pan'), args: [`-m${stack}`, `-w${slots}`] };
}

/** SPIN counts the step into the initial state as a transition. */
export function parseSpin(output: string): Answer {
  const number = (pattern: RegExp) => {
    const found = pattern.exec(output)?.[1];
    if (found === undefined) throw new Error(`expected ${pattern} in SPIN's output: ${output.slice(-500)}`);
    return Number(found);
  };
  if (!/errors: 0\b/.test(output)) throw new Error(`SPIN reports an error: ${output.slice(0, 500)}`);
  const states = number(/([0-9.e+]+) states, stored/);
  return {
    states,
    transitions: states + number(/([0-9.e+]+) states, matched/) - 1,
    orbits: null,
    // Its clock ticks a hundred times per second.
    seconds: Math.max(0.01, number(/elapsed time ([0-9.e+]+) seconds/)),
    tableBytes: null,
  };
}
