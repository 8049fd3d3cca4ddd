import { expect, test } from 'vitest';
import { configurationOf, foundersDigest } from './configuration.ts';

const told = { strict: { leaseMs: 500, driftShare: 0.01 } };
const digest = configurationOf(told);
const founding = { founders: ['a', 'b', 'c'], voters: ['a', 'b'], root: undefined };
const alike = foundersDigest(founding);

test('founders that are told the same in another order have the same configuration', () => {
  expect(foundersDigest({ ...founding, founders: ['c', 'a', 'b'], voters: ['b', 'a'] })).toBe(alike);
  expect(digest).toMatch(/^[\w-]{43}$/);
});

test.each([
  ['no leases', { strict: null }],
  ['the length of a lease', { strict: { ...told.strict, leaseMs: 501 } }],
  ['the drift of clocks', { strict: { ...told.strict, driftShare: 0.02 } }],
])('sites that differ in %s have not', (_, change) => {
  expect(configurationOf({ ...told, ...change })).not.toBe(digest);
});

test.each([
  ['themselves', { founders: ['a', 'b'] }],
  ['voters', { voters: ['a', 'b', 'c'] }],
  ['the root', { root: 'a' }],
])('founders that differ in %s have not', (_, change) => {
  expect(foundersDigest({ ...founding, ...change })).not.toBe(alike);
});
