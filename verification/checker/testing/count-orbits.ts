import { createNaimiTrehel } from './naimi-trehel.ts';
import { exploreOrbits } from './orbits.ts';

/**
 * `npx tsx verification/checker/testing/count-orbits.ts N [fifo|unordered]` counts orbits that take too long
 * for the tests. N = 7 takes half a minute.
 */
const [n = '6', order = 'fifo'] = process.argv.slice(2);
if (order !== 'fifo' && order !== 'unordered')
  throw new RangeError(`Expected fifo or unordered, got ${order}.`);
const model = createNaimiTrehel(Number(n), order);
const start = performance.now();
const counts = exploreOrbits(model, model);
console.log({ n, order, ...counts, seconds: Math.round((performance.now() - start) / 100) / 10 });
