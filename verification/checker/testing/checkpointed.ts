import { search } from '../packed/index.ts';
import { judgedNaimiTrehel } from './judged-naimi-trehel.ts';

/** A process to be killed. It saves a checkpoint after every level. Arguments: sites, directory, workers. */
const [sites, checkpointDir, workers] = process.argv.slice(2) as [string, string, string];
const source = {
  module: new URL('./judged-naimi-trehel.ts', import.meta.url).href,
  export: 'judgedNaimiTrehel',
  args: Number(sites),
};
const { model, predicates } = judgedNaimiTrehel(Number(sites));
await search(model, {
  predicates,
  checkpointDir,
  checkpointEveryMs: 0,
  workers: Number(workers),
  awaitWorkers: true,
  source,
});
