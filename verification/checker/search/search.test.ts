import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apply, type Model, successors } from '../model.ts';
import { exploreNaively } from '../naive.ts';
import { type Path, type SearchResult, search, shortestTrace } from '../search.ts';
import { pathReversal } from '../testing/path-reversal.ts';
import { randomModel, wideModel } from '../testing/random-model.ts';

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
      module: new URL('../testing/path-reversal.ts', import.meta.url).href,
      export: 'pathReversal',
      args: 5,
    };
    const [one, two] = [pathReversal(5), pathReversal(5)];
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
        const path = await shortestTrace(model, target);
        expect(path.steps.length).toBe(target.depth);
        expect(replay(model, path)).toEqual(target.state);
        expect(switches(path.steps.map(({ cell }) => cell))).toBe(fewestSwitches(model, target));
      }),
      { numRuns: 40 },
    );
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

/** Where a path leads, when each of its steps is taken as the model says. */
function replay(model: Model, path: Path): readonly number[] {
  let at = path.initial;
  for (const { cell, step, state } of path.steps) {
    at = apply(model, at, cell, model.steps(cell, at[cell]!)[step]!)!;
    expect(at).toEqual(state);
  }
  return at;
}

const switches = (cells: readonly number[]) =>
  cells.filter((cell, i) => i > 0 && cell !== cells[i - 1]).length;

/** The same by every path of that length, level by level: for each state and last cell the least so far. */
function fewestSwitches(model: Model, target: { state: readonly number[]; depth: number }): number {
  let level = new Map(model.initial.map((state) => [`${state}|-1`, { state, cell: -1, switches: 0 }]));
  for (let depth = 0; depth < target.depth; depth++) {
    const next: typeof level = new Map();
    for (const { state, cell: before, switches } of level.values()) {
      for (const { cell, after } of successors(model, state)) {
        const sum = switches + (before === -1 || before === cell ? 0 : 1);
        const key = `${after}|${cell}`;
        if (sum < (next.get(key)?.switches ?? Infinity)) next.set(key, { state: after, cell, switches: sum });
      }
    }
    level = next;
  }
  const ends = [...level.values()].filter(({ state }) => `${state}` === `${target.state}`);
  return Math.min(...ends.map(({ switches }) => switches));
}
