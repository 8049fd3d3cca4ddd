import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../runtime/testing/free-ports.ts';
import type { Counts, Site } from './site.ts';

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

/** A process that is one site, and its watch port. */
export interface SiteProcess {
  readonly child: ChildProcess;
  readonly url: string;
}

/** Starts site processes that all take one lock, and rest for `restMs` after each critical section. */
export async function beginSites(count: number, restMs = 0): Promise<readonly SiteProcess[]> {
  const ids = Array.from({ length: count }, (_, index) => String.fromCharCode(97 + index));
  const addresses: Record<string, Site['listen']> = {};
  for (const id of ids) addresses[id] = { host: '127.0.0.1', port: await freePort() };
  return Promise.all(
    ids.map(async (site) => {
      const child = fork(here('site.ts'), { execArgv: ['--import', 'tsx'] });
      const { [site]: listen, ...peers } = addresses;
      child.send({ site, listen: listen!, peers, restMs } satisfies Site);
      const [{ url }] = (await once(child, 'message')) as [{ url: string }];
      return { child, url };
    }),
  );
}

/** The counts of all sites together, so far. */
export async function countsOf(sites: readonly SiteProcess[]): Promise<Counts> {
  const counts = await Promise.all(
    sites.map(async ({ child }) => {
      child.send('count');
      const [one] = (await once(child, 'message')) as [Counts];
      return one;
    }),
  );
  return {
    entered: counts.reduce((sum, { entered }) => sum + entered, 0),
    cpuMicros: counts.reduce((sum, { cpuMicros }) => sum + cpuMicros, 0),
  };
}

/** `baton inspect --attach` to the sites, and the address of its page. */
export async function beginInspector(
  sites: readonly SiteProcess[],
): Promise<{ readonly child: ChildProcess; readonly url: URL }> {
  const urls = sites.map(({ url }) => url).join();
  const child = fork(here('../../cli/baton.mjs'), ['inspect', '--attach', urls, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
  });
  const [line] = (await once(child.stdout!.setEncoding('utf8'), 'data')) as [string];
  return { child, url: new URL(line.trim()) };
}
