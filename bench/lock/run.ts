import { Command, Option } from 'commander';
import { aligned, median, whole } from '../columns.ts';
import { type Contender, contenders } from './contenders.ts';
import type { Figures } from './figures.ts';
import type { Cores } from './processes.ts';
import { Runner, reasonOf } from './runner.ts';
import { type Scenario, scenarios } from './scenarios.ts';

/*
 * Compares locks side by side: processes of one machine run the same loops of empty critical sections with
 * every lock that is installed here. The tables go to stdout and progress to stderr. Exit status 1 when
 * critical sections of Baton overlapped.
 */

interface Options {
  readonly seconds: number;
  readonly rounds: number;
  readonly warm: number;
  readonly kills: number;
  readonly bound: number;
  readonly only?: string;
  readonly scenario?: string;
  readonly cores: Cores;
  readonly cold?: number;
}

type Row = Pick<Runner, 'contender' | 'turns' | 'failure'>;

const { seconds, rounds, warm, kills, bound, only, scenario, cores, cold } = new Command('bench:lock')
  .option('--seconds <n>', 'how long each is measured at its turn', Number, 1)
  .option('--rounds <n>', "how often it is each one's turn: figures are medians", Number, 7)
  .option(
    '--warm <n>',
    'seconds of the same before: eight processes on few cores take long until all is compiled',
    Number,
    20,
  )
  .option('--kills <n>', 'how often the holder is killed', Number, 3)
  .option('--bound <seconds>', 'how long the next may take to get a lock whose holder is dead', Number, 60)
  .option('--only <texts>', 'only those whose name contains one of these, with commas between them')
  .option('--scenario <text>', "only those whose name contains it; 'kill' is the last")
  .addOption(
    new Option(
      '--cores <which>',
      'where the processes run (taskset): wherever the system puts them, all on one core, or each on one of its own as far as there are so many',
    )
      .choices(['any', 'one', 'each'])
      .default('any'),
  )
  .option(
    '--cold <n>',
    'nothing but this: the sections of each of the first n seconds, from the opening on',
    Number,
  )
  .parse()
  .opts<Options>();

const chosen = contenders.filter(
  ({ name }) => only === undefined || only.split(',').some((text) => name.includes(text)),
);
const wanted = scenarios.filter(({ name }) => scenario === undefined || name.includes(scenario));
const measuresKills = scenario === undefined || 'kill -9'.includes(scenario);

for (const one of wanted) {
  if (cold !== undefined) {
    console.log(`${await tableOfStarts(one, cold)}\n`);
    continue;
  }
  const rows = await byTurns(one);
  console.log(`${tableOf(one, rows)}\n`);
  if (
    rows.some(({ contender, turns }) => contender.name === 'Baton' && turns.some(({ overlaps }) => overlaps))
  )
    process.exitCode = 1;
}
if (measuresKills && cold === undefined) console.log(await tableOfKills());

/**
 * Opens all contenders at once and lets them take turns, so that other load on the machine affects all of
 * them.
 */
async function byTurns(one: Scenario): Promise<readonly Row[]> {
  const all = [];
  try {
    for (const contender of chosen) all.push(await Runner.open(contender, one, cores));
    for (const runner of all) {
      console.error(`${one.name}: ${runner.contender.name}`);
      await runner.warm(warm);
    }
    for (let round = 0; round < rounds; round++) {
      console.error(`${one.name}: round ${round + 1} of ${rounds}`);
      for (const runner of all) await runner.turn(seconds);
    }
  } finally {
    await Promise.all(all.map((runner) => runner.stop()));
  }
  return all;
}

/** How fast each is in each second of its life, since code is compiled as it is used. */
async function tableOfStarts(one: Scenario, most: number): Promise<string> {
  const lines = [[`${one.name}, cold`, ...Array.from({ length: most }, (_, second) => `${second + 1} s`)]];
  for (const contender of chosen) {
    console.error(`${one.name}, cold: ${contender.name}`);
    const runner = await Runner.open(contender, one, cores);
    try {
      for (let second = 0; second < most; second++) await runner.measure(1);
    } finally {
      await runner.stop();
    }
    const { failure, turns } = runner;
    lines.push([
      contender.name,
      ...(failure === null ? turns.map(({ entries }) => whole(entries)) : [failure]),
    ]);
  }
  return aligned(lines);
}

async function tableOfKills(): Promise<string> {
  const two = scenarios.find(({ processes }) => processes === 2)!;
  const lines = [['kill -9 of the holder', 'median', 'least', 'most']];
  for (const contender of chosen) {
    if (contender.isLocal || contender.isFloor) continue;
    console.error(`kill -9: ${contender.name}`);
    const times = await timesOfKills(contender, { ...two, processes: 3 });
    lines.push(
      typeof times === 'string'
        ? [contender.name, times]
        : [contender.name, ...[median(times), Math.min(...times), Math.max(...times)].map(milliseconds)],
    );
  }
  return aligned(lines);
}

function tableOf({ name, processes, locks }: Scenario, rows: readonly Row[]): string {
  const head = [
    name,
    'sections/s',
    'hand-offs/s',
    'to the first',
    'p50',
    'p99',
    'p99/p50',
    'fairness',
    'overlaps',
  ];
  const first = rows.find(({ failure }) => failure === null);
  const lines = rows.map((row) => {
    const { contender, turns, failure } = row;
    if (failure !== null) return [contender.name, failure];
    const middle = (of: (turn: Figures) => number) => median(turns.map(of));
    const isShared = processes > 1 && !contender.isLocal;
    return [
      contender.name,
      whole(middle(({ entries }) => entries)),
      isShared ? whole(middle(({ handOffs }) => handOffs)) : '–',
      `${median(turns.map((turn, round) => rateOf(row, turn) / rateOf(first!, first!.turns[round]!))).toFixed(2)}x`,
      milliseconds(middle(({ p50Ms }) => p50Ms)),
      milliseconds(middle(({ p99Ms }) => p99Ms)),
      middle(({ p50Ms, p99Ms }) => p99Ms / p50Ms).toFixed(1),
      isShared ? middle(({ fairness }) => fairness).toFixed(3) : '–',
      whole(turns.reduce((sum, { overlaps }) => sum + overlaps, 0)),
    ];
  });
  return aligned([head, ...lines]);

  /**
   * Where many processes wait for one lock, only entries after another process count. A lock that lets the
   * same process win again would otherwise look fast.
   */
  function rateOf({ contender }: Row, { entries, handOffs }: Figures): number {
    return processes > 1 && locks === 1 && !contender.isLocal ? handOffs : entries;
  }
}

async function timesOfKills(contender: Contender, holders: Scenario): Promise<readonly number[] | string> {
  const times: number[] = [];
  for (let kill = 0; kill < kills; kill++) {
    const runner = await Runner.open(contender, holders, cores);
    try {
      if (runner.failure !== null) return runner.failure;
      times.push(await runner.killHolder(bound));
    } catch (error) {
      return reasonOf(error);
    } finally {
      await runner.stop();
    }
  }
  return times;
}

function milliseconds(value: number): string {
  return `${value < 10 ? value.toFixed(2) : whole(value)} ms`;
}
