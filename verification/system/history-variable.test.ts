import { expect, test } from 'vitest';
import { setup } from 'xstate';
import { check } from '../check/check.ts';
import { always, plain, reachable, relation } from './properties.ts';
import type { History, System } from './system.ts';
import { systemOf } from './testing/systems.ts';

const shouter = setup({ actions: { shout: () => {}, murmur: () => {} } }).createMachine({
  id: 'shouter',
  on: { go: { actions: ['murmur', 'shout'] } },
});
const actor = { machine: shouter, environment: [{ event: { type: 'go' }, times: 1 }] };

/** Who shouted, in order. */
const shouts: History = {
  initial: [],
  effects: ['shout'],
  after: (before, id, effects) => [...(before as string[]), ...effects.map(({ type }) => `${id} ${type}`)],
};
const was = (...order: readonly string[]) => plain(({ history }) => String(history) === String(order));

function twoShout(rest: Partial<System>): System {
  return systemOf({ a: actor, b: actor }, rest);
}

test('a history tells states apart by what happened on the way, and hears what it listens to only', async () => {
  expect(await check(twoShout({}))).toMatchObject({ states: 4, complete: true });
  const properties = [
    reachable('a before b', was('a shout', 'b shout')),
    reachable('b before a', was('b shout', 'a shout')),
    always(
      'as a relation',
      relation(
        ({ id }) => Number(id === 'b'),
        ([a, b], history) => a === 0 && b === 1 && (history as string[]).length <= 2,
      ),
    ),
    always(
      'nobody twice',
      plain(({ history }) => (history as string[]).length <= 2),
    ),
  ];
  const report = await check(twoShout({ history: shouts, properties }));
  expect(report).toMatchObject({ states: 5, complete: true });
  expect(report.properties.map(({ verdict }) => verdict)).toEqual(Array(5).fill('holds'));
});

test('a predicate of the history is refuted at the step that changes it', async () => {
  const properties = [always('silence', was())];
  const { properties: results } = await check(twoShout({ history: shouts, properties }));
  expect(results[1]).toMatchObject({ verdict: 'violated', trace: { steps: { length: 1 } } });
});

test('a history beside symmetry is refused', async () => {
  await expect(check(twoShout({ history: shouts, symmetry: ['a', 'b'] }))).rejects.toMatchObject({
    code: 'SYSTEM_INVALID',
  });
});
