import { expect, test } from 'vitest';
import { RateLimiter } from './rate-limiter.ts';

test('of a flood the first of each second are told, and the next of them says how many were not', () => {
  let now = 5_000;
  const flood = new RateLimiter(() => now);
  const told = (count: number) =>
    Array.from({ length: count }, () => flood.next()).filter((one) => one !== null);
  expect(told(300)).toEqual(Array(10).fill(0));
  now += 999;
  expect(told(5)).toEqual([]);
  now += 1;
  expect(told(12)).toEqual([295, ...Array(9).fill(0)]);
  now += 60_000;
  expect(told(1)).toEqual([2]);
});
