import { expect, expectTypeOf, test } from 'vitest';
import { createMachine, fromCallback, fromPromise, setup } from 'xstate';
import type { Outcome, OutcomesOf } from './outcomes.ts';

const machine = setup({
  actors: {
    charge: fromPromise<string, { readonly amount: number }>(async () => 'receipt'),
    listen: fromCallback(() => {}),
    child: createMachine({}),
  },
}).createMachine({ invoke: { src: 'charge', input: { amount: 1 } } });

type Declared = OutcomesOf<typeof machine>;

test('the types of outcomes are checked against the invoked logic', () => {
  const outcomes = {
    charge: { done: ({ amount }) => [`receipt of ${amount}`], error: [new Error('refused')] },
    listen: { sends: [{ type: 'heard' }] },
  } satisfies Declared;
  // @ts-expect-error a receipt is no number
  const wrong: Declared = { charge: { done: [7] } };
  // @ts-expect-error it invokes nothing of that name
  const unknown: Declared = { pay: {} };
  expectTypeOf<Declared['listen']>().toEqualTypeOf<Outcome | undefined>();
  expect([outcomes, wrong, unknown].map((each) => Object.keys(each).length)).toEqual([2, 1, 1]);
});
