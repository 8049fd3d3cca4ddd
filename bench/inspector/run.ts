import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { freePort } from '../../runtime/testing/free-ports.ts';
import { median, whole } from '../columns.ts';
import type { Site } from './site.ts';

/**
 * Measures the cost of watching a cluster at full load. The same processes run in turns with and without
 * `baton inspect --attach` and a page that follows it. The inspector is stopped (SIGSTOP) during turns
 * without watching. So turns can be short and many, and all processes are warm.
 *
 *     node --import tsx bench/inspector/run.ts [SITES] [PAIRS] [SECONDS]
 */
const [sites = 3, pairs = 20, seconds = 1.5] = process.argv.slice(2).map(Number);
const settleMs = 300;
const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

const processes = await begin(sites);
let viewer: Viewer | null = null;
try {
  viewer = await watch();
  await sleep(4_000);
  const ratios: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    // The order alternates, so that a machine that warms up or slows down favours neither.
    const order = pair % 2 === 0 ? [false, true] : [true, false];
    const rates = new Map<boolean, number>();
    for (const isWatched of order) {
      viewer.child.kill(isWatched ? 'SIGCONT' : 'SIGSTOP');
      await sleep(settleMs);
      const { frames } = viewer;
      rates.set(isWatched, await rate());
      if (viewer.frames > frames !== isWatched)
        throw new Error('watched when it was not to be, or not when it was');
    }
    const [without, within] = [rates.get(false)!, rates.get(true)!];
    ratios.push(within / without);
    console.log(
      `not watched ${whole(without)}/s, watched ${whole(within)}/s: ${(within / without).toFixed(3)}`,
    );
  }
  console.log(
    `\n${sites} sites, ${pairs} pairs of ${seconds} s: watched is ${median(ratios).toFixed(3)} of not watched (median)`,
  );
} finally {
  for (const child of [...processes.map((one) => one.child), viewer?.child]) child?.kill('SIGKILL');
  viewer?.socket.terminate();
}

/** Starts site processes that all take the lock. */
async function begin(count: number): Promise<readonly { child: ChildProcess; url: string }[]> {
  const ids = Array.from({ length: count }, (_, index) => String.fromCharCode(97 + index));
  const addresses: Record<string, Site['listen']> = {};
  for (const id of ids) addresses[id] = { host: '127.0.0.1', port: await freePort() };
  return Promise.all(
    ids.map(async (site) => {
      const child = fork(here('site.ts'), { execArgv: ['--import', 'tsx'] });
      const { [site]: listen, ...peers } = addresses;
      child.send({ site, listen: listen!, peers } satisfies Site);
      const [{ url }] = (await once(child, 'message')) as [{ url: string }];
      return { child, url };
    }),
  );
}

/** Critical sections per second. */
async function rate(): Promise<number> {
  const [before, begun] = [await entered(), performance.now()];
  await sleep(seconds * 1_000);
  return ((await entered()) - before) / ((performance.now() - begun) / 1_000);
}

async function entered(): Promise<number> {
  const counts = await Promise.all(
    processes.map(async ({ child }) => {
      child.send('count');
      const [message] = (await once(child, 'message')) as [{ entered: number }];
      return message.entered;
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

interface Viewer {
  readonly child: ChildProcess;
  readonly socket: WebSocket;
  /** Number of frames that the page has received so far. */
  frames: number;
}

async function watch(): Promise<Viewer> {
  const urls = processes.map(({ url }) => url).join();
  const child = fork(here('../../cli/baton.mjs'), ['inspect', '--attach', urls, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
  });
  const [line] = (await once(child.stdout!.setEncoding('utf8'), 'data')) as [string];
  const url = new URL(line.trim());
  const socket = new WebSocket(`ws://${url.host}/api/live`, { origin: url.origin });
  const opened: Viewer = { child, socket, frames: 0 };
  socket.on('message', () => opened.frames++);
  await once(socket, 'open');
  return opened;
}
