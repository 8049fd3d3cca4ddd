import { expect, it } from 'vitest';
import { durationText } from './time.ts';

it('durationText formats durations in ms, s, min and h', () => {
  const given = [0, 350, 999.6, 2_540, 9_960, 12_040, 59_700, 185_000, 239_600, 7_440_000];
  expect(given.map(durationText)).toEqual([
    ...['0 ms', '350 ms', '1.0 s', '2.5 s', '10 s', '12 s', '1 min 0 s'],
    ...['3 min 5 s', '4 min 0 s', '2 h 4 min'],
  ]);
});
