import { statSync } from 'node:fs';
import { UsageError } from '../../verification/check/errors.ts';
import { recordedMachines } from '../../verification/runs/replay.ts';
import { chartOf } from '../../verification/timeline/chart.ts';
import { Follower } from '../../verification/timeline/follow.ts';
import type { WindowEvents } from './attach.ts';
import { AttachedLocks } from './attached-locks.ts';
import { planOf } from './chart-plan.ts';
import { answerLiveOf, onlyOne, type Shows, showLive } from './live.ts';
import { LockBoard } from './lock-board.ts';
import { builtPage } from './page.ts';
import { type Answer, servePage } from './server.ts';

const about = 'a running cluster';

/** A page that shows a run while it goes on. */
export interface LivePage {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the page of the cluster that records into `directory`. The newest `mostSteps` steps are kept.
 *
 * @throws `UsageError` when that is no directory, or the port is taken.
 */
export async function openLive(directory: string, port: number, mostSteps = 5_000): Promise<LivePage> {
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError(`${directory} is no directory of records: expected what baton site --trace names`);
  }
  await layOutKnown();
  return openPage(onlyOne(new Follower(directory)), answerLiveOf(about), port, mostSteps);
}

/**
 * Serves the page of the cluster that is watched at `urls`, `ws://host:port/?token=...`. The newest `mostSteps` steps are
 * kept.
 *
 * @throws `UsageError` when a URL is none, or the port is taken.
 */
export async function openAttached(
  urls: readonly string[],
  lock: string | undefined,
  port: number,
  mostSteps = 10_000,
  events?: WindowEvents,
): Promise<LivePage> {
  const bad = urls.find((url) => !URL.canParse(url) || !/^wss?:$/.test(new URL(url).protocol));
  if (bad !== undefined) throw new UsageError(`${bad} is no address of a site: expected ws://host:port/`);
  await layOutKnown();
  const board = new LockBoard(urls);
  const attached = new AttachedLocks({
    urls,
    ...(lock !== undefined && { lock }),
    ...(events && { events }),
    say: warn,
  });
  try {
    const answer = answerLiveOf(
      about,
      {},
      {
        find: (like) => attached.find(like),
        table: (like) => board.read(like),
        members: () => board.members(),
      },
    );
    const page = await openPage(attached, answer, port, mostSteps);
    const close = () => {
      board.close();
      attached.close();
      return page.close();
    };
    return { url: page.url, close };
  } catch (error) {
    board.close();
    attached.close();
    throw error;
  }
}

/** Before anything is watched: while a chart is laid out, this process does nothing else, and windows would end. */
export async function layOutKnown(): Promise<void> {
  for (const { machine } of Object.values(recordedMachines)) await planOf(chartOf(machine));
}

async function openPage(shows: Shows, answer: Answer, port: number, mostSteps: number): Promise<LivePage> {
  const page = await servePage(await builtPage(say), answer, port);
  const live = showLive(shows, page.server, mostSteps, warn);
  const close = () => {
    live.close();
    return page.close();
  };
  return { url: page.url, close };
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function warn(text: string): void {
  say(`baton: ${text}`);
}
