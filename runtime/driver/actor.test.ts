import { describe, expect, test } from 'vitest';
import { assign, setup } from 'xstate';
import { siteMachine } from '../../machines/epoch/site.ts';
import { linkMachine } from '../../machines/link/link.ts';
import { compile } from '../../statechart/compile.ts';
import { epochEvents, epochInputs, linkEvents, linkInputs } from '../../statechart/testing/events.ts';
import { EffectActor } from './actor.ts';

const watch = { inspect: () => {} };
const own = { engine: 'xstate' as const };

describe.each([watch, own, { ...own, ...watch }])(
  '%o: the same effects and snapshots as without',
  (other) => {
    test.each([
      ['epoch', siteMachine, epochInputs, epochEvents],
      ['link', linkMachine, linkInputs, linkEvents],
    ] as const)('%s', (_, machine, inputs, events) => {
      const effects = [...compile(machine).effects];
      let asked = 0;
      for (const input of inputs) {
        const [actor, watched] = [{}, other].map(
          (options) => new EffectActor(machine, effects, { id: 'a', input, ...options }),
        ) as [
          EffectActor<{ type: string }, { type: string }>,
          EffectActor<{ type: string }, { type: string }>,
        ];
        expect(actor.begun).toEqual(watched.begun);
        // Strides that meet every event, each time after another.
        for (const stride of [1, 3, 5, 11, 13]) {
          for (let at = 0; at < events.length; at++) {
            const event = events[(at * stride) % events.length]!;
            const told = actor.take(event);
            asked += told.length;
            expect(told).toEqual(watched.take(event));
            expect(actor.snapshot).toEqual(watched.snapshot);
          }
        }
      }
      expect(asked).toBeGreaterThan(events.length);
    });
  },
);

const fragile = setup({
  types: {} as { context: { count: number }; events: { type: 'count' | 'break' } },
  actions: {
    told: (_, _params: { count: number }) => {},
    count: assign({ count: ({ context }) => context.count + 1 }),
    break: assign(() => {
      throw new Error('no such count');
    }),
  },
}).createMachine({
  id: 'fragile',
  context: { count: 0 },
  on: {
    count: { actions: ['count', { type: 'told', params: ({ context }) => ({ count: context.count }) }] },
    break: { actions: ['count', 'break'] },
  },
});

describe.each([{}, watch, own])('%o', (options) => {
  const begin = (effects: readonly 'told'[]) =>
    new EffectActor<{ type: 'count' | 'break' }, { type: 'told' }>(fragile, effects, {
      id: 'a',
      input: undefined,
      ...options,
    });

  test('a machine that throws is told by its cause, and takes no further event', () => {
    const actor = begin(['told']);
    expect(actor.take({ type: 'count' })).toEqual([{ type: 'told', count: 1 }]);
    const failure = { code: 'MACHINE_ERROR', cause: new Error('no such count') };
    expect(() => actor.take({ type: 'break' })).toThrow(expect.objectContaining(failure));
    const { snapshot } = actor;
    expect(() => actor.take({ type: 'count' })).toThrow(expect.objectContaining(failure));
    expect(actor.snapshot).toEqual(snapshot);
  });

  test('a snapshot stays as it is', () => {
    const actor = begin(['told']);
    const snapshots = [1, 2].map(() => {
      actor.take({ type: 'count' });
      expect(actor.state).toEqual(actor.snapshot);
      return actor.snapshot;
    });
    expect(snapshots.map(({ context }) => context)).toEqual([{ count: 1 }, { count: 2 }]);
  });

  test('an effect that nobody carries out is refused', () => {
    expect(() => begin([])).toThrow(expect.objectContaining({ code: 'UNKNOWN_EFFECT' }));
  });

  test('a stopped actor takes nothing', () => {
    const actor = begin(['told']);
    actor.stop();
    expect(actor.take({ type: 'count' })).toEqual([]);
    expect(actor.snapshot.context).toEqual({ count: 0 });
  });
});

test('a machine that arms timers is refused: nothing would fire them', () => {
  const timed = setup({}).createMachine({ after: { 10: { actions: [] } } });
  expect(() => new EffectActor(timed, [], { id: 'a', input: undefined })).toThrow(
    expect.objectContaining({ code: 'UNKNOWN_EFFECT', message: expect.stringContaining('arms timers') }),
  );
});

test.each(['compiled', 'xstate'] as const)('an inspector of the engine %s is told the same', (engine) => {
  const told: unknown[] = [];
  const actor = new EffectActor<{ type: 'count' | 'break' }, { type: 'told' }>(fragile, ['told'], {
    id: 'a',
    input: undefined,
    engine,
    inspect: (event) => {
      const { id } = event.actorRef as unknown as { id: string };
      if (event.type === '@xstate.actor') told.push(['actor', id]);
      if (event.type === '@xstate.event') told.push(['event', id, event.event.type]);
      if (event.type === '@xstate.snapshot') {
        const { value, context } = event.snapshot as unknown as { value: unknown; context: unknown };
        told.push(['snapshot', id, event.event.type, value, context]);
      }
    },
  });
  actor.take({ type: 'count' });
  expect(told).toEqual([
    ['actor', 'a'],
    ['event', 'a', 'xstate.init'],
    ['snapshot', 'a', 'xstate.init', {}, { count: 0 }],
    ['event', 'a', 'count'],
    ['snapshot', 'a', 'count', {}, { count: 1 }],
  ]);
});
