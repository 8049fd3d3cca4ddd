import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type AnyStateMachine,
  assign,
  cancel,
  createActor,
  createMachine,
  raise,
  SimulatedClock,
  sendParent,
  spawnChild,
} from 'xstate';
import { exploreNaively } from '../../checker/naive.ts';
import { compile } from '../index.ts';
import { systemOf } from '../testing/systems.ts';

/* `time: 'ordered'` beside XState's own actors on a simulated clock: each order of events that is seen is in the model. */

type Deed = readonly ['arm' | 'cancel', number];

interface Plan {
  /** The delays of the timers t0, t1, ..., in ms. */
  readonly delays: readonly number[];
  readonly atStart: readonly number[];
  /** For each event from outside, go0 and go1. */
  readonly on: readonly (readonly Deed[])[];
  /** The timer that t0, t1, ... arms as it fires. It has a higher number, so that there is an end. */
  readonly next: readonly number[];
  /** The delays of children that tell their parent c0, c1, ... */
  readonly children: readonly number[];
}

const ms = fc.integer({ min: 1, max: 4 }).map((times) => 5 * times);
const timer = fc.nat(2);
const plans: fc.Arbitrary<Plan> = fc.record({
  delays: fc.tuple(ms, ms, ms),
  atStart: fc.array(timer, { maxLength: 2 }),
  on: fc.tuple(
    ...[0, 1].map(() => fc.array(fc.tuple(fc.constantFrom('arm', 'cancel'), timer), { maxLength: 2 })),
  ) as fc.Arbitrary<readonly (readonly Deed[])[]>,
  next: fc.tuple(...[1, 2, 3].map((least) => fc.integer({ min: least, max: 3 }))),
  children: fc.array(ms, { maxLength: 1 }),
});

function machineOf({ delays, atStart, on, next, children }: Plan): AnyStateMachine {
  const arm = (number: number) =>
    raise({ type: `t${number}` }, { delay: delays[number]!, id: `t${number}` }) as never;
  const told = (type: string, deeds: readonly never[] = []) => [
    type,
    { actions: [assign({ order: ({ context }) => `${context['order']} ${type}` }) as never, ...deeds] },
  ];
  const child = (delay: number, number: number) =>
    createMachine({ after: { [delay]: { actions: sendParent({ type: `c${number}` }) } } });
  return createMachine({
    id: 'm',
    context: { order: '' },
    entry: [...children.map((delay, number) => spawnChild(child(delay, number))), ...atStart.map(arm)],
    on: Object.fromEntries([
      ...children.map((_, number) => told(`c${number}`)),
      ...delays.map((_, number) => told(`t${number}`, next[number]! < 3 ? [arm(next[number]!)] : [])),
      ...on.map((deeds, number) =>
        told(
          `go${number}`,
          deeds.map(([deed, of]) => (deed === 'arm' ? arm(of) : (cancel(`t${of}`) as never))),
        ),
      ),
    ]),
  } as never) as unknown as AnyStateMachine;
}

/** The orders in which the model takes events, and each beginning of one. */
function ordersOf(machine: AnyStateMachine, time: 'any' | 'ordered'): ReadonlySet<unknown> {
  const environment = ['go0', 'go1'].map((type) => ({ event: { type }, times: 1 }));
  const compiled = compile(systemOf({ m: { machine, outcomes: {}, time, environment } }));
  const orders = new Set<unknown>();
  exploreNaively(compiled.model, (state) => {
    orders.add(compiled.decode(state).actors[0]!.context['order']);
  });
  return orders;
}

/** The order that XState's own actor shows when the events come at these moments, in ms. */
function liveOrder(machine: AnyStateMachine, moments: readonly number[]): string {
  const clock = new SimulatedClock();
  const actor = createActor(machine, { clock }).start();
  for (let now = 0; now <= 100; now++) {
    for (const [number, moment] of moments.entries()) if (moment === now) actor.send({ type: `go${number}` });
    clock.increment(1);
  }
  return actor.getSnapshot().context['order'] as string;
}

const moments = fc.array(fc.tuple(fc.nat(45), fc.nat(45)), { minLength: 12, maxLength: 12 });
const seed = { seed: 5120, numRuns: 10 };

test('every order that live actors show on a clock is in the model', () => {
  let [seen, ordered] = [0, 0];
  fc.assert(
    fc.property(plans, moments, (plan, all) => {
      const machine = machineOf(plan);
      const orders = ordersOf(machine, 'ordered');
      const live = new Set(all.map((at) => liveOrder(machine, at)));
      seen += live.size;
      ordered += orders.size;
      expect([...live].filter((order) => !orders.has(order))).toEqual([]);
    }),
    seed,
  );
  expect(seen).toBeGreaterThan(30);
  expect(ordered).toBeGreaterThan(seen);
});

/** No timer arms another. */
const single = plans.map((plan) => ({ ...plan, next: [3, 3, 3] }));

test('ordered time excludes orders that live actors never show', () => {
  let excluded = 0;
  fc.assert(
    fc.property(single, moments, (plan, all) => {
      const machine = machineOf(plan);
      const orders = ordersOf(machine, 'ordered');
      const others = new Set([...ordersOf(machine, 'any')].filter((order) => !orders.has(order)));
      excluded += others.size;
      expect(all.filter((at) => others.has(liveOrder(machine, at)))).toEqual([]);
      for (const order of orders) expect(others).not.toContain(order);
    }),
    { ...seed, numRuns: 4 },
  );
  expect(excluded).toBeGreaterThan(20);
});

test('the comparison with live actors finds a machine with other delays', () => {
  let missed = 0;
  fc.assert(
    fc.property(plans, moments, (plan, all) => {
      const turned = { ...plan, delays: plan.delays.map((delay) => 25 - delay) };
      const orders = ordersOf(machineOf(turned), 'ordered');
      missed += all.filter((at) => !orders.has(liveOrder(machineOf(plan), at))).length;
    }),
    { ...seed, numRuns: 4 },
  );
  expect(missed).toBeGreaterThan(0);
});
