import { expect, test } from 'vitest';
import { simulatedMutants } from './mutants.ts';

/** Runs the first kind of schedule of this mutant with one seed. */
const run = (name: string, seed: number, isMutated: boolean) => {
  const { mutated, scenarios } = simulatedMutants.get(`epoch/${name}`)!;
  return scenarios[0]!(seed, isMutated ? mutated : {});
};

test.each([
  ['R7: a vote is not written down', 1, /^S2: /],
  ['R10: only candidates below the promise are refused', 1, /^R10: [abc] in epoch \d+, .* does not refuse/],
  ['R12: last is not set to the end of the line', 1, /^R12: [abc] hands on a line that ends with /],
  ['R13: a lock is forgotten in a critical section', 2, /^R13: [abc] forgets the lock while it is inCS/],
  [
    'R13: a lock is forgotten while a request for it is under way',
    14,
    /^R13: [abc] forgets the lock while it is requesting/,
  ],
  ['M5: the answer is not heeded', 6, /^b wait though nothing fails any more, and nobody else asks/],
  [
    'the lease counts from the promise, not from its heartbeat',
    8,
    /^S6: [abc] and [abc] are inside, both with a valid lease/,
  ],
  ['promises of the round before count', 37, /^S6: [abc] and [abc] are inside, both with a valid lease/],
  ['configured: a candidate stands for an epoch at or below the base', 1, /^M3: . stands for epoch/],
  [
    'configured: a candidacy goes on with the votes of the configuration before',
    1,
    /^M1: the candidacy of . for epoch \d+ goes on/,
  ],
  [
    'configured: a vote is given to a candidate of any configuration',
    7,
    /^M3: . votes in version \d+ of term \d+ for . for epoch \d+, which counts in /,
  ],
])('%s: seed %i finds it, and breaks no promise without it', async (name, seed, harm) => {
  await expect(run(name, seed, true)).rejects.toThrow(harm);
  await run(name, seed, false);
});
