import fc from 'fast-check';
import { expect, test } from 'vitest';
import { check } from '../check/check.ts';
import { compile, replayTrace } from './index.ts';
import type { Action, Property, StatePredicate, System } from './system.ts';
import { isAvoidable } from './testing/plain-runs.ts';
import { drafts, systemOf } from './testing/random-system.ts';

/** Larger ones are drawn again. */
const maxStates = 200;

const kinds: readonly Action['kind'][] = ['deliver', 'environment', 'timer', 'restart'];
/** Which kinds of actions must not be put off for ever, actor by actor. */
const fairKinds = fc.oneof({ weight: 3, arbitrary: fc.constant(kinds) }, fc.subarray([...kinds]));

/** For each property of states, its predicate and the negation of it, each to hold eventually. */
function eventuals({ properties }: System): readonly { name: string; predicate: StatePredicate }[] {
  return properties.flatMap((property) => {
    if (property.kind !== 'always' && property.kind !== 'reachable') return [];
    const { name, predicate } = property;
    return [
      { name, predicate },
      { name: `not ${name}`, predicate: { kind: 'not', of: predicate } as const },
    ];
  });
}

test('`eventually` agrees with a second implementation on random systems', async () => {
  const seen = { holds: 0, stays: 0, goesRound: 0 };
  await fc.assert(
    fc.asyncProperty(drafts, fairKinds, async (draft, fair) => {
      const system = systemOf(draft);
      const weak = ({ kind, actor }: Action) => (fair.includes(kind) ? `${actor} ${kind}` : null);
      const fairness = { weak };
      const properties = eventuals(system).map((one): Property => ({ kind: 'eventually', ...one, fairness }));
      const asked = { ...system, properties };
      const report = await check(asked, { maxStates });
      fc.pre(report.complete);
      const classOf = (label: string) => {
        const [actor, kind] = label.split(' ') as [string, Action['kind']];
        return fair.includes(kind) ? `${actor} ${kind}` : null;
      };
      const results = report.properties.slice(1);
      const expected = eventuals(system).map(({ predicate }) =>
        isAvoidable(system, predicate, classOf) ? 'violated' : 'holds',
      );
      expect(results.map(({ verdict }) => verdict)).toEqual(expected);
      const compiled = compile(asked);
      for (const { trace } of results) {
        if (trace === undefined) seen.holds++;
        else {
          expect(replayTrace(compiled, trace)).toHaveLength(trace.steps.length);
          seen[trace.loop === trace.steps.length ? 'stays' : 'goesRound']++;
        }
      }
    }),
    { numRuns: 40 },
  );
  // Chance decides how often each comes.
  for (const times of Object.values(seen)) expect(times).toBeGreaterThan(0);
});
