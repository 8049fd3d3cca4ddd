import { beforeEach, expect, test } from 'vitest';
import type { StampedEnvelope } from '../frame/frames.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { Courtesy } from './courtesy.ts';

let clock: VirtualClock;
let delivered: string[];
let courtesy: Courtesy;

beforeEach(() => {
  clock = new VirtualClock();
  delivered = [];
  courtesy = new Courtesy({
    clock,
    delayMs: 10,
    deliver: ({ source, lock, message }) => delivered.push(`${source} ${lock} ${message.type}`),
  });
});

const say = (source: string, type: string, waits = false, lock = 'main') => {
  const envelope: StampedEnvelope = {
    source,
    target: 'z',
    lock,
    message: { type },
    stamp: { seq: 1, clock: {} },
  };
  courtesy.take(envelope, waits);
};

test('what waits comes later, what its source says about the same lock behind it, and all else at once', () => {
  say('a', 'ONE', true);
  clock.advance(9);
  say('a', 'TWO');
  say('a', 'THREE', true);
  say('a', 'OTHER', false, 'other');
  say('b', 'FOUR');
  expect(delivered).toEqual(['a other OTHER', 'b main FOUR']);
  clock.advance(1);
  expect(delivered.slice(2)).toEqual(['a main ONE', 'a main TWO', 'a main THREE']);
  say('a', 'FIVE');
  expect(delivered.at(-1)).toBe('a main FIVE');
});

test('of one source all comes at once when something must not overtake it, and only once', () => {
  say('a', 'ONE', true);
  say('b', 'TWO', true);
  courtesy.flush('a');
  courtesy.flush('c');
  expect(delivered).toEqual(['a main ONE']);
  clock.advance(10);
  expect(delivered).toEqual(['a main ONE', 'b main TWO']);
});

test('nothing comes after the end', () => {
  say('a', 'ONE', true);
  courtesy.stop();
  clock.advance(100);
  expect([delivered, clock.next]).toEqual([[], null]);
});
