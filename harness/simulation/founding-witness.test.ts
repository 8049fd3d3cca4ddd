import { expect, test } from 'vitest';
import type { FoundingDisk } from '../../machines/members/founding.ts';
import { FoundingWitness } from './founding-witness.ts';

/** Founders `a`, `b` and `c`, and the number of their data. */
const on = (stage: FoundingDisk['stage'], generation = 1, b = 'b1'): FoundingDisk => ({
  ...{ stage, generation },
  ids: { a: 'a1', b, c: 'c1' },
});

/** The first promise that is broken as these disks keep this in turn. */
function judged(...kept: readonly (readonly [id: string, disk: FoundingDisk])[]): string | null {
  const witness = new FoundingWitness();
  return kept.reduce<string | null>((broken, [id, disk]) => broken ?? witness.synced(id[0]!, id, disk), null);
}

const acceptedByAll = (disk = on('accepted')) =>
  Object.values(disk.ids).map((id): readonly [string, FoundingDisk] => [id, disk]);

test('what all accept is founded, and one that has other data by then is part of a later founding', () => {
  expect(
    judged(...acceptedByAll(), ['a1', on('founded')], ['b1', on('settled')], ['d1', on('settled')]),
  ).toBe(null);
  const later = on('accepted', 2, 'b2');
  expect(judged(['a1', on('accepted')], ...acceptedByAll(later), ['a1', on('founded', 2, 'b2')])).toBe(null);
});

test.each([
  [
    'a founder that did not accept it',
    [
      ['a1', on('accepted')],
      ['b1', on('accepted')],
      ['a1', on('founded')],
    ],
    'M8: a1 knows that 1 is founded, which c1 did not accept',
  ],
  [
    'a founder under another id',
    [['b2', on('accepted')]],
    'M8: b2 takes part in the founding 1, which names b1',
  ],
  [
    'locks before a majority knows',
    [...acceptedByAll(), ['a1', on('settled')]],
    'M8: a1 uses locks of 1, and only a1 know that it is founded',
  ],
  [
    'one that knows of a founding in a later one',
    [
      ...acceptedByAll(),
      ['a1', on('founded')],
      ...acceptedByAll(on('accepted', 2, 'b2')),
      ['c1', on('founded', 2, 'b2')],
    ],
    'M8: a1 knows that 1 is founded, and is part of 2, which is founded too',
  ],
] as const)('%s is seen', (_, kept, broken) => {
  expect(judged(...kept)).toBe(broken);
});
