import { expect, it } from 'vitest';
import type { ActorView, StateView } from '../system/system.ts';
import { predicateOf, StateTextError } from './state-text.ts';

const ids = ['fork', 'fork 1', 'philosopher 1'];

/** A state in which each actor is in the state of its own name. */
const state = {
  actors: [],
  actor: (id: string) => ({ in: (path: string) => path === id.replaceAll(' ', '') }) as unknown as ActorView,
} as unknown as StateView;

it('takes names that contain spaces, and names that begin with another', () => {
  const holds = (text: string) => {
    const predicate = predicateOf(text, ids);
    return predicate.kind === 'plain' && predicate.holds(state);
  };
  expect(holds('fork in fork and fork 1 in fork1 and not philosopher 1 in fork')).toBe(true);
  expect(holds('philosopher 1 in fork1')).toBe(false);
});

it('says which names there are', () => {
  expect(() => predicateOf('philosopher in fork', ids)).toThrow(StateTextError);
  expect(() => predicateOf('philosopher in fork', ids)).toThrow(
    'expected one of fork, fork 1, philosopher 1',
  );
});
