import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { median, whole } from '../columns.ts';
import { beginInspector, beginSites, countsOf, type SiteProcess } from './cluster.ts';

/** Time after which a turn begins that a viewer was stopped or went on. */
const settleMs = 300;

/**
 * Measures the cost of watching a cluster at full load. The same processes run in turns with and without
 * `baton inspect --attach` and a page that follows it. The inspector is stopped (SIGSTOP) during turns
 * without watching. So turns can be short and many, and all processes are warm. Beside the throughput, which
 * depends on the load of the machine, the processor time of the sites for each critical section is compared:
 * the part of the cost that remains where the inspector runs on another machine.
 */
export async function measureWatching(given: readonly string[]): Promise<void> {
  const [sites = 3, pairs = 20, seconds = 1.5] = given.map(Number);
  const processes = await beginSites(sites);
  let viewer: Viewer | null = null;
  try {
    viewer = await watch(processes);
    await sleep(4_000);
    const rates: number[] = [];
    const costs: number[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      // The order alternates, so that a machine that warms up or slows down favours neither.
      const order = pair % 2 === 0 ? [false, true] : [true, false];
      const turns = new Map<boolean, Turn>();
      for (const isWatched of order) {
        viewer.child.kill(isWatched ? 'SIGCONT' : 'SIGSTOP');
        await sleep(settleMs);
        const { frames } = viewer;
        turns.set(isWatched, await turn(processes, seconds));
        if (viewer.frames > frames !== isWatched)
          throw new Error('watched when it was not to be, or not when it was');
      }
      const [without, within] = [turns.get(false)!, turns.get(true)!];
      rates.push(within.rate / without.rate);
      costs.push(within.micros / without.micros);
      console.log(
        `not watched ${whole(without.rate)}/s at ${without.micros.toFixed(1)} µs, watched ${whole(within.rate)}/s at ${within.micros.toFixed(1)} µs: ` +
          `throughput ${rates.at(-1)!.toFixed(3)}, processor time ${costs.at(-1)!.toFixed(3)}`,
      );
    }
    console.log(
      `\n${sites} sites, ${pairs} pairs of ${seconds} s: watched, the throughput is ${median(rates).toFixed(3)} of not watched, ` +
        `the processor time of the sites for a critical section ${median(costs).toFixed(3)} (medians)`,
    );
  } finally {
    for (const child of [...processes.map((one) => one.child), viewer?.child]) child?.kill('SIGKILL');
    viewer?.socket.terminate();
  }
}

interface Turn {
  /** Critical sections per second. */
  readonly rate: number;
  /** Processor time of the sites for each. */
  readonly micros: number;
}

async function turn(processes: readonly SiteProcess[], seconds: number): Promise<Turn> {
  const [before, begun] = [await countsOf(processes), performance.now()];
  await sleep(seconds * 1_000);
  const after = await countsOf(processes);
  const entered = after.entered - before.entered;
  return {
    rate: entered / ((performance.now() - begun) / 1_000),
    micros: (after.cpuMicros - before.cpuMicros) / entered,
  };
}

interface Viewer {
  readonly child: ChildProcess;
  readonly socket: WebSocket;
  /** Number of frames that the page has received so far. */
  frames: number;
}

async function watch(watched: readonly SiteProcess[]): Promise<Viewer> {
  const { child, url } = await beginInspector(watched);
  const socket = new WebSocket(`ws://${url.host}/api/live`, { origin: url.origin });
  const opened: Viewer = { child, socket, frames: 0 };
  socket.on('message', () => opened.frames++);
  await once(socket, 'open');
  return opened;
}
