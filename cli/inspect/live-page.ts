import { statSync } from 'node:fs';
import { UsageError } from '../exit.ts';
import { answerLive, liveFrom } from './live.ts';
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
  const say = (text: string) => process.stderr.write(`${text}\n`);
  const page = await servePage(await builtPage(say), answerLive, port);
  const live = liveFrom(directory, page.server, mostSteps, (reason) => say(`baton: ${reason}`));
  const close = () => {
    live.close();
    return page.close();
  };
  return { url: page.url, close };
}
