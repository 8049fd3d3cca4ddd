import { check } from '../../../verification/check/check.ts';
import { naimiTrehel } from '../../../verification/protocols/naimi-trehel/system.ts';
import type { Options } from '../../../verification/protocols/sites.ts';
import { printAnswer } from '../answer.ts';

/** `baton.ts SITES WORKERS [symmetry]`: Baton on the statechart. It judges every property of states. */
const [sites = '', workers = '', symmetry] = process.argv.slice(2);
const options: Options = { sites: Number(sites), network: { order: 'fifo' } };
const module = new URL('../../../verification/protocols/naimi-trehel/system.ts', import.meta.url).href;
const started = performance.now();
const report = await check(naimiTrehel(options), {
  liveness: false,
  symmetry: symmetry === 'symmetry',
  workers: Number(workers),
  source: { module, export: 'naimiTrehel', options },
});
const seconds = (performance.now() - started) / 1000;

const failed = report.properties.filter(({ verdict }) => verdict !== 'holds').map(({ name }) => name);
if (failed.length > 0 || report.workers !== Number(workers)) {
  throw new Error(
    `expected ${workers} workers to find that all holds, not: ${failed} (${report.workers} workers)`,
  );
}
const { states, orbits = null, transitions, peakMemoryBytes } = report;
printAnswer({
  states,
  transitions: orbits === null ? transitions : null,
  orbits,
  seconds,
  tableBytes: peakMemoryBytes,
});
