import { statSync } from 'node:fs';
import { Follower } from '../../verification/explorer/follow.ts';
import { UsageError } from '../exit.ts';
import { Attached } from './attach.ts';
import { answerLive, type Followed, showLive } from './live.ts';
import { builtPage } from './page.ts';
import { servePage } from './server.ts';

/** A page that shows a run while it goes on. */
export interface LivePage {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the page of the cluster that records into `directory`. After `mostSteps` what is shown begins anew.
 *
 * @throws `UsageError` when that is no directory, or the port is taken.
 */
export async function openLive(directory: string, port: number, mostSteps = 5_000): Promise<LivePage> {
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError(`${directory} is no directory of records: expected what baton site --trace names`);
  }
  return openPage(new Follower(directory), port, mostSteps);
}

/**
 * Serves the page of the cluster that is watched at `urls`, `ws://host:port/?token=...`. After `mostSteps` what is
 * shown begins anew.
 *
 * @throws `UsageError` when a URL is none, or the port is taken.
 */
export async function openAttached(
  urls: readonly string[],
  lock: string | undefined,
  port: number,
  mostSteps = 10_000,
): Promise<LivePage> {
  const bad = urls.find((url) => !URL.canParse(url) || !/^wss?:$/.test(new URL(url).protocol));
  if (bad !== undefined) throw new UsageError(`${bad} is no address of a site: expected ws://host:port/`);
  const attached = new Attached({ urls, ...(lock !== undefined && { lock }), say: warn });
  try {
    const page = await openPage(attached, port, mostSteps);
    const close = () => {
      attached.close();
      return page.close();
    };
    return { url: page.url, close };
  } catch (error) {
    attached.close();
    throw error;
  }
}

async function openPage(followed: Followed, port: number, mostSteps: number): Promise<LivePage> {
  const page = await servePage(await builtPage(say), answerLive, port);
  const live = showLive(followed, page.server, mostSteps, warn);
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
