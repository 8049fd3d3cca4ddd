import type { Predicate } from '../../verification/checker/model.ts';
import { exploreNaively } from '../../verification/checker/naive.ts';
import { naimiTrehel } from '../../verification/protocols/naimi-trehel/system.ts';
import { compile } from '../../verification/system/index.ts';
import { plain } from '../../verification/system/properties.ts';
import type { StateView } from '../../verification/system/system.ts';

/* How often a plain function is judged in a second of CPU, over all states of naimi-trehel with four sites, again and again. */

const rounds = 300;
const predicates: Readonly<Record<string, (state: StateView) => boolean>> = {
  'of states': ({ actors }) => actors.filter((actor) => actor.in('client.inCS')).length <= 1,
  'of contexts': ({ actors }) =>
    actors.filter(({ context }) => context['token'] === true).length <= 1 &&
    actors.every(({ id, context }) => context['last'] !== id),
};

const { model, predicateOf } = compile({
  ...naimiTrehel({ sites: 4, network: { order: 'fifo' } }),
  properties: [],
});
const states: Int32Array[] = [];
exploreNaively(model, (state) => states.push(Int32Array.from(state)));
for (const [name, holds] of Object.entries(predicates)) {
  const { judge } = predicateOf(plain(holds)) as Extract<Predicate, { kind: 'tuple' }>;
  for (const state of states) judge(state);
  const before = process.cpuUsage();
  for (let round = 0; round < rounds; round++) for (const state of states) judge(state);
  const { user, system } = process.cpuUsage(before);
  const millions = (rounds * states.length) / (user + system);
  process.stdout.write(`a predicate ${name}: ${millions.toFixed(1)} million a second of CPU\n`);
}
