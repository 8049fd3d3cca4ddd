import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type AnyMachineSnapshot, initialTransition, transition } from 'xstate';
import { events, randomMachine } from './testing/machines.ts';
import { start, take } from './xstate.ts';

/** What XState asks for, without its own actions that a step makes into timers. */
const named = (actions: readonly { readonly type: string }[]) =>
  actions.flatMap(({ type }) => (type.startsWith('xstate.') ? [] : [type]));
const types = (effects: readonly { readonly type: string }[]) => effects.map(({ type }) => type);
const plain = ({ value, context, status, output }: AnyMachineSnapshot) => ({
  value,
  context,
  status,
  output,
});
const attempt = <Result>(work: () => Result): Result | string => {
  try {
    return work();
  } catch (error) {
    return String(error);
  }
};

it("a step is that of XState's own `transition`, again and again from one machine", () => {
  let steps = 0;
  fc.assert(
    fc.property(randomMachine, (machine) => {
      const [first, asked] = initialTransition(machine, undefined as never);
      const begun = start(machine, undefined as never);
      expect([plain(begun.snapshot), types(begun.effects)]).toEqual([plain(first), named(asked)]);
      let snapshot: AnyMachineSnapshot = first;
      for (const event of [...events, ...events]) {
        if (snapshot.status !== 'active') break;
        const from = snapshot;
        const expected = attempt(() => transition(machine, from, event));
        const own = attempt(() => take(machine, from, event));
        if (typeof expected === 'string' || typeof own === 'string') {
          expect(own).toBe(expected);
          continue;
        }
        expect([plain(own.snapshot), types(own.effects)]).toEqual([plain(expected[0]), named(expected[1])]);
        snapshot = own.snapshot;
        steps++;
      }
    }),
    { numRuns: 60, seed: 1 },
  );
  expect(steps).toBeGreaterThan(150);
});
