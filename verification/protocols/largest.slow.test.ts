import { describe, expect, test } from 'vitest';
import { check } from '../check/check.ts';
import { largest } from './largest.ts';
import { sourceOf, systems } from './systems.ts';

/* Slow: minutes for each row. The largest size of every system, so that a user is never the first to try it. */

describe.each(largest)(
  '$system, $options.sites sites, $options.network.order',
  ({ system, options, ...wanted }) => {
    test(`has ${wanted.states.toLocaleString('en')} states, and every property holds`, async () => {
      const report = await check(systems[system]!(options), {
        ...wanted.check,
        source: sourceOf(system, options),
        maxMemoryBytes: 12 * 2 ** 30,
      });
      expect(report.properties.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
      expect(report).toMatchObject({
        complete: true,
        states: wanted.states,
        ...(wanted.orbits === undefined ? {} : { orbits: wanted.orbits }),
      });
    });
  },
);

test('no system is left out', () => {
  const named = new Set(largest.map(({ system }) => system));
  // The sketch has faults by design. Other tests have the largest sizes of the rest.
  const others = [
    'sketch',
    'epoch-strict',
    'epoch-liveness',
    'epoch-over',
    'epoch-forgetting',
    'line-combined',
    'line-overtaking',
    'founding',
    'founding-anew',
    'members',
  ];
  expect(Object.keys(systems).filter((system) => !named.has(system) && !others.includes(system))).toEqual([]);
});
