import { search } from '../search.ts';
import { pathReversal } from './path-reversal.ts';

/** A process to be killed: saves itself after every level. Arguments: sites, directory, workers. */
const [sites, checkpointDir, workers] = process.argv.slice(2) as [string, string, string];
const source = {
  module: new URL('./path-reversal.ts', import.meta.url).href,
  export: 'pathReversal',
  args: Number(sites),
};
const { model, watches } = pathReversal(Number(sites));
await search(model, {
  watches,
  checkpointDir,
  checkpointEveryMs: 0,
  workers: Number(workers),
  awaitWorkers: true,
  source,
});
