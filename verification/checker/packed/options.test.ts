import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Model, type Predicate, successors } from '../model.ts';
import { exploreNaively } from '../naive.ts';
import { randomModel, wideModel } from '../testing/random-model.ts';
import { watchedNaimiTrehel } from '../testing/watched-naimi-trehel.ts';
import { type Found, type NamedWatch, search } from './index.ts';
import { smaller } from './predicate-evaluator.ts';

/** A watch of either kind that holds in many states and fails in some. */
const randomWatch = fc
  .record({
    kind: fc.constantFrom('sum' as const, 'tuple' as const),
    seed: fc.nat(),
    modulus: fc.integer({ min: 2, max: 40 }),
  })
  .map(({ kind, seed, modulus }): Predicate => {
    const scramble = (cell: number, local: number) =>
      Math.imul(local * 31 + cell * 7 + seed, 0x9e3779b1) >>> 20;
    if (kind === 'sum') return { kind, weigh: scramble, judge: (sum) => sum % modulus !== 0 };
    const hash = (observed: Int32Array) => observed.reduce((sum, o) => (sum * 5 + o) % modulus, 1);
    return { kind, observe: scramble, judge: (observed) => hash(observed) !== 0 };
  });

const randomWatches = fc.array(
  fc.record({
    name: fc.string(),
    expect: fc.constantFrom('always' as const, 'reachable' as const),
    watch: randomWatch,
  }),
  { maxLength: 6 },
);

function judge(watch: Predicate, state: readonly number[]): boolean {
  if (watch.kind === 'sum')
    return watch.judge(state.reduce((sum, local, cell) => (sum + watch.weigh(cell, local)) >>> 0, 0));
  return watch.judge(Int32Array.from(state, (local, cell) => watch.observe(cell, local)));
}

/** The first state of interest, judged state by state. */
function firstNaively(states: readonly Found[], { watch, expect }: NamedWatch): Found | null {
  const hits = states.filter(({ state }) => judge(watch, state) === (expect === 'reachable'));
  return leastOf(hits);
}

function leastOf(states: readonly Found[]): Found | null {
  const depth = Math.min(...states.map((found) => found.depth));
  const state = states
    .filter((found) => found.depth === depth)
    .reduce<readonly number[] | null>((least, found) => smaller(least, found.state), null);
  return state && { state, depth };
}

/** `model` without the steps of states outside the constraint. */
function bounded(model: Model, constraint: Predicate, cut: (state: readonly number[]) => void) {
  const states = new Map<string, Found>();
  const queue: Found[] = [];
  const add = (state: readonly number[], depth: number) => {
    if (states.has(state.join())) return;
    states.set(state.join(), { state, depth });
    queue.push({ state, depth });
  };
  for (const state of model.initial) add(state, 0);
  for (const { state, depth } of queue) {
    if (!judge(constraint, state)) cut(state);
    else for (const { after } of successors(model, state)) add(after, depth + 1);
  }
  return queue;
}

describe('search', () => {
  it('finds for each watch the first state of interest', async () => {
    await fc.assert(
      fc.asyncProperty(randomModel(), randomWatches, async (make, watches) => {
        // The same model for both searches, so that they number locals alike.
        const model = make();
        const { found } = await search(model, { watches });
        const states: Found[] = [];
        exploreNaively(model, (state, depth) => states.push({ state, depth }));
        expect(found).toEqual(watches.map((watch) => firstNaively(states, watch)));
      }),
      { numRuns: 60 },
    );
  });

  it('finds the first deadlock, and the first unintended one', async () => {
    await fc.assert(
      fc.asyncProperty(randomModel(), fc.array(randomWatch, { maxLength: 3 }), async (make, quiescent) => {
        const model = make();
        const watches = quiescent.map((watch) => ({ name: 'stuck', expect: 'quiescent' as const, watch }));
        const { deadlock, deadlocks, found } = await search(model, { watches });
        const stuck: Found[] = [];
        exploreNaively(model, (state, depth) => {
          const ways = [...successors(model, state)];
          if (ways.every(({ after }) => after.join() === state.join())) stuck.push({ state, depth });
        });
        expect(deadlocks).toBe(stuck.length);
        expect(deadlock).toEqual(leastOf(stuck));
        const unintended = quiescent.map((watch) =>
          leastOf(stuck.filter(({ state }) => !judge(watch, state))),
        );
        expect(found).toEqual(unintended);
      }),
      { numRuns: 60 },
    );
  });

  it('counts the states that a constraint cuts, and does not expand them', async () => {
    await fc.assert(
      fc.asyncProperty(randomModel(), randomWatch, async (make, constraint) => {
        const model = make();
        let expected = 0;
        const result = await search(model, { constraint });
        const states = bounded(model, constraint, () => expected++);
        expect(result).toMatchObject({ cut: expected, states: states.length, complete: expected === 0 });
        expect(result.reason).toBe(expected === 0 ? null : 'constraint');
      }),
      { numRuns: 60 },
    );
  });

  it('ends at its limits with a partial result', async () => {
    const stop = new AbortController();
    const [few, none, small] = [watchedNaimiTrehel(5), watchedNaimiTrehel(5), watchedNaimiTrehel(5)];
    const progress: number[] = [];
    expect(await search(few.model, { maxStates: 1000 })).toMatchObject({
      complete: false,
      reason: 'max-states',
    });
    expect(await search(none.model, { timeoutMs: 0 })).toMatchObject({ complete: false, reason: 'timeout' });
    expect(await search(small.model, { maxMemoryBytes: 1 })).toMatchObject({
      complete: false,
      reason: 'max-memory',
    });
    const interrupted = watchedNaimiTrehel(6);
    const result = await search(interrupted.model, {
      signal: stop.signal,
      onProgress: ({ states }) => {
        progress.push(states);
        stop.abort();
      },
    });
    expect(result).toMatchObject({ complete: false, reason: 'aborted' });
    expect(progress[0]).toBeGreaterThan(0);
    expect(result.states).toBeGreaterThanOrEqual(progress[0]!);
    expect(result.states).toBeLessThan(27_195_984);
  });

  it('judges at a limit every state that it has found', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(randomModel(), wideModel()),
        randomWatches,
        fc.integer({ min: 1, max: 300 }),
        async (make, watches, maxStates) => {
          const model = make();
          const { states, depth, found, complete } = await search(model, { watches, maxStates });
          const all: Found[] = [];
          exploreNaively(model, (state, depth) => all.push({ state, depth }));
          for (const [index, watch] of watches.entries()) {
            // All levels but the last were found completely.
            const expected = firstNaively(
              all.filter((known) => known.depth < depth),
              watch,
            );
            if (expected !== null || complete) expect(found[index]).toEqual(firstNaively(all, watch));
            const shown = found[index];
            if (shown) expect(judge(watch.watch, shown.state)).toBe(watch.expect === 'reachable');
          }
          expect(states).toBeLessThanOrEqual(all.length);
        },
      ),
      { numRuns: 25 },
    );
  });

  it.each([
    { where: 'in memory', how: {} },
    { where: 'in files', how: { maxMemoryBytes: 1 } },
  ])('judges the states that it found and did not expand, $where', async ({ how }) => {
    const spillDir = mkdtempSync(join(tmpdir(), 'spill-'));
    try {
      const { model } = watchedNaimiTrehel(3);
      const seen = new Set<string>();
      const observe = (_: number, local: number) => local;
      const judge = (state: Int32Array) => seen.add(state.join()) && false;
      const watches: NamedWatch[] = [
        { name: 'seen', expect: 'reachable', watch: { kind: 'tuple', observe, judge } },
      ];
      const { states, reason, depth } = await search(model, { watches, maxStates: 100, spillDir, ...how });
      expect(reason).toBe('max-states');
      expect(seen.size).toBe(states);
      expect(states).toBeLessThan(282);
      const depths: number[] = [];
      exploreNaively(model, (state, at) => seen.has(state.join()) && depths.push(at));
      expect(depth).toBe(Math.max(...depths));
    } finally {
      rmSync(spillDir, { recursive: true });
    }
  });

  it('gives the same counts when states go to disk, from any point on', async () => {
    const spillDir = mkdtempSync(join(tmpdir(), 'spill-'));
    try {
      const { model, watches } = watchedNaimiTrehel(3);
      const result = await search(model, { watches, maxMemoryBytes: 1, spillDir });
      expect(result).toMatchObject({
        states: 282,
        transitions: 642,
        depth: 18,
        deadlocks: 0,
        complete: true,
      });
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(randomModel(), wideModel()),
          fc.integer({ min: 1, max: 4e7 }),
          fc.constantFrom({}, { hashCompaction: 64 }),
          async (make, maxMemoryBytes, kept) => {
            const { states, transitions, depth, deadlocks } = await search(make(), {
              maxMemoryBytes,
              spillDir,
              ...kept,
            });
            expect({ states, transitions, depth, deadlocks }).toEqual(exploreNaively(make()));
          },
        ),
        { numRuns: 8 },
      );
      expect(readdirSync(spillDir)).toEqual([]);
    } finally {
      rmSync(spillDir, { recursive: true });
    }
  });

  it('stops after the first level with a violation, if asked', async () => {
    const { model, watches } = watchedNaimiTrehel(4);
    const broken: NamedWatch = {
      name: 'site 3 never waits',
      expect: 'always',
      watch: {
        kind: 'sum',
        weigh: (site, l) => (site === 3 && model.site(site, l).client === 'requesting' ? 1 : 0),
        judge: (sum) => sum === 0,
      },
    };
    const result = await search(model, { watches: [...watches, broken], stopAtFirst: true });
    expect(result).toMatchObject({ complete: false, reason: 'stop-at-first' });
    expect(result.found.at(-1)?.depth).toBe(1);
    expect(result.states).toBeLessThan(100);
  });

  it('rejects workers that could not judge', async () => {
    const { model, watches } = watchedNaimiTrehel(2);
    await expect(search(model, { watches, workers: 2 })).rejects.toMatchObject({
      code: 'WORKERS_NEED_SOURCE',
    });
  });
});
