import { expect, test } from 'vitest';
import { VectorTime } from './vector-time.ts';

test('a clock counts its own events and takes the greater of what it knows and what it sees', () => {
  const time = new VectorTime('a', 0);
  expect(time.seq).toBe(0);
  expect(time.tick(null)).toEqual({ a: 1 });
  expect(time.tick({ b: 5, c: 2 })).toEqual({ a: 2, b: 5, c: 2 });
  expect(time.tick({ a: 1, b: 3, c: 4 })).toEqual({ a: 3, b: 5, c: 4 });
  expect(time.seq).toBe(3);
});

test('the events of a later life are above all of those before', () => {
  const time = new VectorTime('a', 2);
  expect(time.tick({ a: 1_000_000_007, b: 5 })).toEqual({ a: 2_000_000_001, b: 5 });
});
