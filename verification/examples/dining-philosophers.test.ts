import { describe, expect, test } from 'vitest';
import { check } from '../check/check.ts';
import { diningPhilosophers, fork, philosopher } from './dining-philosophers.ts';
import { judge, rewire } from './testing/mutate.ts';

describe('dining philosophers', () => {
  test.each([
    { seats: 3, leftHanded: false, states: 995, transitions: 3465, depth: 21 },
    { seats: 3, leftHanded: true, states: 1002, transitions: 3515, depth: 22 },
    { seats: 4, leftHanded: false, states: 10305, transitions: 48324, depth: 30 },
    { seats: 4, leftHanded: true, states: 10344, transitions: 48707, depth: 31 },
  ])('$seats seats, left-handed $leftHanded: $states states', async ({ seats, leftHanded, ...counts }) => {
    expect(await check(diningPhilosophers({ seats, leftHanded }))).toMatchObject(counts);
  });

  test.each([3, 4, 5])('%i philosophers with a fork in every left hand are stuck', async (seats) => {
    const stuck = await judge(diningPhilosophers({ seats }), 'the table is never stuck');
    // Each gets hungry, is given the one fork, and asks for the other in vain.
    expect(stuck).toMatchObject({ verdict: 'violated', trace: { steps: { length: 4 * seats } } });
  });

  test.each([
    'a fork feeds one at a time',
    'as many eat as there are pairs of forks',
    'the table is never stuck',
  ])('with a left-handed one, %s', async (name) => {
    expect(await judge(diningPhilosophers({ leftHanded: true }), name)).toMatchObject({ verdict: 'holds' });
  });

  test('a fork that is given twice feeds two', async () => {
    const { free } = fork.config.states ?? {};
    const generous = rewire(fork, { taken: { on: { TAKE: free?.on?.TAKE } } });
    const system = diningPhilosophers({ leftHanded: true }).replacing(fork, generous);
    expect(await judge(system, 'a fork feeds one at a time')).toMatchObject({ verdict: 'violated' });
  });

  test('a philosopher that never says that a fork is free again stops the table', async () => {
    const silent = rewire(philosopher, { eating: { on: { full: 'thinking' } } });
    const system = diningPhilosophers({ leftHanded: true }).replacing(philosopher, silent);
    expect(await judge(system, 'the table is never stuck')).toMatchObject({ verdict: 'violated' });
  });

  test('a fork that is given to nobody feeds nobody', async () => {
    const system = diningPhilosophers().replacing(fork, rewire(fork, { free: { on: {} } }));
    const verdict = await judge(system, 'as many eat as there are pairs of forks');
    expect(verdict).toMatchObject({ verdict: 'violated' });
  });

  test.each([1, 2, 3])('philosopher %i eats when hungry, if one is left-handed', async (seat) => {
    const name = `philosopher ${seat} eats when hungry`;
    expect(await judge(diningPhilosophers({ leftHanded: true }), name)).toMatchObject({
      verdict: 'holds',
    });
    expect(await judge(diningPhilosophers(), name)).toMatchObject({
      verdict: 'violated',
      trace: { steps: { length: 12 }, loop: 12 },
    });
    const unfair = diningPhilosophers({ leftHanded: true, fairness: {} });
    expect(await judge(unfair, name)).toMatchObject({ verdict: 'violated' });
  });
});
