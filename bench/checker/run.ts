import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { type Contender, contenders, reference } from './contenders.ts';
import { measure, type Run } from './measure.ts';
import { summarize, table } from './table.ts';
import { truth } from './truth.ts';

/*
 * Explores Naimi-Trehel on fifo with Baton and with all other programs installed here, side by side. First
 * the counts are compared, then the times. The table goes to stdout and progress to stderr. Exit status 1
 * when any count differs from protocol.md, or when Baton does not finish.
 */

interface Options {
  readonly quick?: boolean;
  readonly sites?: readonly number[];
  readonly repeat: number;
  readonly bound: number;
  readonly peer: readonly string[];
  readonly only?: string;
}

const { quick, sites, repeat, bound, peer, only } = new Command('bench:checker')
  .option('--quick', 'five sites only')
  .option(
    '--sites <list>',
    'numbers of sites, such as 4,5 (default: 5,6,7; 7 with symmetry only)',
    parseSites,
  )
  .option('--repeat <runs>', 'runs of each; the median counts', positive, 3)
  .option('--bound <seconds>', 'how long a run may take', positive, 600)
  .option('--only <text>', 'only those whose name contains it')
  .option(
    '--peer <NAME=COMMAND>',
    'one more: prints states=… time=…s; {N} is the number of sites',
    collect,
    [],
  )
  .parse()
  .opts<Options>();

const everyone = (await contenders(peer)).filter(({ name }) => only === undefined || name.includes(only));
const folder = mkdtempSync(join(tmpdir(), 'baton-bench-'));
try {
  for (const size of sites ?? (quick ? [5] : [5, 6, 7])) {
    if (!(await compare(size))) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}

/** Prints the table for `size` sites. Returns false when a count is wrong or Baton did not finish. */
async function compare(size: number): Promise<boolean> {
  const truthHere = truth[size];
  if (truthHere === undefined)
    throw new Error(`There is no published count for ${size} sites: 2 to 7 have one.`);
  const here = everyone.filter(({ mostSites }) => size <= mostSites);
  const rows = (await measureAll(here, size)).map((row) => ({ ...row, summary: summarize(row, truthHere) }));
  console.log(table(size, rows, reference));
  for (const contender of here.filter(({ isSlow }) => isSlow)) {
    const isDone = rows.some(({ name, summary }) => name === contender.name && summary !== null);
    if (!isDone) console.log(await largestDone(contender, size - 1));
  }
  console.log();
  return rows.every(({ name, summary }) =>
    summary === null ? !name.startsWith('Baton') : summary.wrong === null,
  );
}

/**
 * The result of an unfinished contender at the largest size that it finishes. It is measured, never
 * extrapolated.
 */
async function largestDone(contender: Contender, size: number): Promise<string> {
  const { name, prepare, parse } = contender;
  console.error(`N = ${size}: ${name}`);
  const run = await measure(await prepare(size, folder), bound, parse);
  if (!('failure' in run)) {
    const rate = Math.round(run.states / run.seconds).toLocaleString('en-US');
    return `${name}: ${run.states.toLocaleString('en-US')} states at N = ${size} in ${run.seconds.toFixed(2)} s, ${rate} states/s`;
  }
  if (size > 2) return largestDone(contender, size - 1);
  return `${name}: ${run.failure}`;
}

/** Runs take turns, so that a noisy minute affects all contenders. */
async function measureAll(contenders: readonly Contender[], size: number) {
  const prepared = [];
  for (const contender of contenders) {
    prepared.push({ ...contender, command: await contender.prepare(size, folder), runs: [] as Run[] });
  }
  for (let round = 1; round <= repeat; round++) {
    for (const { name, isSlow, parse, command, runs } of prepared) {
      if (round > 1 && (isSlow || runs.some((run) => 'failure' in run))) continue;
      console.error(`N = ${size}, run ${round} of ${isSlow ? 1 : repeat}: ${name}`);
      const run = await measure(command, bound, parse);
      console.error('failure' in run ? `  ${run.failure}` : `  ${run.states} states in ${run.seconds} s`);
      runs.push(run);
    }
  }
  return prepared.map(({ name, runs }) => ({ name, runs }));
}

function parseSites(text: string): readonly number[] {
  return text.split(',').map(positive);
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('Expected a whole number from 1.');
  return value;
}

function collect(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}
