import { describe, expect, it } from 'vitest';
import { createMachine } from 'xstate';
import { exploreNaively } from '../checker/naive.ts';
import { compile } from './index.ts';
import type { Network } from './system.ts';
import { letters, systemOf } from './testing/systems.ts';

/** States and transitions of the letters under way, counted by hand. */
function counts(count: number, network: Network, forgetful = false) {
  const { states, transitions } = exploreNaively(compile(letters(count, network, forgetful)).model);
  return [states, transitions];
}

describe('networks', () => {
  it('keeps the order of each pair on fifo', () => {
    expect(counts(2, { order: 'fifo' })).toEqual([3, 2]);
  });

  it('delivers in any order from a bag', () => {
    expect(counts(2, { order: 'unordered' })).toEqual([5, 4]);
    expect(counts(2, { order: 'unordered-by-target' })).toEqual([5, 4]);
  });

  it('loses any message, as often as it may', () => {
    expect(counts(2, { order: 'fifo', loss: 1 })).toEqual([7, 7]);
    expect(counts(2, { order: 'fifo', loss: 0 })).toEqual([3, 2]);
    expect(counts(2, { order: 'fifo', loss: 'unbounded' })).toEqual([8, 9]);
  });

  it('delivers copies, as often as it may', () => {
    expect(counts(1, { order: 'fifo', duplication: 1 })).toEqual([4, 3]);
    expect(counts(1, { order: 'fifo', duplication: 'unbounded' }, true)).toEqual([3, 4]);
  });

  it('never consumes a persistent message', () => {
    expect(counts(1, { order: 'unordered', duplication: 'persistent' }, true)).toEqual([2, 2]);
  });

  it('loses any tail when a link breaks', () => {
    expect(counts(2, { order: 'fifo', breaks: 1 })).toEqual([6, 6]);
  });

  it('holds up who sends into a full link', () => {
    const push = { type: 'send', params: { target: 'b', message: { type: 'M' } } };
    const pusher = createMachine({ id: 'pusher', on: { push: { actions: push } } });
    const listening = letters(0, { order: 'fifo' }, true).actors['b']!;
    const system = systemOf(
      { a: { machine: pusher, environment: [{ event: { type: 'push' } }] }, b: listening },
      { network: { order: 'fifo', capacity: 1 } },
    );
    expect(exploreNaively(compile(system).model)).toMatchObject({ states: 4, transitions: 4, deadlocks: 0 });
  });

  it('keeps apart who sent a message, unless the network does not', () => {
    const hello = { type: 'send', params: { target: 'c', message: { type: 'M', n: 1 } } };
    const greeter = createMachine({ id: 'greeter', entry: hello });
    const actors = {
      a: { machine: greeter },
      b: { machine: greeter },
      c: letters(0, { order: 'fifo' }).actors['b']!,
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
