import { Command } from 'commander';
import { aligned, whole } from '../columns.ts';
import type { Contender } from '../lock/contenders.ts';
import { Runner } from '../lock/runner.ts';
import type { Scenario } from '../lock/scenarios.ts';
import { startCentralFifo, startMembers, startPostgres, startRedis } from '../lock/servers/servers.ts';

/*
 * Guests of three members beside the clients of other locks, as many of each, with a connection for every one of them. Each client takes
 * a lock and releases it at once, again and again. One contender runs after the other, since each fills the machine. The tables go to
 * stdout and progress to stderr. Exit status 1 when critical sections of Baton overlapped, or its clients were served unequally.
 */

interface Options {
  readonly clients: number;
  readonly processes: number;
  readonly seconds: number;
  readonly warm: number;
  readonly only: string;
}

const { clients, processes, seconds, warm, only } = new Command('bench:guests')
  .option('--clients <n>', 'number of clients', Number, 500)
  .option('--processes <n>', 'number of processes that they are in', Number, 4)
  .option('--seconds <n>', 'how long each contender is measured', Number, 20)
  .option('--warm <n>', 'seconds of the same before', Number, 10)
  .option('--only <text>', 'only those whose name contains it', '')
  .parse()
  .opts<Options>();

const baton = 'Baton, guests of 3 members';
const contenders: readonly Contender[] = [
  { name: baton, module: 'baton-guest', server: startMembers },
  { name: 'central FIFO server', module: 'central-fifo', server: startCentralFifo },
  { name: 'PostgreSQL advisory lock', module: 'postgres', server: startPostgres },
  { name: 'redlock', module: 'redlock', server: startRedis },
];
const leastFairness = 0.99;

for (const locks of [1, 1_000]) {
  const name = `${clients} clients, ${locks === 1 ? 'one lock' : `${whole(locks)} locks`}`;
  const scenario: Scenario = { name, processes, clients: clients / processes, tasks: 1, locks };
  const lines = [[name, 'sections/s', 'hand-offs/s', 'p50', 'p99', "Jain's index", 'overlaps']];
  for (const contender of contenders.filter((one) => one.name.includes(only))) {
    console.error(`${name}: ${contender.name}`);
    const runner = await Runner.open(contender, scenario, 'any');
    try {
      await runner.warm(warm);
      await runner.measure(seconds);
    } finally {
      await runner.stop();
    }
    const [figures] = runner.turns;
    if (figures === undefined) {
      lines.push([contender.name, runner.failure!]);
      continue;
    }
    const { entries, handOffs, p50Ms, p99Ms, fairness, overlaps } = figures;
    lines.push([
      contender.name,
      ...[entries, handOffs].map(whole),
      ...[p50Ms, p99Ms].map((ms) => `${whole(ms)} ms`),
      fairness.toFixed(4),
      whole(overlaps),
    ]);
    if (contender.name === baton && (overlaps > 0 || fairness < leastFairness)) process.exitCode = 1;
  }
  console.log(`${aligned(lines)}\n`);
}
