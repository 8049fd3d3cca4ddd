import { Command } from 'commander';
import { aligned, median, whole } from '../columns.ts';
import { type Contender, contenders } from './contenders.ts';
import { type Figures, figuresOf } from './figures.ts';
import { freePort, Processes } from './processes.ts';
import { type Scenario, scenarios } from './scenarios.ts';
import type { Server } from './servers/servers.ts';

/*
 * Locks side by side: the same loops of empty critical sections, by processes of one machine, for every lock that is
 * here. The tables go to stdout, progress to stderr. Exit status 1 when critical sections of Baton overlapped.
 */

interface Options {
  readonly seconds: number;
  readonly warm: number;
  readonly kills: number;
  readonly bound: number;
  readonly only?: string;
  readonly scenario?: string;
  readonly oneCore?: boolean;
}

const { seconds, warm, kills, bound, only, scenario, oneCore } = new Command('bench:lock')
  .option('--seconds <n>', 'how long each is measured', Number, 3)
  .option('--warm <n>', 'seconds of the same before, so that what is compiled as it runs is', Number, 5)
  .option('--kills <n>', 'how often the holder is killed', Number, 3)
  .option('--bound <seconds>', 'how long the next may take to get a lock whose holder is dead', Number, 60)
  .option('--only <text>', 'only those whose name contains it')
  .option('--scenario <text>', "only those whose name contains it; 'kill' is the last")
  .option('--one-core', 'all processes on one core, which then never sleeps (taskset)')
  .parse()
  .opts<Options>();

type Cell = Figures | string;

const chosen = contenders.filter(({ name }) => only === undefined || name.includes(only));
const wanted = scenarios.filter(({ name }) => scenario === undefined || name.includes(scenario));
const measuresKills = scenario === undefined || 'kill -9'.includes(scenario);

for (const one of wanted) {
  const rows = [];
  for (const contender of chosen) rows.push({ contender, cell: await attempt(contender, one) });
  console.log(`${tableOf(one, rows)}\n`);
  if (
    rows.some(
      ({ contender, cell }) => contender.name === 'Baton' && typeof cell !== 'string' && cell.overlaps,
    )
  )
    process.exitCode = 1;
}
if (measuresKills) console.log(await tableOfKills());

async function attempt(contender: Contender, one: Scenario): Promise<Cell> {
  if (contender.hasOneLock && one.locks > 1) return 'has one lock';
  if (contender.isFloor && one.processes === 1) return 'needs two processes';
  console.error(`${one.name}: ${contender.name}`);
  return withServer(contender, (port) =>
    withProcesses(contender, one, port, async (processes) => {
      await processes.work(warm * 1_000);
      return figuresOf(await processes.work(seconds * 1_000), seconds);
    }),
  );
}

async function tableOfKills(): Promise<string> {
  const two = scenarios.find(({ processes }) => processes === 2)!;
  const lines = [['kill -9 of the holder', 'median', 'least', 'most']];
  for (const contender of chosen) {
    if (contender.isLocal || contender.isFloor) continue;
    console.error(`kill -9: ${contender.name}`);
    const times = await withServer(contender, async (port) => {
      const found: number[] = [];
      for (let kill = 0; kill < kills; kill++) {
        const holders = { ...two, processes: 3 };
        found.push(await withProcesses(contender, holders, port, (processes) => processes.killHolder(bound)));
      }
      return found;
    });
    lines.push(
      typeof times === 'string'
        ? [contender.name, times]
        : [contender.name, ...[median(times), Math.min(...times), Math.max(...times)].map(milliseconds)],
    );
  }
  return aligned(lines);
}

/** A server that cannot be had here, or what went wrong, is the answer. */
async function withServer<T>(
  contender: Contender,
  use: (port: number | null) => Promise<T>,
): Promise<T | string> {
  let server: Server | null = null;
  try {
    const started = await contender.server?.(freePort);
    if (typeof started === 'string') return started;
    server = started ?? null;
    return await use(server?.port ?? null);
  } catch (error) {
    return `failed: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    await server?.stop();
  }
}

async function withProcesses<T>(
  contender: Contender,
  one: Scenario,
  port: number | null,
  use: (processes: Processes) => Promise<T>,
): Promise<T> {
  const processes = await Processes.open(contender, one, port, oneCore ?? false);
  try {
    return await use(processes);
  } finally {
    await processes.stop();
  }
}

function tableOf(
  { name, processes, locks }: Scenario,
  rows: readonly { readonly contender: Contender; readonly cell: Cell }[],
): string {
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
  const first = rows.flatMap(({ contender, cell }) =>
    typeof cell === 'string' ? [] : rateOf(contender, cell),
  )[0];
  const lines = rows.map(({ contender, cell }) => {
    if (typeof cell === 'string') return [contender.name, cell];
    const { entries, handOffs, p50Ms, p99Ms, fairness, overlaps } = cell;
    const isShared = processes > 1 && !contender.isLocal;
    return [
      contender.name,
      whole(entries),
      isShared ? whole(handOffs) : '–',
      first ? `${(rateOf(contender, cell) / first).toFixed(2)}x` : '–',
      milliseconds(p50Ms),
      milliseconds(p99Ms),
      (p99Ms / p50Ms).toFixed(1),
      isShared ? fairness.toFixed(3) : '–',
      whole(overlaps),
    ];
  });
  return aligned([head, ...lines]);

  /** Where many wait for one lock, entries after another process alone count: who lets one process win again looks fast. */
  function rateOf({ isLocal }: Contender, { entries, handOffs }: Figures): number {
    return processes > 1 && locks === 1 && !isLocal ? handOffs : entries;
  }
}

function milliseconds(value: number): string {
  return `${value < 10 ? value.toFixed(2) : whole(value)} ms`;
}
