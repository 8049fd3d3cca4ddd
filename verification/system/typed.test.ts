import { describe, expect, it } from 'vitest';
import { assign, createMachine, setup } from 'xstate';
import { check } from '../check/check.ts';
import { replay, toHold } from '../check/matcher.ts';
import type { Predicate } from '../checker/model.ts';
import { exploreNaively } from '../checker/naive.ts';
import { naimiTrehel } from '../protocols/naimi-trehel/system.ts';
import { compile } from './compile.ts';
import { plain } from './properties.ts';
import { adding, isIn, isMajority, removing, setOf, sizeOf } from './sets.ts';
import { each, role, system } from './typed.ts';

expect.extend({ toHold });
declare module 'vitest' {
  interface Matchers<T> {
    toHold: () => Promise<T>;
  }
}

const checkout = setup({
  types: {} as { context: { asked: number }; events: { type: 'buy' } | { type: 'CHARGED' } },
  actions: { send: (_, _params: { target: string; message: { type: 'CHARGE' } }) => {} },
}).createMachine({
  id: 'checkout',
  context: { asked: 0 },
  initial: 'shopping',
  states: {
    shopping: { on: { buy: 'paying' } },
    paying: {
      entry: [
        assign({ asked: ({ context }) => context.asked + 1 }),
        { type: 'send', params: { target: 'payment', message: { type: 'CHARGE' } } },
      ],
      on: { CHARGED: 'paid' },
      after: { 2000: { guard: ({ context }) => context.asked < 2, target: 'paying', reenter: true } },
    },
    paid: {},
  },
});
const payment = setup({
  types: {} as { context: { charges: number }; events: { type: 'CHARGE' } },
  actions: { send: (_, _params: { target: string; message: { type: 'CHARGED' } }) => {} },
}).createMachine({
  id: 'payment',
  context: { charges: 0 },
  on: {
    CHARGE: {
      actions: [
        assign({ charges: ({ context }) => context.charges + 1 }),
        { type: 'send', params: { target: 'checkout', message: { type: 'CHARGED' } } },
      ],
    },
  },
});
const shop = system('shop', { checkout: role(checkout, { environment: ['buy'] }), payment })
  .always('nobody pays twice', (state) => state.payment.context.charges <= 1)
  .sometimes('somebody pays', (state) => state.checkout.matches('paid'))
  .leadsTo(
    'who pays is done',
    (s) => s.checkout.matches('paying'),
    (s) => s.checkout.matches('paid'),
  )
  .endsOnlyIn('all is paid', (s) => s.checkout.matches('paid'));
const once = assign<{ charges: number }, { type: 'CHARGE' }, undefined, { type: 'CHARGE' }, never>({
  charges: 1,
});

describe('a system of machines, with their types', () => {
  it('is judged, and corrected by another machine', async () => {
    const { properties } = await check(shop);
    const verdicts = properties.map(({ verdict }) => verdict);
    expect(verdicts).toEqual(['holds', 'violated', 'holds', 'holds', 'holds']);
    replay(shop, JSON.parse(JSON.stringify(properties[1]!.trace)));
    const careful = shop.edited(payment, (edit) => edit.replace('on.CHARGE.actions.0', once));
    await expect(careful).toHold();
    await expect(expect(shop).toHold()).rejects.toThrow(
      /violated: nobody pays twice.*0\. At first.*charges=2/s,
    );
    expect(() => replay(careful, properties[1]!.trace!)).toThrow(/TRACE_REFUSED/);
  });

  it('is refused if it names an unknown actor or state', async () => {
    const wrong = (holds: (state: never) => boolean) => check(shop.always('wrong', holds as () => boolean));
    await expect(wrong((state) => (state as { shop: { up: boolean } }).shop.up)).rejects.toMatchObject({
      code: 'PREDICATE_INVALID',
    });
    // @ts-expect-error There is no state of that name.
    await expect(check(shop.never('wrong', (state) => state.checkout.matches('payd')))).rejects.toThrow(
      /did you mean paid\?/,
    );
    // @ts-expect-error There is no event of that name.
    await expect(check(system('x', { a: role(checkout, { environment: ['by'] }) }))).rejects.toThrow(
      /mean buy\?/,
    );
  });

  it('takes several actors of one machine, a constraint, and a history', async () => {
    const counter = createMachine({
      types: {} as { context: { n: number }; events: { type: 'up' } },
      id: 'counter',
      context: { n: 0 },
      on: { up: { actions: [assign({ n: ({ context }) => context.n + 1 }), 'tell'] } },
    });
    const ups = system(
      'ups',
      each(['a', 'b'], () => role(counter, { environment: ['up'] })),
    )
      .remembering({ initial: 0, effects: ['tell'], after: (n) => (n as number) + 1 })
      .within((_, all) => all.every(({ context }) => context.n < 3))
      .always(
        'as many as were told',
        (_, all, told) => all.reduce((sum, { context }) => sum + context.n, 0) === told,
      );
    const report = await check(ups);
    expect(report).toMatchObject({ states: 15, cut: 6, notRun: [] });
    expect(report.properties[1]).toMatchObject({ verdict: 'holds within the constraint' });
  });
});

it('a plain predicate runs once for each combination of the values that it reads', () => {
  const { model, predicateOf } = compile(naimiTrehel({ sites: 3, network: { order: 'fifo' } }));
  let calls = 0;
  const predicate = plain(({ actors }) => {
    calls++;
    return actors.filter((actor) => actor.in('client.inCS')).length <= 1;
  });
  const judge = (predicateOf(predicate) as Extract<Predicate, { kind: 'tuple' }>).judge;
  let states = 0;
  exploreNaively(model, (state) => {
    states++;
    expect(judge(Int32Array.from(state))).toBe(true);
  });
  expect(states).toBe(282);
  // Nobody inside, or one of three, each asked twice.
  expect(calls).toBe(8);
});

it('a set of ids is unordered', () => {
  const set = adding(setOf('b', 'a'), 'c');
  expect([sizeOf(set), isIn(set, 'b'), isIn(set, 'd')]).toEqual([3, true, false]);
  expect(removing(set, 'b')).toEqual(setOf('c', 'a'));
  expect([isMajority(set, 5), isMajority(set, 6)]).toEqual([true, false]);
});
