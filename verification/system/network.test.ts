import { describe, expect, it } from 'vitest';
import { assign, createMachine } from 'xstate';
import { exploreNaively } from '../checker/naive.ts';
import { compile } from './index.ts';
import type { Network } from './system.ts';
import { envelopes, systemOf } from './testing/systems.ts';

/** States and transitions of the envelopes under way, counted by hand. */
function counts(count: number, network: Network, forgetful = false) {
  const { states, transitions } = exploreNaively(compile(envelopes(count, network, forgetful)).model);
  return [states, transitions];
}

describe('a network', () => {
  it('keeps the order of each pair on fifo', () => {
    expect(counts(2, { order: 'fifo' })).toEqual([3, 2]);
  });

  it('delivers in any order from a bag', () => {
    expect(counts(2, { order: 'unordered' })).toEqual([5, 4]);
    expect(counts(2, { order: 'unordered-by-target' })).toEqual([5, 4]);
  });

  it('loses up to `loss` messages', () => {
    expect(counts(2, { order: 'fifo', loss: 1 })).toEqual([7, 7]);
    expect(counts(2, { order: 'fifo', loss: 0 })).toEqual([3, 2]);
    expect(counts(2, { order: 'fifo', loss: 'unbounded' })).toEqual([8, 9]);
  });

  it('delivers up to `duplication` copies', () => {
    expect(counts(1, { order: 'fifo', duplication: 1 })).toEqual([4, 3]);
    expect(counts(1, { order: 'fifo', duplication: 'unbounded' }, true)).toEqual([3, 4]);
  });

  it('never consumes a persistent message', () => {
    expect(counts(1, { order: 'unordered', duplication: 'persistent' }, true)).toEqual([2, 2]);
  });

  it('loses any tail when a link breaks', () => {
    expect(counts(2, { order: 'fifo', breaks: 1 })).toEqual([6, 6]);
  });

  it('holds up a site that sends into a full link', () => {
    const push = { type: 'send', params: { target: 'b', message: { type: 'M' } } };
    const pusher = createMachine({ id: 'pusher', on: { push: { actions: push } } });
    const listening = envelopes(0, { order: 'fifo' }, true).actors['b']!;
    const system = systemOf(
      { a: { machine: pusher, environment: [{ event: { type: 'push' } }] }, b: listening },
      { network: { order: 'fifo', capacity: 1 } },
    );
    expect(exploreNaively(compile(system).model)).toMatchObject({ states: 4, transitions: 4, deadlocks: 0 });
  });

  it('distinguishes the senders of messages, except with unordered-by-target', () => {
    const hello = { type: 'send', params: { target: 'c', message: { type: 'M', n: 1 } } };
    const greeter = createMachine({ id: 'greeter', entry: hello });
    const actors = {
      a: { machine: greeter },
      b: { machine: greeter },
      c: envelopes(0, { order: 'fifo' }).actors['b']!,
    };
    const heard: (string | null)[] = [];
    const told = {
      ...actors,
      c: {
        ...actors.c,
        deliver: (_: unknown, source: string | null) => {
          heard.push(source);
          return { type: 'M', n: 1 };
        },
      },
    };
    expect(exploreNaively(compile(systemOf(actors, { network: { order: 'unordered' } })).model).states).toBe(
      4,
    );
    const byTarget = compile(systemOf(told, { network: { order: 'unordered-by-target' } }));
    expect(exploreNaively(byTarget.model).states).toBe(3);
    expect(new Set(heard)).toEqual(new Set([null]));
  });
});

describe('an actor that does not take every message', () => {
  const machine = createMachine({
    types: {} as { context: { got: number[] }; events: { type: 'M'; n: number } },
    id: 'choosy',
    context: { got: [] },
    on: { M: { actions: assign({ got: ({ context, event }) => [...context.got, event.n] }) } },
  });
  const choosy = (network: Network) =>
    systemOf(
      {
        a: envelopes(3, network).actors['a']!,
        b: {
          machine,
          // 2 before all others.
          accepts: (message, { context }) =>
            (message as { n?: number }).n === 2 || (context['got'] as number[]).includes(2),
        },
      },
      { network },
    );

  it.each<[Network, number]>([
    [{ order: 'fifo' }, 4],
    [{ order: 'unordered' }, 6],
  ])('leaves others on their way, %j', (network, states) => {
    const orders = new Set<string>();
    const { model, decode } = compile(choosy(network));
    const counted = exploreNaively(model, (state) =>
      orders.add(String(decode(state).actor('b').context['got'])),
    );
    expect(counted.states).toBe(states);
    const all = network.order === 'fifo' ? ['2,1,3'] : ['2,1,3', '2,3,1'];
    expect([...orders].filter((order) => order.length === 5).sort()).toEqual(all);
  });

  it('cannot be combined with symmetry', () => {
    const system = { ...choosy({ order: 'fifo' }), symmetry: ['a', 'b'] };
    expect(() => compile(system)).toThrow(
      /SYSTEM_INVALID.*`accepts` names actors as they are.*Leave one of them out/,
    );
  });
});

it('an event of the environment carries what is computed from the state', () => {
  const machine = createMachine({
    types: {} as { context: { n: number }; events: { type: 'add'; by: number } },
    id: 'sum',
    context: { n: 0 },
    on: { add: { actions: assign({ n: ({ context, event }) => context.n + event.by }) } },
  });
  const payloads = ({ context }: { readonly context: Readonly<Record<string, unknown>> }) =>
    [1, 2].filter((by) => (context['n'] as number) + by <= 4).map((by) => ({ by }));
  const system = systemOf({ a: { machine, environment: [{ event: { type: 'add' }, payloads }] } });
  // 0 to 4, by one or by two.
  expect(exploreNaively(compile(system).model)).toMatchObject({ states: 5, transitions: 7, depth: 2 });
});
