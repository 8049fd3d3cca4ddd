import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bendPast, columnsOf, onCurve, type Place } from './forest-layout.ts';

const radius = 25;

it('lets no arrow pass through the disc of a third site, wherever the sites stand', () => {
  const forest = fc.integer({ min: 3, max: 7 }).chain((sites) =>
    fc.record({
      depths: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: sites, maxLength: sites }),
      usual: fc.constantFrom(0, 34, -36),
      room: fc.record({
        width: fc.integer({ min: 340, max: 900 }),
        height: fc.integer({ min: 200, max: 600 }),
      }),
    }),
  );
  fc.assert(
    fc.property(forest, ({ depths, usual, room }) => {
      const places = columnsOf(depths, room);
      for (const [index, from] of places.entries()) {
        for (const [other, to] of places.entries()) {
          if (index === other) continue;
          const others = places.filter((_, at) => at !== index && at !== other);
          const bend = bendPast(from, to, others, radius, usual);
          for (let share = 0; share <= 1; share += 0.01) {
            const { x, y } = onCurve(from, to, bend, share);
            expect(nearestOf(others, x, y)).toBeGreaterThan(radius + 1);
          }
        }
      }
    }),
    { numRuns: 25 },
  );
});

it('leaves an arrow unchanged if nothing is in its way', () => {
  expect(bendPast({ x: 0, y: 0 }, { x: 100, y: 0 }, [{ x: 50, y: 90 }], radius, 0)).toBe(0);
});

function nearestOf(places: readonly Place[], x: number, y: number): number {
  return Math.min(...places.map((place) => Math.hypot(place.x - x, place.y - y)));
}
