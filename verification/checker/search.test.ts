import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exploreNaively } from './naive.ts';
import { type SearchResult, search } from './search.ts';
import { pathReversal } from './testing/path-reversal.ts';
import { randomModel } from './testing/random-model.ts';

describe('search', () => {
  it.each([
    [2, 14, 24, 7],
    [3, 282, 642, 18],
    [4, 9_352, 26_464, 30],
    [5, 440_120, 1_478_880, 42],
  ])('counts path reversal among %i sites', async (sites, states, transitions, depth) => {
    const source = pathReversal(sites);
    const result = await search(source.model, source);
    expect(result).toMatchObject({
      states,
      transitions,
      depth,
      deadlocks: 0,
      deadlock: null,
      complete: true,
    });
    expect(result.found.map((found) => found?.depth ?? null)).toEqual([null, null, null, null, sites - 1]);
  });

  it('finds the same with two workers', async () => {
    const source = {
      module: new URL('./testing/path-reversal.ts', import.meta.url).href,
      export: 'pathReversal',
      args: 5,
    };
    const [one, two] = [pathReversal(5), pathReversal(5)];
    const alone = await search(one.model, one);
    const both = await search(two.model, { ...two, workers: 2, source });
    const counts = ({ states, transitions, depth, deadlocks, found, locals, complete }: SearchResult) => ({
      ...{ states, transitions, depth, deadlocks, found, locals, complete },
    });
    expect(counts(both)).toEqual(counts(alone));
    expect(both.workers).toBe(2);
  });

  it('agrees with the naive explorer on random models', async () => {
    await fc.assert(
      fc.asyncProperty(randomModel(), async (make) => {
        const { states, transitions, depth, deadlocks } = await search(make());
        expect({ states, transitions, depth, deadlocks }).toEqual(exploreNaively(make()));
      }),
      { numRuns: 60 },
    );
  });
});
