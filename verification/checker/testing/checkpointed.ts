import { search } from '../packed/index.ts';
import { watchedNaimiTrehel } from './watched-naimi-trehel.ts';

/** A process to be killed. It saves a checkpoint after every level. Arguments: sites, directory, workers. */
const [sites, checkpointDir, workers] = process.argv.slice(2) as [string, string, string];
const source = {
  module: new URL('./watched-naimi-trehel.ts', import.meta.url).href,
  export: 'watchedNaimiTrehel',
  args: Number(sites),
};
const { model, watches } = watchedNaimiTrehel(Number(sites));
await search(model, {
  watches,
  checkpointDir,
  checkpointEveryMs: 0,
  workers: Number(workers),
  awaitWorkers: true,
  source,
});
