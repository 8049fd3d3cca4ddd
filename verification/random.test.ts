import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { check, type Report } from './check.ts';
import { search } from './checker/search.ts';
import type { System } from './system/system.ts';
import { explorePlainly, orbitOf } from './testing/plain-explorer.ts';
import { sourced } from './testing/random-source.ts';
import { type Draft, drafts, symmetricDrafts, systemOf } from './testing/random-system.ts';

/** Larger ones are drawn again: the plain explorer takes a millisecond for each state. */
const maxStates = 500;

/** What a report says, in the words of the plain explorer. */
function told({ states, transitions, depth, properties }: Report, system: System) {
  const own = properties.slice(-system.properties.length);
  return {
    states,
    transitions,
    depth,
    verdicts: own.map(({ name, verdict, trace }) => [name, verdict, trace?.steps.length]),
  };
}

function explored(system: System) {
  const { states, transitions, depth, found } = explorePlainly(system);
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

/** A thread takes most of a second to start. */
const threads = [
  { workers: 1, numRuns: 40 },
  { workers: 2, numRuns: 6 },
];

describe('a system drawn at random', () => {
  test('has the states, transitions and verdicts that XState by itself gives it', async () => {
    await fc.assert(
      fc.asyncProperty(drafts, async (draft) => {
        const system = systemOf(draft);
        const report = await check(system, { maxStates });
        fc.pre(report.complete);
        expect(told(report, system)).toEqual(explored(system));
      }),
      { numRuns: 60 },
    );
  });

  test.each(threads)('has them for the engine with $workers threads', async ({ workers, numRuns }) => {
    await fc.assert(
      fc.asyncProperty(drafts, async (draft) => {
        const found = await searched(draft, { workers, symmetric: false });
        fc.pre(found !== null);
        expect(found).toEqual({ ...foundPlainly(systemOf(draft)), representedStates: found?.states });
      }),
      { numRuns },
    );
  });

  test.each(threads)(
    'has as many orbits as permutations make, with $workers threads',
    async ({ workers, numRuns }) => {
      await fc.assert(
        fc.asyncProperty(symmetricDrafts, async (draft) => {
          const found = await searched(draft, { workers, symmetric: true });
          fc.pre(found !== null);
          const system = systemOf(draft);
          const representedStates = explorePlainly(system).states;
          expect(found).toEqual({ ...foundPlainly(system, orbitOf(system)), representedStates });
        }),
        { numRuns },
      );
    },
  );
});

/** What the engine finds, or `null` where that is too much to be held against anything. */
async function searched(draft: Draft, how: { readonly workers: number; readonly symmetric: boolean }) {
  const args = { draft, symmetric: how.symmetric };
  const { model, ...rest } = sourced(args);
  const module = new URL('./testing/random-source.ts', import.meta.url).href;
  const source = { module, export: 'sourced', args };
  const result = await search(model, { ...rest, maxStates, workers: how.workers, source });
  const { states, transitions, depth, deadlocks, found, representedStates } = result;
  if (!result.complete) return null;
  return {
    states,
    transitions,
    depth,
    deadlocks,
    found: found.map((state) => state?.depth ?? null),
    representedStates: Number(representedStates),
  };
}

function foundPlainly(...given: Parameters<typeof explorePlainly>) {
  const { states, transitions, depth, deadlocks, found } = explorePlainly(...given);
  return { states, transitions, depth, deadlocks, found };
}
