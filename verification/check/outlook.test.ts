import { describe, expect, it } from 'vitest';
import { assign, createMachine, raise } from 'xstate';
import { exploreNaively } from '../checker/naive.ts';
import { statesToCome } from '../checker/packed/forecast.ts';
import { naimiTrehel } from '../protocols/naimi-trehel/system.ts';
import { compile } from '../system/index.ts';
import { role, system } from '../system/typed.ts';
import { check } from './check.ts';

const network = { order: 'fifo' } as const;

describe('the estimate of the remaining time', () => {
  it('follows from the growth of the levels, within a factor of two once a third is seen', () => {
    const levels: number[] = [];
    exploreNaively(compile(naimiTrehel({ sites: 4, network })).model, (_, depth) => {
      levels[depth] = (levels[depth] ?? 0) + 1;
    });
    const whole = levels.reduce((sum, size) => sum + size, 0);
    expect(whole).toBe(9_352);
    let known = 0;
    const told = levels.flatMap((size, index) => {
      known += size;
      const toCome = statesToCome(levels.slice(0, index + 1));
      return toCome === null || known < whole / 3 ? [] : [(known + toCome) / whole];
    });
    expect(told.length).toBeGreaterThan(8);
    expect(Math.min(...told)).toBeGreaterThan(0.5);
    expect(Math.max(...told)).toBeLessThan(2);
  });

  it('is absent while no end is in sight', () => {
    expect(statesToCome([1, 2, 4, 8, 16, 32, 64, 128])).toBeNull();
    expect(statesToCome([1, 2, 3, 4])).toBeNull();
  });
});

describe('a value that grows without bound', () => {
  const counter = createMachine({
    types: {} as { context: { n: number; log: string[]; round: number }; events: { type: 'up' } },
    id: 'counter',
    context: { n: 0, log: [], round: 0 },
    on: {
      up: {
        actions: assign({
          n: ({ context }) => context.n + 1,
          round: ({ context }) => (context.round + 1) % 3,
          log: ({ context }) => [...context.log, 'up'],
        }),
      },
    },
  });
  const counting = system('counting', { a: role(counter, { environment: ['up'] }) });

  it('is named if a limit ended the exploration, and no other value is', async () => {
    const { grows } = await check(counting, { maxStates: 500 });
    expect(grows).toHaveLength(2);
    expect(grows![0]).toMatch(/^a: context\.n grows without an end in sight \(/);
    expect(grows![1]).toMatch(/^a: the length of context\.log grows/);
  });

  it('may be a queue that is not drained', async () => {
    const talker = createMachine({
      id: 'talker',
      on: { tick: { actions: { type: 'send', params: { target: 'b', message: { type: 'M' } } } } },
    });
    const deaf = createMachine({ id: 'deaf', on: { M: {} } });
    const { grows } = await check(
      system('talk', { a: role(talker, { environment: ['tick'] as never }), b: deaf }),
      { maxStates: 500 },
    );
    expect(grows).toEqual([expect.stringMatching(/^b: messages on their way grows/)]);
  });

  it('is the number of armed timers', async () => {
    const arming = createMachine({
      id: 'arming',
      on: {
        tick: { actions: raise({ type: 'tock' }, { delay: 5 }) },
        tock: {},
      },
    });
    const { grows } = await check(
      system('arming', { a: role(arming, { environment: ['tick'] as never, outcomes: {} }) }),
      { maxStates: 66 },
    );
    expect(grows).toEqual([expect.stringMatching(/^a: the number of armed timers grows/)]);
  });

  it('is not sought after a complete exploration', async () => {
    expect(await check(naimiTrehel({ sites: 2, network }))).not.toHaveProperty('grows');
  });
});
