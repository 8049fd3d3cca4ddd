import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from './clock.ts';

const days = 24 * 60 * 60 * 1_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a wait may be longer than the timers of Node', () => {
  const action = vi.fn();
  systemClock.after(60 * days, action);
  vi.advanceTimersByTime(60 * days - 1);
  expect(action).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(action).toHaveBeenCalledOnce();
});

test('a wait may last for ever, unless it is cancelled', () => {
  const action = vi.fn();
  const cancel = systemClock.after(Number.POSITIVE_INFINITY, action);
  vi.advanceTimersByTime(60 * days);
  expect(vi.getTimerCount()).toBe(1);
  cancel();
  expect(vi.getTimerCount()).toBe(0);
  expect(action).not.toHaveBeenCalled();
});
