import { expect, test } from 'vitest';
import { rootOf } from './root.ts';

const voters = ['a', 'b', 'c', 'd', 'e'];
const names = Array.from({ length: 5_000 }, (_, index) => `lock ${index}`);

test('the root of a lock is the same whatever the order of the voters', () => {
  const reversed = [...voters].reverse();
  for (const name of names) expect(rootOf(name, reversed)).toBe(rootOf(name, voters));
});

test('stays what it was in every release', () => {
  expect(['main', 'orders/1', 'ünïcode'].map((name) => rootOf(name, voters))).toMatchInlineSnapshot(`
    [
      "b",
      "d",
      "e",
    ]
  `);
});

test('every voter is the root of about as many locks as any other', () => {
  const shares = new Map<string, number>();
  for (const name of names) shares.set(rootOf(name, voters), (shares.get(rootOf(name, voters)) ?? 0) + 1);
  for (const voter of voters) expect(shares.get(voter)! / names.length).toBeCloseTo(1 / voters.length, 1);
});

test('only the locks of a voter that is gone get another root', () => {
  for (const name of names) {
    const root = rootOf(name, voters);
    if (root !== 'c') expect(rootOf(name, ['a', 'b', 'd', 'e'])).toBe(root);
  }
});
