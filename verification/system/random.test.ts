import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { check, type Report, type SystemSource } from '../check/check.ts';
import { sourced } from '../check/source.ts';
import { type SearchOptions, search } from '../checker/packed/index.ts';
import type { System } from './system.ts';
import { explorePlainly, orbitOf, type World } from './testing/plain-explorer.ts';
import { type Draft, drafts, symmetricDrafts, systemOf } from './testing/random-system.ts';

/** Larger ones are drawn again: the plain explorer takes a millisecond for each state. */
const maxStates = 500;

/** A thread takes most of a second to start. */
const threads = [
  { workers: 1, numRuns: 25 },
  { workers: 2, numRuns: 5 },
];

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'random-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a system drawn at random', () => {
  test.each(threads)(
    'agrees with a plain exploration of XState snapshots, with $workers threads',
    async ({ workers, numRuns }) => {
      await fc.assert(
        fc.asyncProperty(drafts, async (draft) => {
          const report = await check(systemOf(draft), { maxStates, workers, source: sourceOf(draft) });
          fc.pre(report.complete);
          expect(told(report)).toEqual(explored(systemOf(draft)));
        }),
        { numRuns },
      );
    },
  );

  test.each(threads)(
    'has the orbits of a plain exploration, with $workers threads',
    async ({ workers, numRuns }) => {
      await fc.assert(
        fc.asyncProperty(symmetricDrafts, async (draft) => {
          const system = systemOf(draft);
          const report = await check(system, { maxStates, workers, source: sourceOf(draft), symmetry: true });
          fc.pre(report.complete);
          const { states, ...orbits } = explored(system, orbitOf(system));
          expect(told(report)).toEqual({ ...orbits, orbits: states, states: explorePlainly(system).states });
        }),
        { numRuns },
      );
    },
  );

  test.each([
    { of: 'states', some: drafts },
    { of: 'orbits', some: symmetricDrafts },
  ])('has all $of when a search is cut short and gone on with', async ({ some }) => {
    await fc.assert(
      fc.asyncProperty(some, fc.double({ min: 0.1, max: 0.9, noNaN: true }), async (draft, part) => {
        const whole = await searched(draft, { maxStates });
        fc.pre(whole.complete && whole.states >= 20);
        const checkpointDir = mkdtempSync(join(folder, 'cut-'));
        const cut = { maxStates: Math.ceil(whole.states * part), checkpointDir, checkpointEveryMs: 0 };
        expect(await searched(draft, cut)).toMatchObject({ complete: false });
        fc.pre(existsSync(join(checkpointDir, 'checkpoint')));
        expect(await searched(draft, { resumeDir: checkpointDir })).toEqual(whole);
      }),
      { numRuns: 8 },
    );
  });
});

function sourceOf(draft: Draft): SystemSource {
  const module = new URL('./testing/random-system.ts', import.meta.url).href;
  return { module, export: 'systemOf', options: draft };
}

/** A report in the words of the plain explorer. */
function told({ states, orbits, transitions, depth, properties }: Report) {
  return {
    states,
    ...(orbits === undefined ? {} : { orbits }),
    transitions,
    depth,
    verdicts: properties.slice(1).map(({ name, verdict, trace }) => [name, verdict, trace?.steps.length]),
  };
}

function explored(system: System, keyOf?: (world: World) => string) {
  const { states, transitions, depth, found } = explorePlainly(system, keyOf);
  return {
    states,
    transitions,
    depth,
    verdicts: system.properties.map(({ name, kind }, index) => {
      const at = found[index] ?? undefined;
      return [name, (at === undefined) === (kind === 'reachable') ? 'violated' : 'holds', at];
    }),
  };
}

/** The findings of the engine in a system that is compiled anew, over orbits where it has them. */
async function searched(draft: Draft, options: SearchOptions) {
  const asking = { exact: false, symmetry: draft.plans.length === 1 };
  const { model, ...rest } = await sourced({ source: sourceOf(draft), asking });
  const { states, transitions, depth, deadlocks, found, representedStates, complete } = await search(model, {
    ...rest,
    ...options,
  });
  const depths = found.map((state) => state?.depth ?? null);
  return { states, transitions, depth, deadlocks, depths, representedStates, complete };
}
