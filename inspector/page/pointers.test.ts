import { describe, expect, it } from 'vitest';
import { depths, pointersOf } from './pointers.ts';

const ids = new Set(['a', 'b', 'c']);

describe('the tree of last pointers', () => {
  it('counts steps to the root', () => {
    const last = new Map([
      ['a', null],
      ['b', 'a'],
      ['c', 'b'],
    ]);
    expect([...depths(last)].sort()).toEqual([
      ['a', 0],
      ['b', 1],
      ['c', 2],
    ]);
  });

  it('detects a circle, and the sites that lead into it', () => {
    const last = new Map<string, string | null>([
      ['a', 'b'],
      ['b', 'a'],
      ['c', 'a'],
      ['d', null],
    ]);
    const found = depths(last);
    expect(found.get('d')).toBe(0);
    for (const id of ['a', 'b', 'c']) expect(found.get(id), id).toBeNull();
  });

  it('reads the variables of a running site by their names', () => {
    const context = { last: 'b', next: null, token: true };
    expect(pointersOf({ up: true, value: 'idle', context }, ids)).toEqual({
      last: 'b',
      next: null,
      line: [],
      token: true,
    });
    expect(pointersOf({ up: false, value: null, context: {} }, ids).token).toBe(false);
    expect(pointersOf({ up: true, value: 'idle', context: { last: 'stranger' } }, ids).last).toBeUndefined();
  });
});
