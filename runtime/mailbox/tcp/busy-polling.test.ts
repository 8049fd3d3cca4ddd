import { beforeEach, expect, test } from 'vitest';
import type { Clock } from '../../api/clock.ts';
import { BusyPolling } from './busy-polling.ts';

/** The turns that were asked for and not begun. */
let turns: (() => void)[];
let now: number;
let polling: BusyPolling;

beforeEach(() => {
  turns = [];
  now = 1_000;
  const clock: Clock = {
    now: () => now,
    after: () => () => {},
    nextTurn: (action) => void turns.push(action),
  };
  polling = new BusyPolling(clock);
});

/** Lets the event loop turn until it would sleep, for `turnMs` at a time. Returns the number of turns. */
function turnUntilAsleep(turnMs = 0.01): number {
  for (let turned = 0; ; turned++) {
    const action = turns.shift();
    if (!action) return turned;
    now += turnMs;
    action();
  }
}

/** A message is sent, and the next one comes after `waitMs`. Returns whether the event loop was awake until then. */
function exchange(waitMs: number): boolean {
  polling.sent();
  let wasAwake = true;
  for (const comes = now + waitMs; now < comes; ) {
    const action = turns.shift();
    wasAwake &&= action !== undefined;
    now = action ? Math.min(comes, now + 0.01) : comes;
    action?.();
  }
  polling.received();
  return wasAwake && turns.length > 0;
}

test('the event loop stays awake after a short wait, until the next message comes', () => {
  expect([exchange(0.05), exchange(0.05), exchange(0.05)]).toEqual([false, true, true]);
  expect(turnUntilAsleep()).toBe(1);
});

test('it sleeps after a long wait', () => {
  const polled = [0.05, 1, 0.05, 0.05, 0.05].map(exchange);
  // The long wait began with a poll in vain, so that one message more goes by without a poll.
  expect(polled).toEqual([false, false, false, false, true]);
});

test('a poll ends after 0.1 ms, and the next ones are further and further apart', () => {
  const polls = Array.from({ length: 20 }, () => exchange(0.2) || turns.length > 0);
  expect(polls.some(Boolean)).toBe(false);
  const begun = Array.from({ length: 40 }, () => {
    polling.sent();
    const turned = turnUntilAsleep();
    now += 0.05;
    polling.received();
    return turned;
  });
  expect(begun.filter((turned) => turned > 0).length).toBeLessThanOrEqual(2);
  expect(Math.max(...begun)).toBeLessThanOrEqual(11);
});

test('a poll that is not in vain makes the next ones as frequent as at first', () => {
  exchange(0.05);
  for (let round = 0; round < 100; round++) exchange(0.2);
  while (!exchange(0.05));
  expect([exchange(0.2), exchange(0.05), exchange(0.05)]).toEqual([false, false, true]);
});

test('nothing that was never sent is waited for', () => {
  polling.received();
  polling.sent();
  expect(turns).toEqual([]);
});

test('a message that comes and one that is sent within a turn ask for one turn', () => {
  exchange(0.05);
  exchange(0.05);
  polling.sent();
  polling.received();
  polling.sent();
  expect(turns).toHaveLength(1);
});
