import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { check, type Report } from './check.ts';
import type { System } from './system/system.ts';
import { explorePlainly } from './testing/plain-explorer.ts';
import { drafts, systemOf } from './testing/random-system.ts';

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
});
