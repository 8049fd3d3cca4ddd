import { expect, test } from 'vitest';
import { check } from '../check/check.ts';
import { isLinearizable, type Operations } from '../system/linearizability.ts';
import { singleCopyRegister } from './single-copy-register.ts';

test('two clients of one server have the published 93 states, and see one register', async () => {
  const { states, properties } = await check(singleCopyRegister());
  expect(states).toBe(93);
  expect(properties.map(({ verdict }) => verdict)).toEqual(['holds', 'holds', 'holds']);
});

test('two clients of two servers do not', async () => {
  const { properties } = await check(singleCopyRegister({ servers: 2 }));
  expect(properties[1]).toMatchObject({ name: 'linearizable', verdict: 'violated' });
});

const register = {
  initial: 0,
  apply: (value: unknown, operation: unknown) =>
    operation === 'read' ? { state: value, answer: value } : { state: operation, answer: null },
};
const done = (operation: unknown, answer: unknown, after: Readonly<Record<string, number>> = {}) => ({
  operation,
  answer,
  after,
});

test.each<[string, Operations, boolean]>([
  ['nothing', { done: {}, pending: {} }, true],
  ['a read of what was written', { done: { a: [done(1, null)], b: [done('read', 1)] }, pending: {} }, true],
  [
    'a read of what is being written',
    { done: { b: [done('read', 1)] }, pending: { a: { operation: 1, after: {} } } },
    true,
  ],
  ['a read of what nobody wrote', { done: { a: [done(1, null)], b: [done('read', 2)] }, pending: {} }, false],
  [
    'an old value after the new one was written',
    { done: { a: [done(1, null)], b: [done('read', 0, { a: 1 })] }, pending: {} },
    false,
  ],
  [
    'an old value while the new one is written',
    { done: { a: [done(1, null)], b: [done('read', 0)] }, pending: {} },
    true,
  ],
  [
    'the new value, and then the old one',
    { done: { a: [done(1, null)], b: [done('read', 1), done('read', 0)] }, pending: {} },
    false,
  ],
  [
    'two readers that see two writes in two orders',
    {
      done: {
        a: [done(1, null)],
        b: [done(2, null)],
        c: [done('read', 1), done('read', 2)],
        d: [done('read', 2), done('read', 1)],
      },
      pending: {},
    },
    false,
  ],
])('%s', (_, operations, verdict) => {
  expect(isLinearizable(operations, register)).toBe(verdict);
});
