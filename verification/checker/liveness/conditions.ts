import { malformed } from '../memo.ts';
import type { Budget } from './budget.ts';
import type { Graph } from './graph.ts';
import type { ActionClass, ActionFairness } from './property.ts';

/**
 * The fairness of a property as bit sets. Class `i` is bit `i % 32` of word `i / 32`. The weak classes come
 * before the strong ones.
 */
export interface Conditions {
  /** Number of words in a set. 0 without fairness. */
  readonly words: number;
  /** The sets of all weak and of all strong classes. */
  readonly weak: Uint32Array;
  readonly strong: Uint32Array;
  /** For each step number, `words` each: the classes that the step belongs to. */
  readonly taken: Uint32Array;
  /** For each edge: 1 when it leads back to its own state. It then counts neither as enabled nor as taken. */
  readonly idle: Uint8Array;
  /** For each state, `words` each: the classes that are enabled. Empty for a state that was not expanded. */
  readonly enabled: Uint32Array;
}

/** @throws LimitReached `max-memory`. */
export function conditionsOf(graph: Graph, fairness: ActionFairness, budget: Budget): Conditions {
  const { memo, offsets, steps, states, targets, edges } = graph;
  const weak = classesOf(memo.action, fairness.weak, 'weak', 0);
  const strong = classesOf(memo.action, fairness.strong, 'strong', weak.count);
  const words = Math.ceil((weak.count + strong.count) / 32);
  const set = (from: number, to: number) => {
    const bits = new Uint32Array(words);
    for (let i = from; i < to; i++) bits[i >> 5]! |= 1 << (i & 31);
    return bits;
  };
  const taken = new Uint32Array(words * memo.size);
  for (const of of [weak.of, strong.of]) {
    of.forEach((bit, step) => {
      if (bit >= 0) taken[step * words + (bit >> 5)]! |= 1 << (bit & 31);
    });
  }
  budget.claim(4 * words * states + (words === 0 ? 0 : edges));
  const enabled = new Uint32Array(words * states);
  const idle = new Uint8Array(words === 0 ? 0 : edges);
  for (let state = 0; words > 0 && state < states; state++) {
    for (let edge = offsets[state]!; edge < offsets[state + 1]!; edge++) {
      if (targets[edge] === state) {
        idle[edge] = 1;
        continue;
      }
      for (let w = 0; w < words; w++) enabled[state * words + w]! |= taken[steps[edge]! * words + w]!;
    }
  }
  const count = weak.count + strong.count;
  return { words, weak: set(0, weak.count), strong: set(weak.count, count), taken, idle, enabled };
}

/** Tells whether a fair run may stay in `state` for ever. */
export function mayStutter(conditions: Conditions, graph: Graph, state: number): boolean {
  const { words, enabled } = conditions;
  for (let w = 0; w < words; w++) if (enabled[state * words + w] !== 0) return false;
  return words === 0 || graph.expanded[state] === 1;
}

/** For each step number: its class, counted from `base` in the order of discovery, or -1. */
function classesOf(actions: readonly number[], classOf: ActionClass | undefined, kind: string, base: number) {
  const byClass = new Map<number, number>();
  const byAction = new Map<number, number>();
  const numberOf = (action: number): number => {
    const found = classOf!(action);
    if (found === -1) return -1;
    if (!Number.isInteger(found) || found < 0) {
      throw malformed(`the ${kind} class of action ${action} is ${found}`, 'a whole number from 0, or -1');
    }
    let number = byClass.get(found);
    if (number === undefined) {
      number = base + byClass.size;
      byClass.set(found, number);
    }
    return number;
  };
  const of = actions.map((action) => {
    if (classOf === undefined) return -1;
    let number = byAction.get(action);
    if (number === undefined) {
      number = numberOf(action);
      byAction.set(action, number);
    }
    return number;
  });
  return { of, count: byClass.size };
}
