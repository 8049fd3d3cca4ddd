import { expect, test } from 'vitest';
import { backoffMs } from './reconnector.ts';

const limits = { dialMinMs: 20, dialMaxMs: 1_000 };

test('the pause doubles up to the longest', () => {
  const never = { fraction: () => 0, incarnation: () => 'x' };
  const pauses = [0, 1, 2, 3, 4, 5, 6, 60].map((attempt) => backoffMs(attempt, limits, never));
  expect(pauses).toEqual([20, 40, 80, 160, 320, 640, 1_000, 1_000]);
});

test('random shortens it by up to half', () => {
  const most = { fraction: () => 0.999_999, incarnation: () => 'x' };
  expect(backoffMs(60, limits, most)).toBeCloseTo(500, 0);
});
