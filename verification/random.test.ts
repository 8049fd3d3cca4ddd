import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { check, type Report } from './check.ts';
import { type SearchOptions, search } from './checker/search.ts';
import type { System } from './system/system.ts';
import { explorePlainly, orbitOf } from './testing/plain-explorer.ts';
import { sourced } from './testing/random-source.ts';
import { drafts, symmetricDrafts, systemOf } from './testing/random-system.ts';

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
  { workers: 1, numRuns: 25 },
  { workers: 2, numRuns: 5 },
];

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'random-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a system drawn at random', () => {
  test('has the states, transitions and verdicts that XState by itself gives it', async () => {
    await fc.assert(
      fc.asyncProperty(drafts, async (draft) => {
        const system = systemOf(draft);
        const report = await check(system, { maxStates });
        fc.pre(report.complete);
        expect(told(report, system)).toEqual(explored(system));
      }),
      { numRuns: 40 },
    );
  });

  test.each(threads)('has them for the engine with $workers threads', async ({ workers, numRuns }) => {
    await fc.assert(
      fc.asyncProperty(drafts, async (draft) => {
        const found = await searched({ draft, symmetric: false }, { workers });
        fc.pre(found.complete);
        const system = systemOf(draft);
        expect(found).toMatchObject({ ...foundPlainly(system), representedStates: found.states });
      }),
      { numRuns },
    );
  });

  test.each(threads)(
    'has as many orbits as permutations make, with $workers threads',
    async ({ workers, numRuns }) => {
      await fc.assert(
        fc.asyncProperty(symmetricDrafts, async (draft) => {
          const found = await searched({ draft, symmetric: true }, { workers });
          fc.pre(found.complete);
          const system = systemOf(draft);
          const representedStates = explorePlainly(system).states;
          expect(found).toMatchObject({ ...foundPlainly(system, orbitOf(system)), representedStates });
        }),
        { numRuns },
      );
    },
  );

  test.each([false, true])(
    'has them when the search is cut short and gone on with (orbits: %s)',
    async (symmetric) => {
      await fc.assert(
        fc.asyncProperty(
          symmetric ? symmetricDrafts : drafts,
          fc.double({ min: 0.1, max: 0.9, noNaN: true }),
          async (draft, part) => {
            const whole = await searched({ draft, symmetric });
            fc.pre(whole.complete && whole.states >= 20);
            const checkpointDir = mkdtempSync(join(folder, 'cut-'));
            const cut = { maxStates: Math.ceil(whole.states * part), checkpointDir, checkpointEveryMs: 0 };
            expect(await searched({ draft, symmetric }, cut)).toMatchObject({ complete: false });
            fc.pre(existsSync(join(checkpointDir, 'checkpoint')));
            expect(await searched({ draft, symmetric }, { resumeDir: checkpointDir })).toEqual(whole);
          },
        ),
        { numRuns: 12 },
      );
    },
  );
});

/** What the engine finds in a system that is compiled anew. */
async function searched(args: Parameters<typeof sourced>[0], options: SearchOptions = {}) {
  const { model, ...rest } = sourced(args);
  const module = new URL('./testing/random-source.ts', import.meta.url).href;
  const source = { module, export: 'sourced', args };
  const result = await search(model, { maxStates, ...rest, source, ...options });
  const { states, transitions, depth, deadlocks, found, representedStates, complete } = result;
  return {
    states,
    transitions,
    depth,
    deadlocks,
    found: found.map((state) => state?.depth ?? null),
    representedStates: Number(representedStates),
    complete,
  };
}

function foundPlainly(...given: Parameters<typeof explorePlainly>) {
  const { states, transitions, depth, deadlocks, found } = explorePlainly(...given);
  return { states, transitions, depth, deadlocks, found };
}
