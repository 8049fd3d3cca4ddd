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
} from 'xstate';
import { apply } from '../checker/model.ts';
import { compile } from './index.ts';
import { alone } from './testing/systems.ts';

/* Every run of a live actor on XState's own clock is a run of the checker, and leaves no other timers armed. */

interface Arm {
  readonly id: 'one' | 'two' | undefined;
  readonly delay: number;
}

interface Context {
  readonly armed: number;
  readonly rung: readonly number[];
}

const types = ['arm', 'cancel.one', 'cancel.two'];

/** Arms the next of `arms` with each `arm`, and writes down which of them ring. */
function alarm(arms: readonly Arm[]): AnyStateMachine {
  const on = arms.map(({ id, delay }, index) => ({
    guard: ({ context }: { context: Context }) => context.armed === index,
    actions: [
      assign({ armed: index + 1 }),
      raise({ type: 'ring', index } as { type: string }, { delay, ...(id && { id }) }) as never,
    ],
  }));
  const ring = assign(({ context, event }: { context: Context; event: object }) => ({
    rung: [...context.rung, (event as { index: number }).index],
  }));
  return createMachine({
    id: 'alarm',
    context: { armed: 0, rung: [] },
    on: {
      arm: on,
      'cancel.one': { actions: cancel('one') },
      'cancel.two': { actions: cancel('two') },
      ring: { actions: ring },
    },
  } as never) as unknown as AnyStateMachine;
}

const arms: fc.Arbitrary<readonly Arm[]> = fc.array(
  fc.record({
    id: fc.constantFrom<Arm['id'][]>('one', 'one', 'two', undefined),
    delay: fc.integer({ min: 1, max: 9 }),
  }),
  { minLength: 1, maxLength: 5, size: 'max' },
);
/** An event, or a millisecond that passes. */
const script = fc.array(fc.constantFrom(...types, 'arm', 'arm', 'wait', 'wait', 'wait'), {
  minLength: 3,
  maxLength: 14,
  size: 'max',
});

test('delayed raises and cancel agree with a live actor', () => {
  const rung = { all: 0, unlike: 0 };
  fc.assert(
    fc.property(arms, script, (all, steps) => {
      const machine = alarm(all);
      const clock = new SimulatedClock();
      const actor = createActor(machine, { clock }).start();
      const { model, action, record } = compile(
        alone(machine, { environment: types.map((type) => ({ event: { type } })) }),
      );
      let state: readonly number[] = model.initial[0]!;
      const follow = (isStep: (after: { context: unknown }, index: number) => boolean) => {
        for (const step of model.steps(0, state[0]!)) {
          const after = apply(model, state, 0, step)!;
          if (!isStep(record(after)['a']!, step.action)) continue;
          state = after;
          return;
        }
        expect.fail('the checker cannot take this step');
      };
      for (const step of [...steps, ...Array.from({ length: 10 }, () => 'wait')]) {
        const before = actor.getSnapshot().context.rung.length;
        if (step === 'wait') clock.increment(1);
        else {
          actor.send({ type: step });
          follow((_, index) => {
            const taken = action(index);
            return taken.kind === 'environment' && taken.event.type === step;
          });
        }
        const { context } = actor.getSnapshot();
        for (let length = before + 1; length <= context.rung.length; length++) {
          const fired = context.rung.slice(0, length);
          follow((after) => JSON.stringify((after.context as Context).rung) === JSON.stringify(fired));
        }
        expect(record(state)['a']!.context).toEqual(context);
      }
      expect(record(state)['a']!.timers).toEqual([]);
      const { armed, rung: last } = actor.getSnapshot().context as Context;
      rung.all += last.length;
      rung.unlike += armed - last.length;
    }),
    { numRuns: 300 },
  );
  // Some rang, and some were cancelled.
  expect(Math.min(rung.all, rung.unlike)).toBeGreaterThan(30);
});
