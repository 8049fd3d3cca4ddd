import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Interner, type Json, type ValueEdge } from './interner.ts';

const ids = ['a', 'b', 'c', 'd'];
/** `d` may not be renamed: its name is as any text. */
const names = ['a', 'b', 'c', null];

const text = fc.constantFrom(...ids, 'x', '', '@', 'a b');
const json = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<Json>(undefined, null, true, 0, 1.5),
    text,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(text, tie('value'), { maxKeys: 3 }),
  ),
})).value;
const permutation = fc.shuffledSubarray([0, 1, 2], { minLength: 3 }).map((to) => [...to, 3]);

/** The same value with its keys in another order: interning must not depend on that. */
function turned(value: Json): Json {
  if (Array.isArray(value)) return value.map(turned);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, turned(item)]),
  );
}

function renamed(value: Json, to: readonly number[]): Json {
  const name = (id: string) => (ids.includes(id) ? ids[to[ids.indexOf(id)]!]! : id);
  if (typeof value === 'string') return name(value);
  if (Array.isArray(value)) return value.map((item) => renamed(item, to));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [name(key), renamed(item, to)]));
}

/** Can nothing tell them apart, but the order of keys? A property that is `undefined` is there. */
function areSame(left: Json, right: Json): boolean {
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) {
    return Object.is(left, right);
  }
  const [keys, others] = [Object.keys(left), Object.keys(right)];
  return (
    Array.isArray(left) === Array.isArray(right) &&
    keys.length === others.length &&
    keys.every((key) => Object.hasOwn(right, key) && areSame(left[key as never], right[key as never]))
  );
}

function multiset(edges: readonly ValueEdge[], to: readonly number[] = [0, 1, 2, 3]): string[] {
  return edges.map(({ label, refs }) => `${label} ${refs.map((process) => to[process])}`).sort();
}

describe('interned values:', () => {
  it('two values have one number exactly if they are equal, in any order of keys', () => {
    fc.assert(
      fc.property(json, json, (left, right) => {
        const values = new Interner(names);
        const id = values.intern(left, 'left');
        expect(values.intern(turned(left), 'left')).toBe(id);
        expect(values.intern(right, 'right') === id).toBe(areSame(left, right));
      }),
    );
  });

  it('renaming a value renames each id in it', () => {
    fc.assert(
      fc.property(json, permutation, (value, to) => {
        const values = new Interner(names);
        expect(values.value(values.rename(values.intern(value, 'it'), to))).toEqual(renamed(value, to));
      }),
    );
  });

  it('permutations act on values as a group', () => {
    fc.assert(
      fc.property(json, permutation, permutation, (value, first, second) => {
        const values = new Interner(names);
        const id = values.intern(value, 'it');
        const both = first.map((process) => second[process]!);
        expect(values.rename(id, [0, 1, 2, 3])).toBe(id);
        expect(values.rename(values.rename(id, first), second)).toBe(values.rename(id, both));
        expect(
          values.rename(
            values.rename(id, first),
            first.map((_, process) => first.indexOf(process)),
          ),
        ).toBe(id);
      }),
    );
  });

  it('two values have equal edges exactly if they are equal, and renaming renames the edges', () => {
    fc.assert(
      fc.property(json, json, permutation, (left, right, to) => {
        const values = new Interner(names);
        const [first, second] = [values.intern(left, 'left'), values.intern(right, 'right')];
        expect(first === second).toBe(
          multiset(values.edges(first)).join() === multiset(values.edges(second)).join(),
        );
        expect(multiset(values.edges(values.rename(first, to)))).toEqual(multiset(values.edges(first), to));
      }),
    );
  });

  it('an interned value cannot be modified', () => {
    const values = new Interner(names);
    const value = values.value(values.intern({ list: [{}] }, 'it')) as { list: object[] };
    expect(() => value.list.push({})).toThrow(TypeError);
    expect(() => Object.assign(value.list[0]!, { a: 1 })).toThrow(TypeError);
  });
});
