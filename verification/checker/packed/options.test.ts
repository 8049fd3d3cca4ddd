import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Model, type Predicate, successors } from '../model.ts';
import { exploreNaively } from '../naive.ts';
import { judgedNaimiTrehel } from '../testing/judged-naimi-trehel.ts';
import { randomModel, wideModel } from '../testing/random-model.ts';
import { type Found, type NamedPredicate, search } from './index.ts';
import { smaller } from './predicate-evaluator.ts';

/** A predicate of either kind that holds in many states and fails in some. */
const randomPredicate = fc
  .record({
    kind: fc.constantFrom('sum' as const, 'tuple' as const),
    seed: fc.nat(),
    modulus: fc.integer({ min: 2, max: 40 }),
  })
  .map(({ kind, seed, modulus }): Predicate => {
    const scramble = (process: number, local: number) =>
      Math.imul(local * 31 + process * 7 + seed, 0x9e3779b1) >>> 20;
    if (kind === 'sum') return { kind, project: scramble, judge: (sum) => sum % modulus !== 0 };
    const hash = (observed: Int32Array) => observed.reduce((sum, o) => (sum * 5 + o) % modulus, 1);
    return { kind, observe: scramble, judge: (observed) => hash(observed) !== 0 };
  });

const randomPredicates = fc.array(
  fc.record({
    name: fc.string(),
    expect: fc.constantFrom('always' as const, 'reachable' as const),
    predicate: randomPredicate,
  }),
  { maxLength: 6 },
);

function judge(predicate: Predicate, state: readonly number[]): boolean {
  if (predicate.kind === 'sum')
    return predicate.judge(
      state.reduce((sum, local, process) => (sum + predicate.project(process, local)) >>> 0, 0),
    );
  return predicate.judge(Int32Array.from(state, (local, process) => predicate.observe(process, local)));
}

/** The first state of interest, judged state by state. */
function firstNaively(states: readonly Found[], { predicate, expect }: NamedPredicate): Found | null {
  const hits = states.filter(({ state }) => judge(predicate, state) === (expect === 'reachable'));
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
  it('finds for each predicate the first state of interest', async () => {
    await fc.assert(
      fc.asyncProperty(randomModel(), randomPredicates, async (make, predicates) => {
        // The same model for both searches, so that they number locals alike.
        const model = make();
        const { found } = await search(model, { predicates });
        const states: Found[] = [];
        exploreNaively(model, (state, depth) => states.push({ state, depth }));
        expect(found).toEqual(predicates.map((predicate) => firstNaively(states, predicate)));
      }),
      { numRuns: 60 },
    );
  });

  it('finds the first deadlock, and the first unintended one', async () => {
    await fc.assert(
      fc.asyncProperty(
        randomModel(),
        fc.array(randomPredicate, { maxLength: 3 }),
        async (make, quiescent) => {
          const model = make();
          const predicates = quiescent.map((predicate) => ({
            name: 'stuck',
            expect: 'quiescent' as const,
            predicate,
          }));
          const { deadlock, deadlocks, found } = await search(model, { predicates });
          const stuck: Found[] = [];
          exploreNaively(model, (state, depth) => {
            const ways = [...successors(model, state)];
            if (ways.every(({ after }) => after.join() === state.join())) stuck.push({ state, depth });
          });
          expect(deadlocks).toBe(stuck.length);
          expect(deadlock).toEqual(leastOf(stuck));
          const unintended = quiescent.map((predicate) =>
            leastOf(stuck.filter(({ state }) => !judge(predicate, state))),
          );
          expect(found).toEqual(unintended);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('counts the states that a constraint cuts, and does not expand them', async () => {
    await fc.assert(
      fc.asyncProperty(randomModel(), randomPredicate, async (make, constraint) => {
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
    const [few, none, small] = [judgedNaimiTrehel(5), judgedNaimiTrehel(5), judgedNaimiTrehel(5)];
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
    const interrupted = judgedNaimiTrehel(6);
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

  it('judges every found state when it stops at a limit', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(randomModel(), wideModel()),
        randomPredicates,
        fc.integer({ min: 1, max: 300 }),
        async (make, predicates, maxStates) => {
          const model = make();
          const { states, depth, found, complete } = await search(model, { predicates, maxStates });
          const all: Found[] = [];
          exploreNaively(model, (state, depth) => all.push({ state, depth }));
          for (const [index, predicate] of predicates.entries()) {
            // All levels but the last were found completely.
            const expected = firstNaively(
              all.filter((known) => known.depth < depth),
              predicate,
            );
            if (expected !== null || complete) expect(found[index]).toEqual(firstNaively(all, predicate));
            const shown = found[index];
            if (shown) expect(judge(predicate.predicate, shown.state)).toBe(predicate.expect === 'reachable');
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
      const { model } = judgedNaimiTrehel(3);
      const seen = new Set<string>();
      const observe = (_: number, local: number) => local;
      const judge = (state: Int32Array) => seen.add(state.join()) && false;
      const predicates: NamedPredicate[] = [
        { name: 'seen', expect: 'reachable', predicate: { kind: 'tuple', observe, judge } },
      ];
      const { states, reason, depth } = await search(model, { predicates, maxStates: 100, spillDir, ...how });
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
      const { model, predicates } = judgedNaimiTrehel(3);
      const result = await search(model, { predicates, maxMemoryBytes: 1, spillDir });
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
    const { model, predicates } = judgedNaimiTrehel(4);
    const broken: NamedPredicate = {
      name: 'site 3 never waits',
      expect: 'always',
      predicate: {
        kind: 'sum',
        project: (site, l) => (site === 3 && model.site(site, l).client === 'requesting' ? 1 : 0),
        judge: (sum) => sum === 0,
      },
    };
    const result = await search(model, { predicates: [...predicates, broken], stopAtFirst: true });
    expect(result).toMatchObject({ complete: false, reason: 'stop-at-first' });
    expect(result.found.at(-1)?.depth).toBe(1);
    expect(result.states).toBeLessThan(100);
  });

  it('rejects workers without a source for the predicates', async () => {
    const { model, predicates } = judgedNaimiTrehel(2);
    await expect(search(model, { predicates, workers: 2 })).rejects.toMatchObject({
      code: 'WORKERS_NEED_SOURCE',
    });
  });
});
