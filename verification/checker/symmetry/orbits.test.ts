import { describe, expect, it } from 'vitest';
import { exploreNaively } from '../naive.ts';
import { createNaimiTrehel } from '../testing/naimi-trehel.ts';
import { exploreOrbits } from '../testing/orbits.ts';

describe('naimi-trehel: orbits, and the number of states that they stand for', () => {
  it.each([
    ['fifo', 2, 7, 14],
    ['fifo', 3, 49, 282],
    ['fifo', 4, 405, 9_352],
    ['fifo', 5, 3_828, 440_120],
    ['unordered', 2, 8, 16],
    ['unordered', 3, 55, 318],
    ['unordered', 4, 455, 10_504],
    ['unordered', 5, 4_299, 494_320],
  ] as const)('%s, N = %i', (order, n, orbits, states) => {
    const model = createNaimiTrehel(n, order);
    expect(exploreOrbits(model, model)).toMatchObject({ orbits, states });
  });

  it.each(['fifo', 'unordered'] as const)('%s: as many states as without symmetry', (order) => {
    const model = createNaimiTrehel(3, order);
    expect(exploreOrbits(model, model).states).toBe(exploreNaively(model).states);
  });
});
