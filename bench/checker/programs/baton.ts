import { search } from '../../../verification/checker/search.ts';
import { printAnswer } from '../answer.ts';
import { type SafetyOptions, safety } from './safety.ts';

/** `baton.ts SITES WORKERS [symmetry]`: Baton's engine on the statechart, all its properties of states judged. */
const [sites = '', workers = '', symmetry] = process.argv.slice(2);
const args: SafetyOptions = { sites: Number(sites), symmetry: symmetry === 'symmetry' };
const started = performance.now();
const sourced = safety(args);
const result = await search(sourced.model, {
  ...sourced,
  workers: Number(workers),
  source: { module: new URL('./safety.ts', import.meta.url).href, export: 'safety', args },
});
const seconds = (performance.now() - started) / 1000;

const failed = (sourced.watches ?? []).filter(
  ({ expect }, index) => (result.found[index] === null) === (expect === 'reachable'),
);
if (failed.length > 0 || result.deadlock !== null || !result.complete || result.workers !== Number(workers)) {
  const why = { failed: failed.map(({ name }) => name), deadlock: result.deadlock, reason: result.reason };
  throw new Error(
    `expected a complete search by ${workers} workers without findings: ${JSON.stringify(why)}`,
  );
}
printAnswer({
  states: args.symmetry ? Number(result.representedStates) : result.states,
  transitions: args.symmetry ? null : result.transitions,
  orbits: args.symmetry ? result.states : null,
  seconds,
  tableBytes: result.peakMemoryBytes,
});
