import { expect, test } from 'vitest';
import { createMachine } from 'xstate';
import { check } from '../../check/check.ts';
import { systemOf } from '../../check/machine.ts';

const doing = (effect: () => void) =>
  createMachine({
    id: 'm',
    initial: 'a',
    states: { a: { on: { go: 'b' } }, b: { type: 'final', entry: effect } },
  });

test.each<[string, () => void, string]>([
  // @ts-expect-error: only a browser has it.
  ['of a browser ends it quietly', () => window.alert('hello'), 'holds'],
  // @ts-expect-error: nothing has it.
  ['that is misspelt fails the machine, as XState would', () => widnow.alert('hello'), 'violated'],
])('a name in an effect %s', async (_, effect, verdict) => {
  const { properties } = await check(systemOf(doing(effect) as never));
  expect(properties[0]).toMatchObject({ name: 'no machine fails', verdict });
});
