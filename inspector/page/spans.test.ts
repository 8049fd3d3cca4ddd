import { describe, expect, it } from 'vitest';
import { Spans } from './spans.ts';

describe('things present at a time', () => {
  it('are found in order, however long they have been present', () => {
    const spans = new Spans();
    const things = Array.from({ length: 300 }, (_, index) => {
      const from = (index * 7_919) % 5_000;
      return { from, to: from + ((index * 104_729) % 9_000) };
    });
    for (const [index, { from, to }] of things.entries()) spans.add(index, from, to);
    for (let from = 0; from < 14_000; from += 371) {
      const to = from + (from % 200);
      const there = things.flatMap((thing, index) => (thing.from <= to && thing.to >= from ? [index] : []));
      const found = spans.within(from, to);
      expect(found).toEqual(expect.arrayContaining(there));
      expect(found).toEqual(found.toSorted((left, right) => left - right));
      // Blocks are coarse, and no coarser than that.
      for (const index of found) {
        expect(things[index]!.from).toBeLessThan(to + 64);
        expect(things[index]!.to).toBeGreaterThan(from - 64);
      }
    }
  });

  it('take few places, even when none of them ever ends', () => {
    const places = (count: number) => {
      const spans = new Spans();
      for (let index = 0; index < count; index++) spans.add(index, index, count);
      return spans.places / count;
    };
    expect(places(64_000)).toBeLessThan(2 * Math.log2(64_000 / 64));
  });
});
