import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { freePort } from '../../runtime/testing/free-ports.ts';
import { aligned, median, whole } from '../columns.ts';
import type { Open } from './client.ts';
import { contenders } from './contenders.ts';

/*
 * The work of the processes for a hand-off: CPU time, reads and writes of sockets, turns of the event loop, and the time from a read to the
 * write that follows it. Processes on a core each, as far as there are so many, hand on one lock, or one of many. The built package is measured:
 * `npm run build`, then `node --import tsx bench/lock/inside.ts`.
 */

interface Options {
  readonly processes: number;
  readonly tasks: number;
  readonly locks: number;
  readonly warm: number;
  readonly seconds: number;
  readonly rounds: number;
  readonly only: string;
}

/** The work of one process for its critical sections. */
interface Work {
  readonly sections: number;
  readonly cpuUs: number;
  readonly reads: number;
  readonly writes: number;
  readonly turns: number;
  /** Median of the times from a read to the next write. */
  readonly readToWriteUs: number;
}

const program = fileURLToPath(import.meta.url);
const now = () => Number(process.hrtime.bigint()) / 1_000;

if (process.send) await work();
else await measure();

/** A process: `<module> <tasks> <locks> <index> <port>...`. Each message is a number of milliseconds to work for. */
async function work(): Promise<void> {
  const [module, tasks, locks, index, ...ports] = process.argv.slice(2);
  const spans: number[] = [];
  const seen = { reads: 0, writes: 0 };
  let readAt: number | null = null;
  const { emit, write } = Socket.prototype;
  Socket.prototype.emit = function (this: Socket, ...args: Parameters<typeof emit>) {
    if ((args[0] as string) === 'data') {
      seen.reads += 1;
      readAt ??= now();
    }
    return emit.apply(this, args);
  } as typeof emit;
  Socket.prototype.write = function (this: Socket, ...args: unknown[]) {
    seen.writes += 1;
    if (readAt !== null) spans.push(now() - readAt);
    readAt = null;
    return write.apply(this, args as never);
  } as typeof write;
  const { open } = (await import(module!)) as { readonly open: Open };
  const client = await open({ index: Number(index), clients: ports.length, ports: ports.map(Number) });
  process.once('disconnect', () => process.exit(0));
  process.on('message', async (forMs: number) => {
    const cpu = process.cpuUsage();
    const before = { ...seen, turns: performance.nodeTiming.uvMetricsInfo.loopCount };
    spans.length = 0;
    let sections = 0;
    const end = performance.now() + forMs;
    const task = async () => {
      for (; performance.now() < end; sections++) {
        const release = await client.acquire(`lock-${Math.floor(Math.random() * Number(locks))}`);
        await release();
      }
    };
    await Promise.all(Array.from({ length: Number(tasks) }, task));
    const { user, system } = process.cpuUsage(cpu);
    const done: Work = {
      sections,
      cpuUs: user + system,
      reads: seen.reads - before.reads,
      writes: seen.writes - before.writes,
      turns: performance.nodeTiming.uvMetricsInfo.loopCount - before.turns,
      readToWriteUs: spans.length === 0 ? Number.NaN : median(spans),
    };
    process.send!(done);
  });
  process.send!('opened');
}

async function measure(): Promise<void> {
  const { processes, tasks, locks, warm, seconds, rounds, only } = new Command('inside')
    .option('--processes <n>', 'how many processes hand on the lock', Number, 2)
    .option('--tasks <n>', 'how many loops each process runs', Number, 1)
    .option('--locks <n>', 'how many locks there are', Number, 1)
    .option('--warm <n>', 'seconds of the same before', Number, 20)
    .option('--seconds <n>', 'how long each is measured at its turn', Number, 1)
    .option('--rounds <n>', "how often it is each one's turn: figures are medians", Number, 5)
    .option(
      '--only <texts>',
      'those whose name contains one of these, with commas between them',
      'ring,Baton,central',
    )
    .parse()
    .opts<Options>();
  const chosen = contenders.filter(({ name }) => only.split(',').some((text) => name.includes(text)));
  const lines = [['', 'sections/s', 'CPU of a section', 'read to write', 'reads', 'writes', 'turns']];
  const opened = [];
  for (const { name, module, server } of chosen) {
    const started = await server?.(freePort);
    if (typeof started === 'string') throw new Error(`${name}: ${started}`);
    const ports = started?.ports ?? (await Promise.all(Array.from({ length: processes }, freePort)));
    const file = new URL(`./contenders/${module}.ts`, import.meta.url).href;
    const children = Array.from({ length: processes }, (_, index) =>
      fork(program, [file, ...[tasks, locks, index, ...ports].map(String)], {
        execPath: 'taskset',
        execArgv: ['--cpu-list', String(index % availableParallelism()), process.execPath, '--import', 'tsx'],
      }),
    );
    await Promise.all(children.map((child) => once(child, 'message')));
    opened.push({ name, started, children, turns: [] as Work[] });
  }
  for (const { children } of opened) await ask(children, warm * 1_000);
  for (let round = 0; round < rounds; round++) {
    for (const { children, turns } of opened) {
      await ask(children, 300);
      turns.push(sumOf(await ask(children, seconds * 1_000)));
    }
  }
  for (const { name, turns, started, children } of opened) {
    const of = (value: (work: Work) => number) => median(turns.map(value));
    const each = (key: 'reads' | 'writes' | 'turns') => of((work) => work[key] / work.sections).toFixed(2);
    lines.push([
      name,
      whole(of(({ sections }) => sections / seconds)),
      `${of(({ cpuUs, sections }) => cpuUs / sections).toFixed(1)} µs`,
      `${of(({ readToWriteUs }) => readToWriteUs).toFixed(1)} µs`,
      each('reads'),
      each('writes'),
      each('turns'),
    ]);
    for (const child of children) child.disconnect();
    await started?.stop();
  }
  console.log(aligned(lines));
}

function ask(children: readonly ChildProcess[], forMs: number): Promise<Work[]> {
  return Promise.all(
    children.map(async (child) => {
      const answer = once(child, 'message');
      child.send(forMs);
      return (await answer)[0] as Work;
    }),
  );
}

function sumOf(works: readonly Work[]): Work {
  const sum = (key: keyof Work) => works.reduce((total, work) => total + work[key], 0);
  return {
    sections: sum('sections'),
    cpuUs: sum('cpuUs'),
    reads: sum('reads'),
    writes: sum('writes'),
    turns: sum('turns'),
    readToWriteUs: sum('readToWriteUs') / works.length,
  };
}
