import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apply, type Model, type Predicate } from '../model.ts';
import { exploreNaively } from '../naive.ts';
import { judgedNaimiTrehel } from '../testing/judged-naimi-trehel.ts';
import { createNaimiTrehel } from '../testing/naimi-trehel.ts';
import { randomModel, spreadOut, wideModel } from '../testing/random-model.ts';
import { leastSwitches, switchesOf } from '../testing/switches.ts';
import { type Path, type SearchResult, search, shortestTrace } from './index.ts';

describe('search', () => {
  it.each([
    [2, 14, 24, 7],
    [3, 282, 642, 18],
    [4, 9_352, 26_464, 30],
    [5, 440_120, 1_478_880, 42],
  ])('counts naimi-trehel among %i sites', async (sites, states, transitions, depth) => {
    const source = judgedNaimiTrehel(sites);
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
      module: new URL('../testing/judged-naimi-trehel.ts', import.meta.url).href,
      export: 'judgedNaimiTrehel',
      args: 5,
    };
    const [one, two] = [judgedNaimiTrehel(5), judgedNaimiTrehel(5)];
    const alone = await search(one.model, one);
    const both = await search(two.model, { ...two, workers: 2, awaitWorkers: true, source });
    const counts = ({ states, transitions, depth, deadlocks, found, locals, complete }: SearchResult) => ({
      ...{ states, transitions, depth, deadlocks, found, locals, complete },
    });
    expect(counts(both)).toEqual(counts(alone));
    expect(both.workers).toBe(2);
  });

  it('finds shortest traces, with the fewest switches', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(randomModel(), wideModel()), fc.nat(), async (make, choice) => {
        const states: { state: readonly number[]; depth: number }[] = [];
        const model = make();
        exploreNaively(model, (state, depth) => states.push({ state, depth }));
        const target = states[choice % states.length]!;
        const path = (await shortestTrace(model, target))!;
        expect(path.steps.length).toBe(target.depth);
        expect(replay(model, path)).toEqual(target.state);
        const least = leastSwitches(model, { depth: target.depth });
        expect(switchesOf(path.steps)).toBe(least.get(target.state.join())!.switches);
      }),
      { numRuns: 40 },
    );
  });

  it('ends the search for a trace when its time is over or it is aborted', async () => {
    const { model, predicates } = judgedNaimiTrehel(5);
    const target = (await search(model, { predicates })).found.at(-1)!;
    expect(target.depth).toBe(4);
    expect(await shortestTrace(model, target, { timeoutMs: 0 })).toBeNull();
    expect(await shortestTrace(model, target, { timeoutMs: 60_000 })).not.toBeNull();
  });

  it.each([
    ['random models', randomModel()],
    ['states of many words', wideModel()],
  ])('agrees with the naive explorer on %s', async (_, models) => {
    await fc.assert(
      fc.asyncProperty(models, async (make) => {
        const { states, transitions, depth, deadlocks } = await search(make());
        expect({ states, transitions, depth, deadlocks }).toEqual(exploreNaively(make()));
      }),
      { numRuns: 60 },
    );
  });
});

describe('a search by hash compaction', () => {
  const bits = fc.integer({ min: 60, max: 64 });
  const short = fc.integer({ min: 42, max: 44 });

  it('agrees with the naive explorer when hashes are long', async () => {
    const models = fc.oneof(randomModel(), wideModel());
    await fc.assert(
      fc.asyncProperty(models, fc.oneof(bits, short), async (make, hashCompaction) => {
        const { states, transitions, depth, deadlocks } = await search(make(), { hashCompaction });
        expect({ states, transitions, depth, deadlocks }).toEqual(exploreNaively(make()));
      }),
      { numRuns: 60 },
    );
  });

  it('finds only existing states when hashes are short, and real paths to them', async () => {
    await fc.assert(
      fc.asyncProperty(randomModel(), fc.integer({ min: 8, max: 12 }), async (make, hashCompaction) => {
        const model = make();
        const depths = new Map<string, number>();
        exploreNaively(model, (state, depth) => depths.set(state.join(), depth));
        const predicate: Predicate = {
          kind: 'tuple',
          observe: (_, local) => local,
          judge: (state) => state.reduce((sum, local) => sum + local, 0) < 6,
        };
        const { states, found } = await search(model, {
          hashCompaction,
          predicates: [{ name: 'few', expect: 'always', predicate }],
        });
        expect(states).toBeLessThanOrEqual(Math.min(depths.size, 2 ** hashCompaction));
        if (found[0] === null || found[0] === undefined) return;
        const least = depths.get(found[0].state.join())!;
        expect(found[0].depth).toBeGreaterThanOrEqual(least);
        const path = (await shortestTrace(model, found[0], { hashCompaction }))!;
        expect(path.steps.length).toBe(least);
        expect(replay(model, path)).toEqual(found[0].state);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    { bits: 64, least: 0, most: 0 },
    { bits: 44, least: 0, most: 0 },
    // For random hashes, 22.6 and 5,773 pairs are expected to share a hash.
    { bits: 32, least: 5, most: 120 },
    { bits: 24, least: 4_000, most: 20_000 },
    { bits: 16, least: 374_584, most: 440_000 },
  ])(
    'omits the expected number of states at $bits bits, and reports the probability',
    async ({ bits, least, most }) => {
      const { model, predicates } = judgedNaimiTrehel(5);
      const result = await search(model, { predicates, hashCompaction: bits });
      const omitted = 440_120 - result.states;
      expect(omitted).toBeGreaterThanOrEqual(least);
      expect(omitted).toBeLessThanOrEqual(most);
      const pairs = (result.states * (result.states - 1)) / 2;
      if (bits <= 32) expect(result.omissionProbability).toBeGreaterThan(0.999);
      else expect(result.omissionProbability).toBeCloseTo(pairs / 2 ** bits, 4);
      if (bits >= 44) expect(result.omissionProbability).toBeGreaterThan(0);
    },
  );

  it('keeps wide states in the space of narrow ones', async () => {
    const wide = () => spreadOut(judgedNaimiTrehel(5).model, [8, 8, 8, 8, 8]);
    const [states, hashes] = [await search(wide()), await search(wide(), { hashCompaction: 64 })];
    expect(states).toMatchObject({ states: 440_120, omissionProbability: 0 });
    expect(hashes).toMatchObject({ states: 440_120, transitions: 1_478_880, depth: 42 });
    expect(hashes.bytesPerState).toBeLessThan(0.6 * states.bytesPerState);
  });

  it('rejects impossible settings', async () => {
    const model = createNaimiTrehel(3);
    for (const hashCompaction of [7, 65, 20.5]) {
      await expect(search(model, { hashCompaction })).rejects.toMatchObject({ code: 'HASHING_UNSUPPORTED' });
    }
    await expect(search(model, { hashCompaction: 64, symmetry: model })).rejects.toMatchObject({
      code: 'HASHING_UNSUPPORTED',
    });
  });
});

/** The end of a path when each of its steps is taken on the model. */
function replay(model: Model, path: Path): readonly number[] {
  let at = path.initial;
  for (const { process, step, state } of path.steps) {
    at = apply(model, at, process, model.steps(process, at[process]!)[step]!)!;
    expect(at).toEqual(state);
  }
  return at;
}
