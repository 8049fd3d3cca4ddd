import { seeded } from '../../harness/simulation/virtual-clock.ts';
import { type Deed, Storm } from '../../runtime/testing/storm.ts';

/*
 * Random callers that acquire, cancel, time out, try and release, for a given number of operations at five
 * sites. At the end no caller may wait, every token must exist, and the heap must be no larger than after a
 * tenth of the operations: `node --expose-gc --import tsx bench/storm/run.ts [operations, default 1000000]
 * [seed, default 1]`. Exit status: 0 when all of that holds, else 1.
 */

const operations = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? 1);
const often: Readonly<Record<Exclude<Deed, 'close'>, number>> = {
  ask: 5,
  'ask briefly': 4,
  cancel: 3,
  try: 2,
  release: 5,
  deliver: 12,
  tick: 5,
};
/** Maximum growth of the garbage-collected heap, in bytes. */
const mostGrowth = 2 * 2 ** 20;

const deeds = Object.entries(often).flatMap(([deed, times]) => Array<Deed>(times).fill(deed as Deed));
const random = seeded(seed);
const storm = await Storm.open({ sites: 5, locks: 20, seed });
const begun = performance.now();
let early = 0;
for (let done = 1; done <= operations; done++) {
  await storm.step(deeds[Math.floor(random() * deeds.length)]!);
  if (done % 10_000 === 0 || done === operations) await storm.calm();
  if (done === Math.ceil(operations / 10)) early = heap();
}
const late = heap();
const seconds = (performance.now() - begun) / 1_000;
storm.close();

const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(2);
console.log(
  `${operations} operations in ${seconds.toFixed(1)} s: ${JSON.stringify(Object.fromEntries(storm.outcomes))}`,
);
console.log(`heap: ${mebibytes(early)} MiB after a tenth, ${mebibytes(late)} MiB at the end`);
if (late - early > mostGrowth) {
  console.error(`The heap has grown by more than ${mebibytes(mostGrowth)} MiB.`);
  process.exitCode = 1;
}

function heap(): number {
  if (!globalThis.gc) throw new Error('The garbage collector cannot be called: start with --expose-gc.');
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}
