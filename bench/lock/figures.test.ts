import { expect, test } from 'vitest';
import { figuresOf } from './figures.ts';

test('hand-offs are entries after another process, of the same lock', () => {
  const a = [
    [0, 0, 1, 0],
    [1, 1, 2, 0],
    [4, 5, 6, 0],
  ] as const;
  const b = [
    [0, 3, 4, 0],
    [0, 7, 8, 1],
  ] as const;
  expect(figuresOf([a, b], 2)).toEqual({
    entries: 2.5,
    handOffs: 1,
    p50Ms: 1,
    p99Ms: 7,
    fairness: 25 / 26,
    overlaps: 0,
  });
});

test('overlapping critical sections of one lock are found, also across one that lies between', () => {
  const a = [[0, 0, 9, 0]] as const;
  const b = [
    [0, 1, 2, 0],
    [0, 3, 4, 0],
    [0, 5, 6, 1],
  ] as const;
  expect(figuresOf([a, b], 1).overlaps).toBe(2);
});

test('rejects an empty measurement', () => {
  expect(() => figuresOf([[], []], 1)).toThrow('nobody entered');
});
