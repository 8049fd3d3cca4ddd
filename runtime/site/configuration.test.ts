import { expect, test } from 'vitest';
import { configurationOf } from './configuration.ts';

const told = {
  members: ['a', 'b', 'c'],
  voters: ['a', 'b'],
  root: undefined,
  strict: { leaseMs: 500, driftShare: 0.01 },
};
const digest = configurationOf(told);

test('sites that are told the same in another order have the same configuration', () => {
  expect(configurationOf({ ...told, members: ['c', 'a', 'b'], voters: ['b', 'a'] })).toBe(digest);
  expect(digest).toMatch(/^[\w-]{43}$/);
});

test.each([
  ['members', { members: ['a', 'b'] }],
  ['voters', { voters: ['a', 'b', 'c'] }],
  ['the root', { root: 'a' }],
  ['no leases', { strict: null }],
  ['the length of a lease', { strict: { ...told.strict, leaseMs: 501 } }],
  ['the drift of clocks', { strict: { ...told.strict, driftShare: 0.02 } }],
])('sites that differ in %s have not', (_, change) => {
  expect(configurationOf({ ...told, ...change })).not.toBe(digest);
});
