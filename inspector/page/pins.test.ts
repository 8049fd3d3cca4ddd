import { expect, it } from 'vitest';
import { Moments } from './moments.ts';
import { type Pin, pinOf, segmentsOf } from './pins.ts';
import { longRun } from './testing/long-run.ts';

const moments = new Moments(longRun(6, ['a', 'b']));
const values = (text: string) => segmentsOf(moments, pinOf(text, ['a', 'b']) as Pin);

it('evaluates an expression at every moment, and keeps the moments at which it changes', () => {
  expect(values('a.token')).toEqual([
    { from: 0, value: 'true' },
    { from: 2, value: 'false' },
    { from: 5, value: 'true' },
    { from: 6, value: 'false' },
  ]);
  expect(values('b in client.inCS').map(({ value }) => value)).toEqual(['false', 'true', 'false']);
  expect(values('b.nothing')).toEqual([{ from: 0, value: '(none)' }]);
});

it('takes names that contain spaces, and names that begin with another', () => {
  const names = ['fork', 'fork 1', 'fork 1.left'];
  for (const [text, site] of [
    ['fork.taken', 'fork'],
    ['fork 1.taken', 'fork 1'],
    ['fork 1 in free', 'fork 1'],
    ['fork 1.left.taken', 'fork 1.left'],
  ] as const) {
    expect(pinOf(text, names)).toMatchObject({ site });
  }
});

it('tells the expected form of an invalid expression', () => {
  expect(pinOf('next', ['a'])).toContain('expected NAME.VARIABLE');
  expect(pinOf('z.next', ['a'])).toContain('there is no z; there is a');
});
